// The settings that code trains with, read from its text: optimizer, batch size, epochs or steps, clipping, window,
// columns, and what of it Unroll does not take. No code is run.
import type { Source } from '../code/node.ts';
import { NO_PROJECT, type Project } from '../code/project.ts';
import { type Language, sourceOf, type Tree } from '../code/syntax.ts';
import type { FoundModel } from '../definition.ts';
import type { Surroundings } from '../found-layers.ts';
import { batchSizeOf } from './batches.ts';
import { clippingOf } from './clipping.ts';
import { columnsOf, pathOf } from './data-file.ts';
import { lengthOf, shapeOf } from './length.ts';
import { lossNote, lossOf } from './losses.ts';
import { otherNotes } from './not-taken.ts';
import { optimizerOf } from './optimizers.ts';
import { CodeReader } from './reader.ts';
import { seedOf } from './seed.ts';
import type { Taken, TrainingSettings } from './taken.ts';

export type { OptimizerTaken, Taken, TrainingSettings } from './taken.ts';

export function trainingSettings(
  tree: Tree,
  text: string,
  language: Language,
  model: FoundModel | null,
  { project = NO_PROJECT, file = null }: Surroundings = {},
): TrainingSettings {
  const source = sourceOf(tree, text, file);
  const own = settingsIn(source, language, project, model);
  const others = model ? project.mentioning(model.name, source) : [];
  return others.reduce((settings, other) => {
    if (other.file === null || !TRAINS.test(other.text) || !imports(other, model!.name, file, project))
      return settings;
    return filled(settings, settingsIn(other, language, project, null), other.file);
  }, own);
}

const FROM = /^[ \t]*from[ \t]+([\w.]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n#]+)/gm;
const WHOLE = /^[ \t]*import[ \t]+([\w.]+)/gm;

/** Whether a file has a name from another one; a class of its own of that name is another model. */
function imports(source: Source, name: string, file: string | null, project: Project): boolean {
  const leads = (module: string) => project.module(module, source)?.file === file;
  const called = new RegExp(`\\b${name}\\b`);
  const { text } = source;
  return (
    [...text.matchAll(FROM)].some(({ 1: module, 2: names }) => called.test(names!) && leads(module!)) ||
    [...text.matchAll(WHOLE)].some(({ 1: module }) => text.includes(`${module}.${name}(`) && leads(module!))
  );
}

/** What a file that makes the model must hold for its settings to be those of a training. */
const TRAINS = /\.backward\(|\bfit\(|\bTrainer\(|\bTrainingArguments\(/;

/** What the model's own file leaves open, as the file that trains it says; the first of several. */
function filled(own: TrainingSettings, other: TrainingSettings, file: string): TrainingSettings {
  const from = <T>(taken: Taken<T> | null): Taken<T> | null => taken && { ...taken, file };
  const counts = own.epochs ?? own.steps;
  return {
    optimizer: own.optimizer ?? from(other.optimizer),
    batchSize: own.batchSize ?? from(other.batchSize),
    epochs: own.epochs ?? (counts ? null : from(other.epochs)),
    steps: own.steps ?? (counts ? null : from(other.steps)),
    clipNorm: own.clipNorm ?? from(other.clipNorm),
    seed: own.seed ?? from(other.seed),
    window: own.window ?? from(other.window),
    inputs: own.inputs,
    path: own.path ?? from(other.path),
    features: own.features ?? from(other.features),
    target: own.target ?? from(other.target),
    loss: own.loss ?? from(other.loss),
    notTaken: [...own.notTaken, ...other.notTaken.map(each => ({ ...each, file }))],
  };
}

function settingsIn(
  source: Source,
  language: Language,
  project: Project,
  model: FoundModel | null,
): TrainingSettings {
  const code = new CodeReader(source, language, project, model?.name ?? null);
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
    loss: lossOf(code),
    notTaken,
  };
  lossNote(code, note);
  otherNotes(code, note);
  notTaken.sort((a, b) => a.line - b.line);
  return settings;
}
