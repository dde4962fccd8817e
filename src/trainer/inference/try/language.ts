// How a language model goes on with a text, what could have come next, and how likely each written symbol was.
import type { TaskArtifact } from '../../tasks/index.ts';
import { codecOf } from '../../tasks/index.ts';
import { likeliest } from '../../tasks/stepping.ts';
import { writeText } from '../sample.ts';
import { look } from './look.ts';
import { NOTHING, percent, standingOf, type Tryer } from './tryer.ts';

/** Symbols that are looked at; a longer text is looked at in its newest ones. */
const MOST_STEPS = 2000;
const MOST_SYMBOLS = 1000;

export const tryText: Tryer<TaskArtifact> = (model, artifact, given, context) => {
  const codec = codecOf(artifact)!;
  const written: number[] = [];
  const writing = writeText(model, context.run, {
    prompt: given.text,
    length: Math.min(given.length ?? 200, MOST_SYMBOLS),
    temperature: given.temperature,
    topK: given.topK,
    topP: given.topP,
    seed: given.seed,
    onSymbol: id => void written.push(id),
  });
  let made = writing.next();
  while (!made.done) made = writing.next();
  const { prompt, text } = made.value;
  const promptIds = codec.encode(prompt).ids;
  const ids = [...promptIds, ...written];
  const first = Math.max(0, ids.length - Math.min(MOST_STEPS, model.context ?? MOST_STEPS));
  const read = ids.slice(first);
  const symbolOf = (id: number) => {
    const writer = codec.writer();
    return writer.add(id) + writer.end();
  };
  const batch = {
    seqLen: read.length,
    batch: 1,
    input: Int32Array.from(read),
    targets: new Int32Array(0),
    lengths: null,
    continues: false,
  };
  const without = new Set(codec.unwritten);
  let next: { id: number; probability: number }[] = [];
  const rows: string[][] = [];
  const { states } = look(model, batch, context.run, {
    steps: read.map(symbolOf),
    onOutputs(from, outputs, classes) {
      for (let at = 0; at * classes < outputs.length; at++) {
        const step = first + from + at;
        // what follows the prompt's last symbol is the first that was written
        if (step < promptIds.length - 1) continue;
        const logits = outputs.subarray(at * classes, (at + 1) * classes);
        if (step === promptIds.length - 1) next = likeliest(logits, codec.unwritten);
        const id = ids[step + 1];
        if (id === undefined) continue;
        const { probability, rank } = standingOf(logits, id, without);
        rows.push([symbolOf(id), percent(probability), String(rank)]);
      }
    },
  });
  return {
    ...NOTHING,
    input: prompt,
    answer: text,
    of: `next ${codec.unit}`,
    likely: next.map(({ id, probability }) => ({ label: symbolOf(id), probability })),
    table: { columns: [codec.unit, 'probability', 'rank'], rows },
    states,
    notes: [
      'Probabilities are those of the model at temperature 1.',
      ...(first > 0 ? [`The newest ${read.length} of ${ids.length} steps are looked at.`] : []),
    ],
  };
};
