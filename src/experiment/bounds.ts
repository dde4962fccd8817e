// Sizes that no machine's memory bounds by itself: how deep a model may be, how long a sequence, how far back a
// convolution may look. Checked before anything is built, because building would take minutes.
import { trainingSeqLen } from './models.ts';
import type { Path } from './place.ts';
import { error, type Remark } from './remark.ts';
import type { Experiment } from './schema.ts';
import { taskOf } from './tasks/index.ts';
import { count } from './words.ts';

/** Each layer is a few kernels and tensors a step; a run folder lists at most as many. */
export const MOST_LAYERS = 1000;
/** Steps of a sequence. One training step reads a whole sequence and cannot be interrupted. */
export const MOST_STEPS = 1_000_000;
/** Numbers in one tensor: kernels count them with 32 bits. */
export const MOST_NUMBERS = 2 ** 31 - 1;

export function checkBounds(experiment: Experiment): Remark[] {
  return [...checkDepth(experiment), ...checkLength(experiment), ...checkReach(experiment)];
}

/** Every chain of layers with its place. */
function chains({ model }: Experiment): { path: Path; layers: readonly object[] }[] {
  return Object.entries(model).flatMap(([key, layers]) =>
    Array.isArray(layers) ? [{ path: ['model', key], layers: layers as object[] }] : [],
  );
}

function numberIn(layer: object, field: string): number {
  const value = (layer as Record<string, unknown>)[field];
  return typeof value === 'number' ? value : 1;
}

function checkDepth(experiment: Experiment): Remark[] {
  const stacked = chains(experiment).flatMap(({ path, layers }) =>
    layers.map((layer, index) => ({ path: [...path, index], depth: numberIn(layer, 'layers') })),
  );
  const depth = stacked.reduce((sum, layer) => sum + layer.depth, 0);
  if (depth <= MOST_LAYERS) return [];
  const deepest = stacked.reduce((a, b) => (b.depth > a.depth ? b : a));
  return [
    error(
      deepest.depth > 1 ? [...deepest.path, 'layers'] : ['model', 'layers'],
      `This model has ${count(depth)} layers, stacked ones counted; at most ${count(MOST_LAYERS)} are allowed.`,
    ),
  ];
}

function checkLength(experiment: Experiment): Remark[] {
  const { data, training } = experiment;
  const steps = trainingSeqLen(experiment);
  const field = taskOf(data).stepsField;
  const path: Path = field in data ? ['data', field] : ['training', field];
  if (steps > MOST_STEPS)
    return [
      error(
        path,
        `A training sequence has ${count(steps)} steps (\`${field}\`); at most ${count(MOST_STEPS)} are allowed.`,
      ),
    ];
  if (steps * training.batchSize > MOST_NUMBERS)
    return [
      error(
        ['training', 'batchSize'],
        `A batch of ${count(training.batchSize)} sequences of ${count(steps)} steps has ${count(steps * training.batchSize)} steps; at most ${count(MOST_NUMBERS)} are allowed.`,
      ),
    ];
  return [];
}

/** Dilations double from block to block: 32 blocks would look 2³¹ steps back. */
function checkReach(experiment: Experiment): Remark[] {
  return chains(experiment).flatMap(({ path, layers }) =>
    layers.flatMap((layer, index): Remark[] => {
      if (!('kernelSize' in layer)) return [];
      const kernelSize = numberIn(layer, 'kernelSize');
      const blocks = numberIn(layer, 'layers');
      const furthest = (kernelSize - 1) * 2 ** (blocks - 1);
      if (furthest <= MOST_STEPS) return [];
      const field = kernelSize - 1 > MOST_STEPS ? 'kernelSize' : 'layers';
      const most = Math.floor(Math.log2(MOST_STEPS / Math.max(1, kernelSize - 1))) + 1;
      const advice =
        field === 'layers'
          ? `at most ${count(Math.max(1, most))} blocks of this kernel size are allowed`
          : `at most ${count(MOST_STEPS + 1)} steps are allowed`;
      return [
        error(
          [...path, index, field],
          `The last convolution of this layer would look ${count(furthest)} steps back; ${advice}.`,
        ),
      ];
    }),
  );
}
