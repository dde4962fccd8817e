// unroll sample: text from a trained char-lm.
import process from 'node:process';
import { CHECKPOINT_OPTION, type Command, checkpointOf, JSON_OPTION } from './command.ts';
import { EXIT } from './exit.ts';
import { plain } from './terminal.ts';
import { findRun } from './workspace.ts';

export const command: Command = {
  name: 'sample',
  operands: 'RUN',
  count: [1, 1],
  summary: 'Generate text with a trained char-lm.',
  options: {
    length: { value: 'N', help: 'Characters to generate; default: training.sample.length of the run.' },
    temperature: {
      value: 'X',
      help: 'Below 1 safer, above 1 wilder, 0 always the likeliest; default: training.sample.temperature of the run.',
    },
    prompt: { value: 'TEXT', help: 'How the text begins; default: a line break.' },
    seed: { value: 'N', help: "The same seed gives the same text; default: the run's." },
    ...CHECKPOINT_OPTION,
    ...JSON_OPTION,
  },
  examples: [
    'unroll sample RUN --prompt "Emma " --length 300',
    'unroll sample RUN --seed 7 --temperature 0.5',
  ],
  async run(args) {
    const folder = findRun(args.positionals[0]!);
    const options = {
      length: args.number('length', { min: 1, max: 1_000_000, whole: true }),
      temperature: args.number('temperature', { min: 0, max: 100 }),
      prompt: args.text('prompt'),
      seed: args.number('seed', { min: 0, max: 0xffff_ffff, whole: true }),
      checkpoint: checkpointOf(args),
    };
    const { sampleText } = await import('../inference/sample.ts');
    const sampled = await sampleText(folder, options);
    const text = args.flag('json')
      ? JSON.stringify({ kind: 'sample', run: folder, ...sampled })
      : plain(sampled.prompt + sampled.text, true);
    process.stdout.write(`${text}\n`);
    return EXIT.done;
  },
};
