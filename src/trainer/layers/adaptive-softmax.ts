// Adaptive softmax (Grave et al., 2017, https://arxiv.org/abs/1609.04309), as torch.nn.AdaptiveLogSoftmaxWithLoss: head
// (C0 + clusters, I) over the frequent symbols and the clusters; cluster i has tail.i.0 (I/d^i, I) and tail.i.1 (size, I/d^i).
// For a loss each cluster is computed on the rows alone whose target is in it; the outputs, log p (T, B, V), are whole.
import {
  add,
  concat,
  exp,
  log,
  max,
  mul,
  reshape,
  type Scalar,
  slice,
  sub,
  sum,
  type Tensor,
  type Tensor3D,
  type Variable,
  zeros as zeroTensor,
} from '@tensorflow/tfjs-core';
import { clustersOf } from '../../experiment/layers/adaptive-softmax.ts';
import type { Layer } from '../../experiment/schema.ts';
import { softmaxCrossEntropy } from '../engine/losses.ts';
import { rowsOf } from './embedding.ts';
import { ModelError } from './errors.ts';
import { uniform } from './initial.ts';
import type { BuiltLayer, Place } from './layer.ts';
import { dense } from './operations.ts';

type AdaptiveSoftmax = Extract<Layer, { type: 'adaptive-softmax' }>;

interface Cluster {
  from: number;
  size: number;
  down: Variable;
  up: Variable;
}

export function buildAdaptiveSoftmax(layer: AdaptiveSoftmax, place: Place): BuiltLayer {
  const { input, outputs, index } = place;
  const frequent = layer.cutoffs[0]!;
  if (!place.isLast || outputs <= layer.cutoffs.at(-1)!)
    throw new ModelError(
      `Layer ${index + 1} is an adaptive softmax ${place.isLast ? `whose last cutoff, ${layer.cutoffs.at(-1)}, is not below the ${outputs} outputs` : 'and not the last layer'}.`,
      ['model', 'layers', index, 'cutoffs'],
    );
  const matrix = (name: string, rows: number, columns: number) =>
    place.variable(`${name}.weight`, [rows, columns], uniform(1 / Math.sqrt(columns)));
  const head = matrix('head', frequent + layer.cutoffs.length, input.width);
  const clusters = clustersOf(layer, input.width, outputs).map(
    ({ from, size, inner }, i): Cluster => ({
      from,
      size,
      down: matrix(`tail.${i}.0`, inner, input.width),
      up: matrix(`tail.${i}.1`, size, inner),
    }),
  );
  const forward = (x: Tensor) => logProbabilities(x as Tensor3D, head, clusters, frequent);
  return {
    output: { kind: 'vectors', width: outputs, learned: true },
    forward,
    head: x => ({
      applied: () => forward(x),
      classes: outputs,
      rows: x.size / input.width,
      crossEntropy: (targets, weights) =>
        loss(x as Tensor3D, { head, clusters, frequent, inputGradient: input.learned }, targets, weights),
    }),
  };
}

/** x (T, B, I) → log p (T, B, V) */
function logProbabilities(
  x: Tensor3D,
  head: Tensor,
  clusters: readonly Cluster[],
  frequent: number,
): Tensor3D {
  const [steps, batch] = x.shape;
  const first = logSoftmax(dense(x, head, null));
  const parts = clusters.map(({ down, up }, i) =>
    add(
      logSoftmax(dense(dense(x, down, null), up, null)),
      slice(first, [0, 0, frequent + i], [steps, batch, 1]),
    ),
  );
  return concat([slice(first, [0, 0, 0], [steps, batch, frequent]), ...parts], 2) as Tensor3D;
}

function logSoftmax(x: Tensor3D): Tensor3D {
  const centred = sub(x, max(x, 2, true));
  return sub(centred, log(sum(exp(centred), 2, true)));
}

interface Parts {
  head: Variable;
  clusters: readonly Cluster[];
  frequent: number;
  inputGradient: boolean;
}

/** The mean over the weights of −log p(target). */
function loss(
  x: Tensor3D,
  { head, clusters, frequent, inputGradient }: Parts,
  targets: Int32Array,
  weights: Float32Array | null,
): Scalar {
  const clusterOf = (target: number) => clusters.findLastIndex(({ from }) => target >= from);
  const places = Array.from(targets, clusterOf);
  const chosen = targets.map((target, row) => (places[row]! < 0 ? target : frequent + places[row]!));
  let total: Scalar = crossEntropy(x, head, chosen, weights, inputGradient);
  const weightOf = (row: number) => weights?.[row] ?? 1;
  const all = places.reduce((sum, _, row) => sum + weightOf(row), 0);
  clusters.forEach(({ from, down, up }, i) => {
    const rows = Int32Array.from(
      places.flatMap((place, row) => (place === i && weightOf(row) !== 0 ? [row] : [])),
    );
    if (rows.length === 0) return;
    const own = rowsOf(reshape(x, [x.size / x.shape[2], x.shape[2]]), rows, [1, rows.length]);
    const ownWeights = weights && Float32Array.from(rows, row => weights[row]!);
    const within = rows.map(row => targets[row]! - from);
    const share = rows.reduce((sum, row) => sum + weightOf(row), 0) / all;
    total = add(total, mul(crossEntropy(dense(own, down, null), up, within, ownWeights, true), share));
  });
  return total;
}

/** Of x Wᵀ, whose logits are never stored. */
function crossEntropy(
  x: Tensor3D,
  weight: Variable,
  targets: Int32Array,
  weights: Float32Array | null,
  inputGradient: boolean,
): Scalar {
  const bias = zeroTensor([weight.shape[0]!]);
  return softmaxCrossEntropy(
    { x, weight, bias, inputGradient, applied: () => dense(x, weight, bias) },
    targets,
    weights,
  );
}
