// What a training step will take, before it runs: memory, and multiply-adds that know the sequence length.
import { totalmem } from 'node:os';
import process from 'node:process';
import { knownSizes, type PlacedLayer, placeLayers, seesOtherSteps, stepsOf, UNREAD } from './models.ts';
import { countModel } from './parameters.ts';
import type { Experiment, Optimizer } from './schema.ts';
import type { ModelSizes } from './sizes.ts';
import { lossOf } from './tasks/index.ts';

const FLOAT = 4;
/** Node, the engine and its code: 80 MB with the native engine, 90 MB with WASM. */
const PROCESS = 90e6;

/**
 * What a level of a layer makes in JavaScript, whatever its width: variables, graph nodes, probes. Measured on stacks of
 * 20 to 400 layers of 4 units: recurrent 126 to 300 kB a level and direction, others but plain ones 180 to 430 kB.
 */
const OBJECTS = { plain: 16e3, recurrent: 200e3, others: 400e3 };

export interface MemoryPrediction {
  bytes: number;
  parts: { name: string; bytes: number }[];
}

/** What training may take: the machine's memory, or the container's where there is a limit. */
export function machineMemory(): number {
  const limit = process.constrainedMemory?.() ?? 0;
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/** Whether the model answers at every step of the sequence or at its end. */
export function lossAtEveryStep({ data }: Experiment): boolean {
  return lossOf(data).at !== 'sequence';
}

/** Whether the last layer is computed together with the loss, so that a step keeps no outputs. */
function lossTakesHead({ data }: Experiment, { layer, kind }: PlacedLayer): boolean {
  return lossOf(data).of === 'classes' && kind.readout?.(layer) === 'linear';
}

/** `maxTokens`: steps of a pass that a batch of longer sequences is cut at, unless one sequence alone has more. */
export function predictMemory(
  experiment: Experiment,
  sizes: ModelSizes,
  maxTokens = experiment.training.maxTokens ?? Number.POSITIVE_INFINITY,
): MemoryPrediction {
  const { total } = countModel(experiment, sizes);
  const { batchSize, bptt } = experiment.training;
  const seqLen = stepsOf(experiment, sizes);
  // what is kept for the way back is one window's
  const keptSteps = Math.min(seqLen, bptt.window ?? seqLen);
  const rows = Math.min(batchSize * keptSteps, Math.max(maxTokens, keptSteps));
  const layers = placeLayers(experiment, sizes);
  const held = layers.reduce((sum, { kind, layer, at }) => sum + (kind.statistics?.(layer, at) ?? 0), total);
  const fused = lossTakesHead(experiment, layers.at(-1)!);
  const outputRows = lossAtEveryStep(experiment) ? rows : batchSize;
  const moments = momentsOf(experiment.training.optimizer);
  const parts = [
    { name: 'program', bytes: PROCESS },
    { name: 'objects', bytes: layers.reduce((sum, placed) => sum + objectsOf(placed), 0) },
    { name: 'weights', bytes: held * FLOAT },
    { name: 'gradients', bytes: held * FLOAT },
    { name: 'optimizer', bytes: total * FLOAT * moments },
    { name: 'checkpoint', bytes: (held + total * moments) * FLOAT },
    { name: 'activations', bytes: keptPerRow(experiment, layers) * rows * FLOAT },
    { name: 'data', bytes: batchSize * (seqLen - keptSteps) * numbersPerStep(sizes) * FLOAT },
    // where the loss takes the head, those of validation alone
    { name: 'outputs', bytes: outputRows * sizes.outputs * FLOAT * (fused ? 1 : 3) },
  ];
  return { bytes: parts.reduce((sum, part) => sum + part.bytes, 0), parts };
}

function objectsOf({ layer, kind: { family } }: PlacedLayer): number {
  if (family === 'plain') return OBJECTS.plain;
  const { layers = 1, bidirectional = false } = layer as { layers?: unknown; bidirectional?: unknown };
  const levels = typeof layers === 'number' ? layers : 1;
  const parts = levels * (bidirectional === true ? 2 : 1);
  return parts * (family === 'recurrent' ? OBJECTS.recurrent : OBJECTS.others);
}

/** Numbers of each (sequence, step) that the layers keep for the backward pass. */
function keptPerRow(experiment: Experiment, layers: readonly PlacedLayer[]): number {
  const [first] = layers;
  return layers.reduce(
    (sum, placed) => sum + (keptBy(experiment, placed) * placed.at.steps) / (first?.at.steps ?? 1),
    0,
  );
}

/** A head that the loss takes along keeps the gradient of its input alone. */
function keptBy(experiment: Experiment, placed: PlacedLayer): number {
  const { layer, kind, at } = placed;
  return at.isLast && lossTakesHead(experiment, placed) ? at.inputs : kind.kept(layer, at);
}

/** What a batch holds of each (sequence, step): what is read and what should be said. */
function numbersPerStep({ input }: ModelSizes): number {
  return input.kind === 'tokens' ? 2 : input.features + 1;
}

/** Arrays as long as the weights that the optimizer keeps. */
function momentsOf(optimizer: Optimizer): number {
  switch (optimizer.type) {
    case 'adam':
    case 'adamw':
      return optimizer.amsgrad ? 3 : 2;
    case 'nadam':
    case 'muon': // a matrix has one, all else two
      return 2;
    case 'adagrad':
    case 'lion':
      return 1;
    case 'sgd':
      return optimizer.momentum > 0 ? 1 : 0;
    case 'rmsprop':
      return optimizer.momentum > 0 ? 2 : 1;
  }
}

export interface MultiplyAdds {
  /** one sequence, forward, biases and element-wise work left out */
  forward: number;
  /** one training step: the batch, forward and twice as much backward */
  step: number;
}

export function multiplyAdds(experiment: Experiment, sizes: ModelSizes): MultiplyAdds {
  const layers = placeLayers(experiment, sizes);
  const forward = layers.reduce((sum, placed) => sum + forwardOf(experiment, layers, placed), 0);
  return { forward, step: 3 * experiment.training.batchSize * forward };
}

/** Where the answer stands at the end, what follows the last layer across steps works on one step. */
function forwardOf(experiment: Experiment, layers: readonly PlacedLayer[], placed: PlacedLayer): number {
  const lastAcross = layers.findLastIndex(({ layer }) => seesOtherSteps(layer));
  const once = !lossAtEveryStep(experiment) && layers.indexOf(placed) > lastAcross;
  const { layer, kind, at } = placed;
  return kind.multiplyAdds(layer, once ? { ...at, steps: 1 } : at);
}

/** Units up to which a step is too small to be shared among threads. */
const ONE_CORE_UNITS = 64;

/** Whether no layer that reads across steps is wider than one core takes as fast as several. */
export function fitsOneCore(experiment: Experiment): boolean {
  const layers = placeLayers(experiment, knownSizes(experiment) ?? UNREAD);
  return layers.every(({ kind, at }) => kind.family === 'plain' || at.outputs <= ONE_CORE_UNITS);
}

/** What one layer costs in its place: `forward` multiply-adds of a batch, and bytes kept for the backward pass. */
export function layerCosts(experiment: Experiment, sizes: ModelSizes, name: string) {
  const layers = placeLayers(experiment, sizes);
  const placed = layers.find(each => each.name === name)!;
  const { batchSize, bptt } = experiment.training;
  const keptSteps = Math.min(placed.at.steps, bptt.window ?? placed.at.steps);
  return {
    forward: batchSize * forwardOf(experiment, layers, placed),
    kept: keptBy(experiment, placed) * batchSize * keptSteps * FLOAT,
  };
}

export { trainingSeqLen } from './models.ts';
export { formatBytes } from './words.ts';
