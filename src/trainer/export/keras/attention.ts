// Attention over an encoder's outputs. In Keras it is a class of code, since its own layers of attention have no matrices
// of these scores; in TensorFlow.js it is made of layers.
import { comparedWidth, isAdditive } from '../../../experiment/layers/attention.ts';
import { transposed } from '../onnx/dense.ts';
import type { KerasGraph } from './graph.ts';
import type { KerasLayer, Made } from './kind.ts';

export const attention: KerasLayer<'attention'> = {
  lacks: ({ locationSensitive }) =>
    locationSensitive ? "attention that reads the step before's shares (`locationSensitive`)" : null,
  build(graph, x, made) {
    const memory = made.at.memory!;
    const score = isAdditive(made.layer) ? 'additive' : made.layer.score;
    const compared = score === 'additive' ? comparedWidth(made.layer, memory) : memory;
    const sizes = { inputs: made.at.inputs, memory, compared };
    if (graph.target === 'tfjs') return ofLayers(graph, x, made, sizes);
    const weights = {
      additive: () => [
        matrix(made, 'query', sizes.inputs, compared),
        matrix(made, 'key', memory, compared),
        matrix(made, 'v', compared, 1),
      ],
      general: () => [matrix(made, 'query', sizes.inputs, compared)],
      dot: () => [],
    }[score as 'additive' | 'general' | 'dot']();
    return graph.add('Attention', [x, 'memory', 'inside'], { score, ...sizes }, weights);
  },
};

interface Sizes {
  inputs: number;
  memory: number;
  compared: number;
}

function matrix({ weight }: Made<'attention'>, name: string, inputs: number, outputs: number) {
  const { data } = weight(`${name}.weight`)!;
  return { name, shape: [inputs, outputs], data: transposed(data, outputs, inputs) };
}

/** All steps of "memory" are inside of their source. */
function ofLayers(graph: KerasGraph, x: string, made: Made<'attention'>, sizes: Sizes): string {
  const { inputs, memory, compared } = sizes;
  const projected = (from: string, name: string, rows: number, columns: number) =>
    graph.add('Dense', from, { units: columns, activation: 'linear', use_bias: false }, [
      { ...matrix(made, name, rows, columns), name: 'kernel' },
    ]);
  // the library takes sizes as equal that it knows as little of: here the steps of a source, behind a reshape or not
  const alike = (steps: string) =>
    isAdditive(made.layer) ? graph.add('Reshape', steps, { target_shape: [-1, memory] }) : steps;
  const scores = () => {
    if (!isAdditive(made.layer)) {
      const query = made.layer.score === 'dot' ? x : projected(x, 'query', inputs, memory);
      return graph.add('Dot', [query, 'memory'], { axes: [2, 2], normalize: false });
    }
    const each = (from: string, shape: number[]) => graph.add('Reshape', from, { target_shape: shape });
    // (batch, steps, source steps, compared)
    const pairs = graph.add('Add', [
      each(projected(x, 'query', inputs, compared), [-1, 1, compared]),
      each(projected('memory', 'key', memory, compared), [1, -1, compared]),
    ]);
    const e = projected(graph.add('Activation', pairs, { activation: 'tanh' }), 'v', compared, 1);
    const inner = { class_name: 'Reshape', config: { name: `${e}_flat`, target_shape: [-1] } };
    return graph.add('TimeDistributed', e, { layer: inner });
  };
  const shares = graph.add('Activation', scores(), { activation: 'softmax' });
  const sum = graph.add('Dot', [shares, alike('memory')], { axes: [2, 1], normalize: false });
  return graph.add('Concatenate', [sum, x], { axis: -1 });
}

export const ATTENTION_CODE = `class Attention(keras.layers.Layer):
    """Looks at the encoder's outputs from each step: (batch, steps, inputs) -> (batch, steps, memory + inputs)."""

    def __init__(self, score, inputs, memory, compared, **options):
        super().__init__(**options)
        self.score = score
        if score != "dot":
            self.query = self.add_weight(shape=(inputs, compared), name="query")
        if score == "additive":
            self.key = self.add_weight(shape=(memory, compared), name="key")
            self.v = self.add_weight(shape=(compared, 1), name="v")

    def call(self, x, memory, inside):
        query = x if self.score == "dot" else ops.matmul(x, self.query)
        if self.score == "additive":
            pairs = ops.expand_dims(query, 2) + ops.expand_dims(ops.matmul(memory, self.key), 1)
            scores = ops.squeeze(ops.matmul(ops.tanh(pairs), self.v), 3)
        else:
            scores = ops.matmul(query, ops.transpose(memory, (0, 2, 1)))
        scores = ops.where(ops.expand_dims(inside, 1), scores, -1e30)
        shares = ops.exp(scores - ops.max(scores, 2, keepdims=True))
        shares = shares / ops.sum(shares, 2, keepdims=True)
        return ops.concatenate([ops.matmul(shares, memory), x], 2)


`;
