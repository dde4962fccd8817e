// RNN, GRU and LSTM as PyTorch's modules, which always have both biases. The GRU that resets before the product is
// none of PyTorch's and comes with a class of its own, as an RNN of another activation than nn.RNN has, and as all whose
// fields nn's modules lack.
import { resetsAfter } from '../../../experiment/layers/gru.ts';
import type { RecurrentFields } from '../../../experiment/layers/recurrent.ts';
import type { RnnActivation } from '../../../experiment/layers/rnn.ts';
import type { NamedTensor } from '../../../runs/safetensors.ts';
import type { PyTorchLayer } from './kind.ts';
import { CLASS, classCall, mergesEnds, needsClass } from './recurrent-fields.ts';

function call(name: string, layer: RecurrentFields, inputs: number, ...more: string[]): string {
  const options = [`${inputs}`, `${layer.units}`];
  if (layer.layers > 1) options.push(`num_layers=${layer.layers}`);
  if (layer.layers > 1 && layer.dropout > 0) options.push(`dropout=${layer.dropout}`);
  if (layer.bidirectional) options.push('bidirectional=True');
  return `${name}(${[...options, ...more].join(', ')})`;
}

/** Zeros for biases that the run's convention has not. */
function addBiases(layer: RecurrentFields, name: string, weights: Map<string, NamedTensor>): void {
  for (let level = 0; level < layer.layers; level++) {
    for (const end of layer.bidirectional ? [`l${level}`, `l${level}_reverse`] : [`l${level}`]) {
      const { shape, data } = weights.get(`${name}.bias_ih_${end}`)!;
      const hidden = `${name}.bias_hh_${end}`;
      if (!weights.has(hidden)) weights.set(hidden, { shape, data: new Float32Array(data.length) });
    }
  }
}

export const rnn: PyTorchLayer<'rnn'> = {
  module(layer, { inputs }) {
    if (needsClass(layer)) return classCall(layer, inputs, { activation: layer.activation });
    const own = PHI[layer.activation];
    if (own) return call(own.name, layer, inputs);
    return call('nn.RNN', layer, inputs, ...(layer.activation === 'relu' ? ['nonlinearity="relu"'] : []));
  },
  stateful: true,
  givesEnds: mergesEnds,
  lastStates: layer => (needsClass(layer) ? null : 'h'),
  code: layer => (needsClass(layer) ? CLASS : (PHI[layer.activation]?.code ?? null)),
  addWeights: addBiases,
};

export const lstm: PyTorchLayer<'lstm'> = {
  module(layer, { inputs }) {
    const { projection, peephole, coupledGates, layerNorm } = layer;
    if (needsClass(layer))
      return classCall(layer, inputs, {
        projection,
        peephole: peephole || undefined,
        coupled: coupledGates || undefined,
        layer_norm: layerNorm || undefined,
      });
    return call('nn.LSTM', layer, inputs, ...(projection ? [`proj_size=${projection}`] : []));
  },
  stateful: true,
  givesEnds: mergesEnds,
  // PyTorch hands on the projected h, a run the one of the units
  lastStates: layer => (needsClass(layer) || layer.projection ? null : 'hc'),
  code: layer => (needsClass(layer) ? CLASS : null),
  addWeights: addBiases,
};

export const gru: PyTorchLayer<'gru'> = {
  module(layer, { inputs, convention }) {
    const after = resetsAfter(convention, layer.resetAfter);
    if (needsClass(layer)) return classCall(layer, inputs, { reset_after: after ? undefined : false });
    return call(after ? 'nn.GRU' : 'GruResetBefore', layer, inputs);
  },
  stateful: true,
  givesEnds: mergesEnds,
  lastStates: layer => (needsClass(layer) ? null : 'h'),
  code(layer, { convention }) {
    if (needsClass(layer)) return CLASS;
    return resetsAfter(convention, layer.resetAfter) ? null : CODE;
  },
  addWeights: addBiases,
};

/** A stack of levels and directions as loops over time. `step`: lines that turn x_t and h into the next h. */
function loops(name: string, about: string, blocks: number, step: readonly string[]): string {
  const rows = blocks === 1 ? 'hidden_size' : `${blocks} * hidden_size`;
  return `class ${name}(nn.Module):
    """${about}"""

    def __init__(self, input_size, hidden_size, num_layers=1, dropout=0.0, bidirectional=False):
        super().__init__()
        self.hidden_size, self.num_layers, self.dropout = hidden_size, num_layers, dropout
        self.directions = ["", "_reverse"] if bidirectional else [""]
        for level in range(num_layers):
            inputs = input_size if level == 0 else hidden_size * len(self.directions)
            for direction in self.directions:
                end = f"l{level}{direction}"
                self.register_parameter(f"weight_ih_{end}", nn.Parameter(torch.zeros(${rows}, inputs)))
                self.register_parameter(f"weight_hh_{end}", nn.Parameter(torch.zeros(${rows}, hidden_size)))
                self.register_parameter(f"bias_ih_{end}", nn.Parameter(torch.zeros(${rows})))
                self.register_parameter(f"bias_hh_{end}", nn.Parameter(torch.zeros(${rows})))

    def forward(self, x, state=None):
        if state is None:
            state = x.new_zeros(self.num_layers * len(self.directions), x.shape[1], self.hidden_size)
        last = []
        for level in range(self.num_layers):
            if level > 0:
                x = nn.functional.dropout(x, self.dropout, self.training)
            outputs = []
            for direction in self.directions:
                y, h = self.run_level(f"l{level}{direction}", x.flip(0) if direction else x, state[len(last)])
                outputs.append(y.flip(0) if direction else y)
                last.append(h)
            x = torch.cat(outputs, 2)
        return x, torch.stack(last)

    def run_level(self, end, x, h):
        units = self.hidden_size
        weight_hh = getattr(self, f"weight_hh_{end}")
        biases = getattr(self, f"bias_ih_{end}") + getattr(self, f"bias_hh_{end}")
        projected = nn.functional.linear(x, getattr(self, f"weight_ih_{end}"), biases)
        outputs = []
        for x_t in projected:
${step.map(line => `            ${line}`).join('\n')}
            outputs.append(h)
        return torch.stack(outputs), h

`;
}

const CODE = loops(
  'GruResetBefore',
  `The GRU of arXiv 1406.1078v3, whose reset gate acts before the recurrent product. nn.GRU is the other one,
    which resets after it: a different function of the same weights.`,
  3,
  [
    'gates = torch.sigmoid(x_t[:, :2 * units] + h @ weight_hh[:2 * units].T)',
    'r, z = gates[:, :units], gates[:, units:]',
    'n = torch.tanh(x_t[:, 2 * units:] + (r * h) @ weight_hh[2 * units:].T)',
    'h = (1 - z) * n + z * h',
  ],
);

/** The RNNs that nn.RNN is not. */
const PHI: Partial<Record<RnnActivation, { name: string; code: string }>> = {
  sigmoid: elman('SigmoidRNN', 'the sigmoid', 'torch.sigmoid(x_t + h @ weight_hh.T)'),
  'leaky-relu': elman(
    'LeakyReluRNN',
    'a leaky ReLU of slope 0.01',
    'nn.functional.leaky_relu(x_t + h @ weight_hh.T)',
  ),
  linear: elman('LinearRNN', 'no activation', 'x_t + h @ weight_hh.T'),
};

function elman(name: string, phi: string, next: string): { name: string; code: string } {
  return { name, code: loops(name, `nn.RNN with ${phi}, which PyTorch does not have.`, 1, [`h = ${next}`]) };
}
