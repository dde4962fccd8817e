// An experiment's layers in their places: widths, steps, and what each chain reads.

import { kindOf, type Layer } from './layers/index.ts';
import type { At, LayerKind, Traits } from './layers/kind.ts';
import type { Path } from './place.ts';
import type { Experiment } from './schema.ts';
import { type InputSize, type ModelSizes, widthOf } from './sizes.ts';
import { taskOf } from './tasks/index.ts';

export interface PlacedLayer {
  /** "layers.1", "encoder.0": of its variables, probes and messages */
  name: string;
  path: Path;
  layer: Layer;
  kind: LayerKind;
  at: At;
}

/** Of data that have not been read: widths that depend on it are NaN. */
export const UNREAD: ModelSizes = {
  input: { kind: 'tokens', vocabulary: Number.NaN },
  outputs: Number.NaN,
  source: { kind: 'tokens', vocabulary: Number.NaN },
};

/** The encoder's layers, where there are any, and then those that give the outputs. */
export function placeLayers(experiment: Experiment, sizes: ModelSizes): PlacedLayer[] {
  const { encoder, layers, convention } = experiment.model;
  const longest = stepsOf(experiment, sizes);
  const place = (chain: 'encoder' | 'layers', input: InputSize, memory: number | null) => {
    let width = widthOf(input);
    let next = longest;
    const all = chain === 'encoder' ? encoder! : layers;
    return all.map((layer, index): PlacedLayer => {
      const kind = kindOf(layer);
      const inputs = width;
      const steps = next;
      next = kind.steps?.(layer, steps) ?? steps;
      const isLast = chain === 'layers' && index === all.length - 1;
      width = kind.width(layer, { inputs, isLast, asked: sizes.outputs, memory });
      return {
        name: `${chain}.${index}`,
        path: ['model', chain, index],
        layer,
        kind,
        at: { index, isLast, inputs, outputs: width, steps, memory, convention },
      };
    });
  };
  const read = encoder ? place('encoder', sizes.source ?? sizes.input, null) : [];
  const written = place('layers', sizes.input, read.at(-1)?.at.outputs ?? null);
  return encoder ? [...read, ...withBeginnings(written, read)] : written;
}

/** Levels of the decoder begin in the last states of the encoder's, one after the other. */
function withBeginnings(written: readonly PlacedLayer[], read: readonly PlacedLayer[]): PlacedLayer[] {
  const ends = read.flatMap(each => Array.from({ length: levelsOf(each) }, () => each));
  let next = 0;
  return written.map(each => {
    const { initialState = 'encoder' } = each.layer as { initialState?: string };
    const levels = initialState === 'encoder' ? levelsOf(each) : 0;
    const own = Array.from({ length: levels }, () => ends[next++] ?? null);
    if (levels === 0) return each;
    const begins = own.map(end => end && lastStateOf(end));
    const cellStates = own.map(end => end && end.kind.hasCellState === true);
    return { ...each, at: { ...each.at, begins, cellStates } };
  });
}

/** Width of the state that a level hands on, or begins in. */
export function lastStateOf({ kind, layer, at }: PlacedLayer): number {
  return kind.lastState?.(layer) ?? at.outputs;
}

/** Levels with a state that is handed from encoder to decoder. */
function levelsOf({ kind, layer }: PlacedLayer): number {
  return 'initialState' in kind.schema.shape ? ((layer as { layers?: number }).layers ?? 1) : 0;
}

/** The first layer that reads across steps, and so is what the model is called by; null where there is none. */
export function firstCell(experiment: Experiment, sizes: ModelSizes = knownSizes(experiment) ?? UNREAD) {
  return placeLayers(experiment, sizes).find(({ kind }) => kind.family !== 'plain') ?? null;
}

/**
 * What a model is called by the layers that read across steps, each kind once: "GRU", "Conv1D → GRU". null where it
 * has none.
 */
export function cellsTitle({ model }: Experiment): string | null {
  const kinds = model.layers.map(layer => kindOf(layer)).filter(({ family }) => family !== 'plain');
  const titles = [...new Set(kinds.map(({ title }) => title))];
  if (titles.length > 3) titles.splice(1, titles.length - 2, '…');
  return titles.length > 0 ? titles.join(' → ') : null;
}

export function traitsOf(layer: Layer): Traits {
  return kindOf(layer).traits(layer);
}

/** Whether its input is added to its output. */
export function addsInput(layer: Layer): boolean {
  return 'residual' in layer && layer.residual === true && !kindOf(layer).innerResidual;
}

/** Whether a step of its output depends on other steps than its own. */
export function seesOtherSteps(layer: Layer): boolean {
  return traitsOf(layer).sees !== 'step';
}

/** Steps of the longest training sequence. */
export function stepsOf(experiment: Experiment, sizes: ModelSizes): number {
  return sizes.steps ?? trainingSeqLen(experiment);
}

/** Steps after which `model.layers` have no learned position left; null: they go on without end. */
export function lastPosition(experiment: Experiment, sizes: ModelSizes): number | null {
  const isBound = experiment.model.layers.some(layer => kindOf(layer).learnsPositions?.(layer));
  return isBound ? stepsOf(experiment, sizes) : null;
}

/** Steps of a training sequence, as far as the experiment alone tells: NaN where the data must be read. */
export function trainingSeqLen({ data, training }: Experiment): number {
  return taskOf(data).steps(data, training);
}

/** The sizes that the experiment alone tells; null where the data must be read first. */
export function knownSizes({ data }: Experiment): ModelSizes | null {
  return taskOf(data).sizes(data);
}
