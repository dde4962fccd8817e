// RNN, GRU and LSTM as Keras's layers: kernels are (inputs, gates), gates stand in the order i f c o and z r h. Keras has
// one bias, so that two are summed; a GRU that resets after keeps both, since one stands inside the product with r.
import { resetsAfter } from '../../../experiment/layers/gru.ts';
import { directionsOf, type RecurrentFields } from '../../../experiment/layers/recurrent.ts';
import type { RecurrentLayer } from '../../../experiment/schema.ts';
import { transposed } from '../onnx/dense.ts';
import { inOrder, lackedBy } from '../onnx/recurrent.ts';
import type { Config, KerasGraph } from './graph.ts';
import type { KerasLayer, Made } from './kind.ts';

interface Cell {
  className: 'SimpleRNN' | 'GRU' | 'LSTM';
  /** places of our gates in Keras's order */
  order: readonly number[];
  config: Config;
  keepsBoth?: boolean;
}

const PLAIN = { use_bias: true, recurrent_initializer: 'glorot_uniform' };

function lacks(layer: RecurrentLayer): string | null {
  if (layer.type === 'rnn' && layer.activation === 'leaky-relu') return 'the activation "leaky-relu"';
  return layer.type === 'lstm' && layer.peephole ? 'peepholes' : lackedBy(layer);
}

export const rnn: KerasLayer<'rnn'> = {
  lacks,
  build: (graph, x, made) =>
    stacked(graph, x, made, {
      className: 'SimpleRNN',
      order: [0],
      config: { activation: made.layer.activation },
    }),
};

export const gru: KerasLayer<'gru'> = {
  lacks(layer, target, at) {
    if (target === 'tfjs' && resetsAfter(at.convention, layer.resetAfter))
      return 'a GRU that resets after the recurrent product (`"resetAfter": false` trains the other form)';
    return lacks(layer);
  },
  build(graph, x, made) {
    const after = resetsAfter(made.at.convention, made.layer.resetAfter);
    return stacked(graph, x, made, {
      className: 'GRU',
      order: [1, 0, 2],
      config: { activation: 'tanh', recurrent_activation: 'sigmoid', reset_after: after },
      keepsBoth: after,
    });
  },
};

export const lstm: KerasLayer<'lstm'> = {
  lacks,
  build: (graph, x, made) =>
    stacked(graph, x, made, {
      className: 'LSTM',
      order: [0, 1, 2, 3],
      config: { activation: 'tanh', recurrent_activation: 'sigmoid', unit_forget_bias: false },
    }),
};

function stacked<T extends 'rnn' | 'gru' | 'lstm'>(
  graph: KerasGraph,
  x: string,
  made: Made<T>,
  cell: Cell,
): string {
  const { units, layers, dropout } = made.layer as RecurrentFields;
  const both = directionsOf(made.layer as RecurrentFields) === 2;
  let here = x;
  for (let level = 0; level < layers; level++) {
    const isLast = level === layers - 1;
    const ends = both ? [`l${level}`, `l${level}_reverse`] : [`l${level}`];
    const parts = both ? ['forward_layer/cell', 'backward_layer/cell'] : ['cell'];
    const weights = ends.flatMap((end, direction) => weightsOf(made, end, units, cell, parts[direction]!));
    const config = {
      units,
      ...cell.config,
      ...PLAIN,
      return_sequences: !(isLast && made.endsOnly),
      ...(made.paired && { return_state: true }),
    };
    const begin = made.paired?.begin(level);
    // a topology of Keras 2 has the states behind the sequence
    const isCode = graph.target === 'keras';
    const beside = isCode &&
      made.paired && {
        ...(made.paired.mask && { mask: made.paired.mask }),
        ...(begin && { initial_state: begin }),
      };
    const read = !isCode && begin ? [here, ...begin] : here;
    here = both
      ? graph.add(
          'Bidirectional',
          read,
          {
            merge_mode: 'concat',
            layer: {
              ...(graph.target === 'keras' ? { module: 'keras.layers', registered_name: null } : {}),
              class_name: cell.className,
              config: { name: cell.className.toLowerCase(), ...config },
            },
          },
          weights,
          beside || undefined,
        )
      : graph.add(cell.className, read, config, weights, beside || undefined);
    made.paired?.end(level, here);
    if (!isLast && dropout > 0) here = graph.add('Dropout', here, { rate: dropout });
  }
  return here;
}

function weightsOf<T extends 'rnn' | 'gru' | 'lstm'>(
  made: Made<T>,
  end: string,
  units: number,
  { order, keepsBoth }: Cell,
  part: string,
) {
  const blocks = (name: string) => inOrder(made.weight(`${name}_${end}`)!.data, units, order);
  const rows = order.length * units;
  const inputs = made.weight(`weight_ih_${end}`)!.shape[1]!;
  const biases = [
    blocks('bias_ih'),
    made.weight(`bias_hh_${end}`) ? blocks('bias_hh') : new Float32Array(rows),
  ];
  const [input, hidden] = biases as [Float32Array, Float32Array];
  return [
    { name: 'kernel', part, shape: [inputs, rows], data: transposed(blocks('weight_ih'), rows, inputs) },
    {
      name: 'recurrent_kernel',
      part,
      shape: [units, rows],
      data: transposed(blocks('weight_hh'), rows, units),
    },
    keepsBoth
      ? { name: 'bias', part, shape: [2, rows], data: [...input, ...hidden] }
      : { name: 'bias', part, shape: [rows], data: input.map((value, row) => value + hidden[row]!) },
  ];
}
