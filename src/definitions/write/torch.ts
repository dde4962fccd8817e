// A model as a torch.nn.Module.
import type { LayerInput, Mapped } from '../to-experiment.ts';

const ACTIVATIONS: Readonly<Record<string, string>> = { tanh: 'Tanh', relu: 'ReLU', sigmoid: 'Sigmoid' };
const INITIALIZERS: Readonly<Record<string, string>> = {
  orthogonal: 'orthogonal_',
  'glorot-uniform': 'xavier_uniform_',
  identity: 'eye_',
  zeros: 'zeros_',
};

export function writeTorch(name: string, layers: Mapped['layers']): string {
  const made: string[] = [];
  const forward: string[] = [];
  const isText = layers[0]?.type === 'embedding';
  let width = 'inputs';
  const used = new Map<string, number>();
  const called = (base: string) => {
    const times = (used.get(base) ?? 0) + 1;
    used.set(base, times);
    return times === 1 ? base : `${base}${times}`;
  };
  layers.forEach((layer, index) => {
    const isLast = index === layers.length - 1;
    switch (layer.type) {
      case 'embedding': {
        const own = called('embed');
        made.push(`self.${own} = nn.Embedding(inputs, ${layer.dim})`);
        forward.push(`x = self.${own}(x)`);
        width = String(layer.dim);
        return;
      }
      case 'dropout': {
        const own = called('drop');
        made.push(`self.${own} = nn.Dropout(${layer.rate})`);
        forward.push(`x = self.${own}(x)`);
        return;
      }
      case 'dense': {
        const own = isLast ? 'out' : called('dense');
        const units = isLast ? 'outputs' : String(layer.units);
        made.push(`self.${own} = nn.Linear(${width}, ${units})`);
        const activation = ACTIVATIONS[layer.activation ?? 'linear'];
        if (activation && !isLast) {
          // a module of its own is read where a function in `forward` is not
          const act = called(activation.toLowerCase());
          made.push(`self.${act} = nn.${activation}()`);
          forward.push(`x = self.${act}(self.${own}(x))`);
        } else forward.push(`x = self.${own}(x)`);
        width = units;
        return;
      }
      case 'layer-norm': {
        const own = called('norm');
        made.push(`self.${own} = nn.LayerNorm(${width})`);
        forward.push(`x = self.${own}(x)`);
        return;
      }
      case 'rnn':
      case 'gru':
      case 'lstm': {
        const own = called(layer.type);
        const options = [
          width,
          String(layer.units),
          ...((layer.layers ?? 1) > 1 ? [`num_layers=${layer.layers}`] : []),
          ...(layer.type === 'rnn' && layer.activation === 'relu' ? ['nonlinearity="relu"'] : []),
          'batch_first=True',
          ...(layer.bidirectional ? ['bidirectional=True'] : []),
          ...((layer.dropout ?? 0) > 0 && (layer.layers ?? 1) > 1 ? [`dropout=${layer.dropout}`] : []),
        ];
        made.push(`self.${own} = nn.${layer.type.toUpperCase()}(${options.join(', ')})`);
        made.push(...beginning(`self.${own}`, layer));
        forward.push(`x, _ = self.${own}(x)`);
        width = String(layer.units * (layer.bidirectional ? 2 : 1));
      }
    }
  });
  return `from torch import nn


class ${name}(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
${made.map(line => `        ${line}`).join('\n')}

    def forward(self, x):  # x: ${isText ? '(batch, seqLen) ids' : '(batch, seqLen, inputs)'}
${forward.map(line => `        ${line}`).join('\n')}
        return x  # (batch, seqLen, outputs)
`;
}

/** Statements that set what recurrent weights begin as, where that is not PyTorch's own. */
function beginning(
  target: string,
  {
    recurrentInit = 'default',
    layers = 1,
    bidirectional,
  }: Extract<LayerInput, { type: 'rnn' | 'gru' | 'lstm' }>,
): string[] {
  const initializer = INITIALIZERS[recurrentInit];
  if (!initializer) return [];
  if (layers === 1 && !bidirectional) return [`nn.init.${initializer}(${target}.weight_hh_l0)`];
  return [
    `for name, weight in ${target}.named_parameters():`,
    '    if "weight_hh" in name:',
    `        nn.init.${initializer}(weight)`,
  ];
}
