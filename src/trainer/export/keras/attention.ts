// Attention over an encoder's outputs, as a class of code: Keras's own layers of attention have no matrices of these scores.
import { comparedWidth, isAdditive } from '../../../experiment/layers/attention.ts';
import { transposed } from '../onnx/dense.ts';
import type { KerasLayer } from './kind.ts';

export const attention: KerasLayer<'attention'> = {
  lacks: ({ locationSensitive }) =>
    locationSensitive ? "attention that reads the step before's shares (`locationSensitive`)" : null,
  build(graph, x, { layer, at, weight }) {
    const memory = at.memory!;
    const score = isAdditive(layer) ? 'additive' : layer.score;
    const compared = score === 'additive' ? comparedWidth(layer, memory) : memory;
    const matrix = (name: string, inputs: number, outputs: number) => ({
      name,
      shape: [inputs, outputs],
      data: transposed(weight(`${name}.weight`)!.data, outputs, inputs),
    });
    const weights = {
      additive: () => [
        matrix('query', at.inputs, compared),
        matrix('key', memory, compared),
        matrix('v', compared, 1),
      ],
      general: () => [matrix('query', at.inputs, compared)],
      dot: () => [],
    }[score as 'additive' | 'general' | 'dot']();
    return graph.add(
      'Attention',
      [x, 'memory', 'inside'],
      { score, inputs: at.inputs, memory, compared },
      weights,
    );
  },
};

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
