// The settings that code trains with, read from its text: optimizer, batch size, epochs or steps, clipping, window,
// columns, and what of it Unroll does not take. No code is run.
import type { Language, Tree } from '../code/syntax.ts';
import type { FoundModel } from '../definition.ts';
import { batchSizeOf } from './batches.ts';
import { clippingOf } from './clipping.ts';
import { columnsOf, pathOf } from './data-file.ts';
import { lengthOf, shapeOf } from './length.ts';
import { lossNote } from './losses.ts';
import { optimizerOf } from './optimizers.ts';
import { CodeReader } from './reader.ts';
import { otherNotes, seedOf } from './seed.ts';
import type { Taken, TrainingSettings } from './taken.ts';

export type { OptimizerTaken, Taken, TrainingSettings } from './taken.ts';

export function trainingSettings(
  tree: Tree,
  text: string,
  language: Language,
  model: FoundModel | null,
): TrainingSettings {
  const code = new CodeReader(tree, text, language);
  const notTaken: Taken<string>[] = [];
  const note = (line: number, value: string) => void notTaken.push({ line, value });
  const optimizer = optimizerOf(code, note);
  const length = lengthOf(code);
  const shape = shapeOf(code, model);
  const settings: TrainingSettings = {
    optimizer,
    batchSize: batchSizeOf(code),
    epochs: length && 'epochs' in length ? length.epochs : null,
    steps: length && 'steps' in length ? length.steps : null,
    clipNorm: clippingOf(code, note),
    seed: seedOf(code),
    window: shape.window,
    inputs: shape.inputs,
    path: pathOf(code),
    ...columnsOf(code),
    notTaken,
  };
  lossNote(code, note);
  otherNotes(code, note);
  notTaken.sort((a, b) => a.line - b.line);
  return settings;
}
