// unroll try: one JSON object on standard input, its answer as one JSON line. Started by the editor's "Try It".

import process from 'node:process';
import { whyNot } from '../../runs/validate.ts';
import type { Command } from './command.ts';
import { CommandError, EXIT } from './exit.ts';
import { TRAINED_OPTIONS, trainedOf, writeRecord } from './trained.ts';

const MOST_BYTES = 1e6;

export const command: Command = {
  name: 'try',
  operands: 'RUN',
  count: [1, 1],
  summary:
    'What a trained run says of one input: {"text": …}, {"row": N} of its data or {"sound": FILE} on standard input, with "length", "beams", "temperature", "topK", "topP" and "seed" by choice.',
  options: TRAINED_OPTIONS,
  hidden: true,
  async run(args) {
    const { folder, checkpoint } = trainedOf(args);
    const text = await standardInput();
    const { givenSchema, tryRun } = await import('../inference/try/index.ts');
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      throw new CommandError('Standard input is not JSON.');
    }
    const given = givenSchema.safeParse(json);
    if (!given.success) {
      const [issue] = given.error.issues;
      throw new CommandError(`The input cannot be used: ${whyNot(issue)}.`);
    }
    writeRecord(await tryRun(folder, given.data, checkpoint));
    return EXIT.done;
  },
};

async function standardInput(): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of process.stdin) {
    parts.push(part as Buffer);
    size += (part as Buffer).length;
    if (size > MOST_BYTES) throw new CommandError('Standard input is longer than 1 MB.');
  }
  return Buffer.concat(parts).toString('utf8');
}
