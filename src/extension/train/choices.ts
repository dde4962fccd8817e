// What the steps of "Train RNN" offer, and the experiment that comes of them. Pure. Loaded late: it brings the schema.

import type { LossTaken } from '../../definitions/training/taken.ts';
import {
  CELL_TYPES,
  CLASSIC_CELLS,
  kindOf,
  type Layer,
  type LayerType,
} from '../../experiment/layers/index.ts';
import { FIRST_CELL, starterLayers, withEncoder } from '../../experiment/layers/starter.ts';
import { parseExperiment } from '../../experiment/parse.ts';
import type { ExperimentInput } from '../../experiment/schema.ts';
import { widthOf } from '../../experiment/sizes.ts';
import { TASK_NAMES, type TaskName, taskOf } from '../../experiment/tasks/index.ts';
import type { FileFacts } from '../../experiment/tasks/kind.ts';
import { type FoundFile, faultOfFile, readsOf, tableFacts, tooFewRows } from '../data-files.ts';
import type { Suggested } from '../experiments/told.ts';
import { count, formatBytes, plural } from '../text.ts';
import type { Offer } from './steps.ts';

/** A task, and the file it reads where it reads one. */
export interface DataChoice {
  task: TaskName;
  /** relative to the folder that gets the run, with forward slashes, or absolute */
  path?: string;
  /** of `data`, as the file tells them: nothing more is to be asked of it */
  fields?: object;
  /** of our own samples */
  sample?: boolean;
  /** `fields` are all there is beside task and path */
  isWhole?: boolean;
  /** steps are numbers: nothing is embedded */
  vectors?: boolean;
}

export type CellChoice = LayerType | 'compare';

export interface Choices {
  data: DataChoice;
  /** the column to predict; tables only */
  target?: string;
  cell: CellChoice;
  units: number;
}

/** As it was remembered: before tasks were kinds, a choice named the sort of file. */
export function rememberedData(stored: unknown): DataChoice | null {
  if (typeof stored !== 'object' || stored === null) return null;
  const { task, kind, path, fields, sample, isWhole, vectors } = stored as Record<string, unknown>;
  const name = TASK_NAMES.find(each => (task ? each === task : taskOf({ task: each }).reads === kind));
  if (!name || (readsFile(name) && typeof path !== 'string')) return null;
  return {
    task: name,
    ...(typeof path === 'string' ? { path } : {}),
    ...(typeof fields === 'object' && fields ? { fields } : {}),
    ...(sample === true ? { sample } : {}),
    ...(isWhole === true ? { isWhole } : {}),
    ...(vectors === true ? { vectors } : {}),
  };
}

export function readsFile(task: TaskName): boolean {
  return taskOf({ task }).reads !== 'nothing';
}

/** Why a model cannot learn this task, in a sentence; null where it can. */
export type Fit = (data: ExperimentInput['data']) => string | null;

/** What the code of a model says that it reads. */
export type Reads = NonNullable<FileFacts['learner']>;

/**
 * What can be learned from first: files, then tasks that draw their data; then what cannot, each with its reason.
 * `fits`: of the model that is to learn; any fits one that is yet to be chosen.
 * `loss`: what the loss of its code compares; of each file the tasks that compare the same come first.
 */
export function dataOffers(
  files: readonly FoundFile[],
  fits: Fit = () => null,
  loss: LossTaken | null = null,
  learner?: Reads,
): Offer<DataChoice>[] {
  const isOther = ({ value }: Offer<DataChoice>) => Number(lossOf(value) !== loss);
  const found = files
    .filter(({ path }) => !/(^|\/)\./.test(path))
    .flatMap(file => {
      const offers = fileOffers(file, fits, learner);
      return loss ? offers.sort((a, b) => isOther(a) - isOther(b)) : offers;
    });
  const drawn = TASK_NAMES.filter(name => !readsFile(name)).map(task => drawnOffer(task, fits));
  const all = [...found, ...drawn];
  return [...all.filter(({ reason }) => !reason), ...all.filter(({ reason }) => reason)];
}

function lossOf(value: DataChoice): LossTaken {
  const data = dataOf(value, 'value');
  const kind = taskOf(data);
  return (kind.lossOf?.(data as never) ?? kind.loss).of;
}

function fileOffers(file: FoundFile, fits: Fit, learner?: Reads): Offer<DataChoice>[] {
  const { path, bytes, sample } = file;
  const reads = readsOf(path);
  if (reads === 'arrays') return toldOffers(file, fits);
  const found = TASK_NAMES.flatMap(task => {
    const fields = taskOf({ task }).starter.found?.(file.head);
    return fields ? [{ task, fields }] : [];
  });
  const general = TASK_NAMES.filter(name => taskOf({ task: name }).reads === reads && isAsked(name, reads));
  const suited =
    reads === 'table' && found.length === 0 && !tooFewRows(file)
      ? suitedOffers(file, general, fits, learner)
      : [];
  const fault = found.length + suited.length > 0 ? null : faultOfFile(file);
  // what the file is made for comes first, and alone where it holds nothing for the others
  const tasks: { task: TaskName; fields?: object }[] = [
    ...found,
    ...(faultOfFile(file) ? [] : general.map(task => ({ task }))),
  ];
  const shown = {
    label: `$(${reads === 'table' ? 'table' : 'file-text'}) ${path.split('/').at(-1)}`,
    ...(path.includes('/') ? { detail: path } : {}),
  };
  const sizeOf = formatBytes(bytes);
  if (fault || tasks.length + suited.length === 0)
    return [
      {
        ...shown,
        description: sizeOf,
        reason: fault ?? 'Unroll reads text, CSV and TSV',
        value: { task: general[0] ?? TASK_NAMES[0]!, path },
      },
    ];
  const offers = tasks.map(({ task, fields }) => {
    const { starter } = taskOf({ task });
    const data = { ...starter.data({ path, column: 'value' }), ...fields };
    const reason = fits(data as ExperimentInput['data']);
    return {
      ...shown,
      description: [sizeOf, starter.description].join(' · '),
      ...(reason ? { reason } : {}),
      value: { task, path, ...(fields && { fields }), ...(sample ? { sample } : {}) },
    };
  });
  return [
    ...offers,
    ...suited.map(offer => ({ ...shown, ...offer, description: `${sizeOf} · ${offer.description}` })),
  ];
}

/** Whether the task can begin with any file of its sort: of a table, by the one column that is asked for. */
function isAsked(task: TaskName, reads: 'text' | 'table' | null): boolean {
  const { starter, schema } = taskOf({ task });
  if (starter.found) return false;
  if (reads !== 'table') return true;
  const data = starter.data({ path: 'a', column: '\u0001' });
  return JSON.stringify(data).includes('\\u0001') && schema.safeParse(data).success;
}

/** What a file fits as a whole: nothing more is asked. `inputs`: the numbers a step that the model reads, if known. */
function wholeOffer(
  { path, sample }: Pick<FoundFile, 'path' | 'sample'>,
  { task, fields, why, vectors, features }: Suggested & { features?: number | undefined },
  fits: Fit,
  inputs: number | null = null,
): Pick<Offer<DataChoice>, 'description' | 'reason' | 'value'> {
  const value: DataChoice = {
    task,
    path,
    fields,
    isWhole: true,
    ...(vectors ? { vectors } : {}),
    ...(sample ? { sample } : {}),
  };
  const reason =
    fits(dataOf(value)) ??
    (features !== undefined && inputs !== null && features !== inputs
      ? `it gives ${plural(features, 'number')} a step, and the model reads ${inputs}`
      : null);
  return {
    description: `${taskOf({ task }).starter.description} · ${why}`,
    value,
    ...(reason ? { reason } : {}),
  };
}

/** Tasks whose columns the first rows of a table tell: nothing more is asked. `others` are offered by a column. */
function suitedOffers(
  file: FoundFile,
  others: readonly TaskName[],
  fits: Fit,
  learner: Reads | undefined,
): Pick<Offer<DataChoice>, 'description' | 'reason' | 'value'>[] {
  const facts = { ...tableFacts(file.path, file.head), learner };
  return TASK_NAMES.flatMap(task => {
    const suits = others.includes(task) ? null : taskOf({ task }).suits?.(facts);
    if (!suits) return [];
    const { task: _, path: __, ...fields } = suits.data as Record<string, unknown>;
    const { why, vectors = false, features } = suits;
    return [wholeOffer(file, { task, fields, why, vectors, features }, fits, learner?.inputs ?? null)];
  });
}

/** The tasks that suit what the file holds, their fields filled in. */
function toldOffers({ path, bytes, told }: FoundFile, fits: Fit): Offer<DataChoice>[] {
  const shown = {
    label: `$(table) ${path.split('/').at(-1)}`,
    ...(path.includes('/') ? { detail: path } : {}),
  };
  const sizeOf = formatBytes(bytes);
  if (!told || told.fault || told.suggested.length === 0) {
    const reason = !told
      ? 'it could not be read in time'
      : (told.fault?.replace(/\.$/, '') ?? 'no task fits its columns');
    return [{ ...shown, description: sizeOf, reason, value: { task: TASK_NAMES[0]!, path } }];
  }
  return told.suggested.map(suggested => {
    const offer = wholeOffer({ path }, suggested, fits);
    return { ...shown, ...offer, description: `${sizeOf} · ${offer.description}` };
  });
}

function drawnOffer(task: TaskName, fits: Fit): Offer<DataChoice> {
  const { title, starter } = taskOf({ task });
  const reason = fits(starter.data({ path: '', column: '' }) as ExperimentInput['data']);
  return {
    label: `$(beaker) ${title}`,
    description: starter.description,
    ...(reason ? { reason } : {}),
    value: { task },
  };
}

/**
 * By the checks of the experiment itself; `model`: its layers as they would be trained. `inputs`: the numbers that its
 * code reads at each step, where it says so; columns of a table can be chosen to be as many.
 */
export function fitOf(model: ExperimentInput['model'], inputs: number | null = null): Fit {
  return data => {
    const { problems } = parseExperiment(JSON.stringify({ data, model }));
    const fault = problems.find(({ severity }) => severity === 'error');
    if (fault) return fault.message;
    const { reads, sizes } = taskOf(data);
    const input = reads === 'nothing' ? sizes(data as never)?.input : null;
    if (inputs === null || !input || widthOf(input) === inputs) return null;
    return `it gives ${plural(widthOf(input), 'number')} a step, and the model reads ${inputs}`;
  };
}

/** Layers whose size is a number of units; LSTM is what most begin with. The classic ones first, then all of them at once. */
export const CELL_OFFERS: readonly Offer<CellChoice>[] = [
  ...cellOffers(CLASSIC_CELLS),
  {
    label: `$(git-compare) ${CLASSIC_CELLS.map(type => kindOf({ type }).title).join(', ')}`,
    description: 'Each on its own, compared side by side',
    value: 'compare',
  },
  ...cellOffers(CELL_TYPES.filter(type => !CLASSIC_CELLS.includes(type))),
];

function cellOffers(types: readonly LayerType[]): Offer<CellChoice>[] {
  return types
    .filter(type => kindOf({ type }).widthField === 'units')
    .map(type => {
      const { title, schema } = kindOf({ type });
      const words = schema.description?.replace(/\.$/, '');
      // "minGRU: a GRU whose …" stands beside its name
      const own = words?.startsWith(`${title}: `) ? words.slice(title.length + 2) : words;
      return { label: title, description: own, value: type };
    });
}

const SIZES = [32, 64, 128, 256];
const MOST_UNITS = 8192;

/** Sizes with what they cost; a number that was typed comes first, and what is none gets a sentence. */
export function sizeOffers(cell: CellChoice, data: DataChoice, typed = ''): Offer<number>[] {
  const text = typed.trim();
  const own = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  const isValid = own >= 1 && own <= MOST_UNITS;
  const sizes = isValid ? [own, ...SIZES.filter(size => size !== own)] : SIZES;
  const type = cell === 'compare' ? FIRST_CELL : cell;
  const offers = sizes.map((units): Offer<number> => {
    const { title, parameters } = firstCellOf(data, type, units);
    return {
      label: plural(units, 'unit'),
      description: `${count(parameters.count)} parameters in the ${title} (PyTorch count)`,
      value: units,
      isAlwaysShown: true,
    };
  });
  if (text === '' || isValid) return offers;
  const reason = `"${text}" is no size: type a whole number from 1 to ${count(MOST_UNITS)}`;
  return [{ label: '$(warning) Not a size', reason, value: Number.NaN, isAlwaysShown: true }, ...offers];
}

/** A cell as the first that reads these data. */
function firstCellOf({ task, vectors }: DataChoice, type: LayerType, units: number) {
  const { starter, sizes } = taskOf({ task });
  const input = sizes(starter.data({ path: '', column: '' }) as never)?.input;
  const inputs = (!vectors && starter.embedding) || (input ? widthOf(input) : 1);
  const kind = kindOf({ type });
  const layer = kind.schema.parse({ type, units }) as Layer;
  const outputs = kind.width(layer, { inputs, isLast: false, asked: 1 });
  const at = {
    index: 0,
    isLast: false,
    inputs,
    outputs,
    steps: 1,
    memory: null,
    convention: 'pytorch',
  } as const;
  return { title: kind.title, parameters: kind.parameters(layer, at) };
}

/** What the steps stand for, as a person would write it. */
export function experimentOf({ data, target, cell, units }: Choices): ExperimentInput {
  const { starter, needs } = taskOf(data);
  const { learningRate, steps, seqLen } = starter.training;
  const layers = starterLayers(
    data.vectors ? 0 : starter.embedding,
    cell === 'compare' ? FIRST_CELL : cell,
    units,
  );
  return {
    name: data.path ? nameOf(data.path) : data.task.replaceAll('-', ' '),
    data: dataOf(data, target),
    model: needs === 'encoder' ? withEncoder(layers) : { layers },
    training: {
      optimizer: { type: 'adam', learningRate },
      batchSize: 32,
      ...(seqLen ? { seqLen } : {}),
      steps,
    },
    ...(cell === 'compare' ? { compare: { cell: [...CLASSIC_CELLS] } } : {}),
  };
}

export function dataOf(
  { task, path = '', fields, isWhole }: DataChoice,
  target = '',
): ExperimentInput['data'] {
  if (isWhole) return { task, path, ...fields } as ExperimentInput['data'];
  return { ...taskOf({ task }).starter.data({ path, column: target }), ...fields } as ExperimentInput['data'];
}

function nameOf(path: string): string {
  return (
    path
      .split('/')
      .at(-1)!
      .replace(/\.[^.]+$/, '') || 'experiment'
  );
}
