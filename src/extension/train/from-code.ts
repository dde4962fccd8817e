// The experiment that a model in code trains as: the settings of its code, Unroll's own where it says nothing, and what
// a person is shown of both. Pure. Loaded late: it brings the schema.
import type { Mapped } from '../../definitions/to-experiment.ts';
import type { OptimizerTaken, Taken, TrainingSettings } from '../../definitions/training/taken.ts';
import type { ExperimentInput } from '../../experiment/schema.ts';
import { taskOf } from '../../experiment/tasks/index.ts';
import { count, plural } from '../text.ts';
import { dataOf } from './choices.ts';

/** One setting as it is shown; without a line it is Unroll's own. */
export interface Shown {
  what: string;
  value: string;
  line: number | null;
  /** where the line stands, if not in the model's own file */
  file?: string;
}

export interface FromCode {
  experiment: ExperimentInput;
  shown: Shown[];
  notTaken: Taken<string>[];
}

/** The chosen data, and what of them the settings depend on. */
export interface ChosenData {
  choice: Parameters<typeof dataOf>[0];
  target?: string | undefined;
  /** columns of numbers; empty where it is no table */
  columns: readonly string[];
  /** rows of a table, characters of a text; null where it draws its data */
  extent: number | null;
  /** of a file whose rows are counted by its lines; null for others, and where nothing is read */
  rows?: number | null;
}

const BATCH_SIZE = 32;
/** the share of rows that are learned from, by default of the tasks that read a sequence a row */
const ROWS_LEARNED = 0.8;

export function experimentFromCode(
  name: string,
  { convention, layers }: Pick<Mapped, 'convention' | 'layers'>,
  chosen: ChosenData,
  settings: TrainingSettings | null,
): FromCode {
  const data = dataOf(chosen.choice, chosen.target) as Record<string, unknown> & ExperimentInput['data'];
  const { starter, stream } = taskOf(chosen.choice);
  const shown: Shown[] = [];
  const notTaken = [...(settings?.notTaken ?? [])];
  const show = <T>(
    what: string,
    taken: Taken<T> | null | undefined,
    own: T,
    words: (value: T) => string,
  ): T => {
    const value = taken ? taken.value : own;
    shown.push({ what, value: words(value), ...(taken ? placeOf(taken) : { line: null }) });
    return value;
  };
  const optimizer = show<OptimizerTaken>(
    'Optimizer',
    settings?.optimizer,
    { type: 'adam', learningRate: starter.training.learningRate },
    optimizerWords,
  );
  const batchSize = show('Batch', settings?.batchSize, BATCH_SIZE, value => plural(value, 'sequence'));
  const clipNorm = show('Clipping', settings?.clipNorm, 1, value =>
    value === null ? 'none' : `gradients at norm ${value}`,
  );
  const seqLen = stream
    ? show('Window', settings?.window, starter.training.seqLen ?? 64, value => plural(value, 'step'))
    : undefined;
  if (!stream && 'window' in data)
    data.window = show('Window', settings?.window, (data.window as number | undefined) ?? 24, value =>
      plural(value, 'step'),
    );
  if (chosen.columns.length > 0) columns(data, chosen, settings, shown, notTaken);
  const pass = updatesOfPass(chosen, batchSize, seqLen ?? null, data);
  const steps = stepsOf(settings, chosen.choice, pass, starter.training.steps, shown, notTaken);
  const seed = settings?.seed ? show('Seed', settings.seed, 1, String) : undefined;
  return {
    experiment: {
      name,
      data,
      model: { convention, layers },
      training: {
        optimizer,
        batchSize,
        ...(seqLen ? { seqLen } : {}),
        steps,
        ...(clipNorm === 1 ? {} : { clipNorm }),
        ...(seed === undefined ? {} : { seed }),
      },
    },
    shown,
    notTaken: notTaken.sort((a, b) => a.line - b.line),
  };
}

const OPTIMIZERS: Readonly<Record<OptimizerTaken['type'], string>> = {
  adam: 'Adam',
  adamw: 'AdamW',
  sgd: 'SGD',
  rmsprop: 'RMSProp',
};

function optimizerWords({ type, learningRate, ...more }: OptimizerTaken): string {
  const others = Object.entries(more).map(([name, value]) => `${name} ${value}`);
  return [OPTIMIZERS[type], `learning rate ${learningRate}`, ...others].join(', ');
}

/** The columns that the code names; all of the file where their number is that of the model's inputs. */
function columns(
  data: Record<string, unknown>,
  { columns: all, target }: ChosenData,
  settings: TrainingSettings | null,
  shown: Shown[],
  notTaken: Taken<string>[],
): void {
  const inputs = settings?.inputs ?? null;
  const named = settings?.features;
  const known = named?.value.filter(column => all.includes(column)) ?? [];
  if (named && known.length < named.value.length)
    notTaken.push({
      ...placeOf(named),
      value: `The file has no column of numbers named ${named.value.filter(each => !all.includes(each)).join(', ')}.`,
    });
  const fits = (list: readonly string[]) =>
    list.length > 0 && (inputs === null || list.length === inputs.value);
  const chosen = fits(known) ? known : inputs && inputs.value > 1 && fits(all) ? [...all] : null;
  if (chosen && !(chosen.length === 1 && chosen[0] === target)) {
    data['features'] = chosen;
    const place = placeOf(fits(known) ? named! : inputs!);
    shown.push({ what: 'Columns', value: `${chosen.join(', ')} → ${target}`, ...place });
  } else if (inputs && inputs.value > 1)
    notTaken.push({
      ...placeOf(inputs),
      value: `The model reads ${inputs.value} numbers a step; it is trained on one, the column ${target}.`,
    });
}

/** Updates of one pass over the training part; null where that is not known before the data is read. */
function updatesOfPass(
  { extent, choice, rows }: ChosenData,
  batchSize: number,
  seqLen: number | null,
  data: Record<string, unknown>,
): number | null {
  if (extent === null) return null;
  if (seqLen !== null) return Math.max(1, Math.floor((extent * 0.9) / (batchSize * seqLen)));
  if (typeof data['window'] !== 'number')
    return rows ? Math.max(1, Math.floor((rows * ROWS_LEARNED) / batchSize)) : null;
  if (taskOf(choice).reads !== 'table') return null;
  const windows = Math.floor(extent * 0.7) - data['window'];
  return Math.max(1, Math.floor(windows / Math.min(batchSize, windows)));
}

function stepsOf(
  settings: TrainingSettings | null,
  choice: ChosenData['choice'],
  pass: number | null,
  own: number,
  shown: Shown[],
  notTaken: Taken<string>[],
): number {
  const { steps, epochs } = settings ?? { steps: null, epochs: null };
  if (steps) {
    shown.push({ what: 'Length', value: plural(steps.value, 'update'), ...placeOf(steps) });
    return steps.value;
  }
  if (epochs && pass !== null) {
    const value = epochs.value * pass;
    const words = `${plural(epochs.value, 'epoch')} of ${plural(pass, 'update')}: ${count(value)}`;
    shown.push({ what: 'Length', value: words, ...placeOf(epochs) });
    return value;
  }
  if (epochs)
    notTaken.push({
      ...placeOf(epochs),
      value: `${plural(epochs.value, 'epoch')}: ${taskOf(choice).reads === 'nothing' ? 'data that are drawn anew have no end' : 'how many updates one takes is not known yet'}, so ${count(own)} updates are made.`,
    });
  shown.push({ what: 'Length', value: plural(own, 'update'), line: null });
  return own;
}

function placeOf({ line, file }: Taken<unknown>): { line: number; file?: string } {
  return file === undefined ? { line } : { line, file };
}

const GENERIC =
  /^(?:my_?)?(?:model|net|network|rnn|lstm|gru|seq|m|module|(?:build|create|make|get|define)(?:_?(?:model|net|network|rnn|lstm|gru))?)$/i;

/** What a run of a model in code is called: its class or function, or its file where that says nothing. */
export function runName(model: string, path: string): string {
  if (!GENERIC.test(model)) return model;
  return (
    path
      .split('/')
      .at(-1)!
      .replace(/\.\w+$/, '') || model
  );
}
