// PyTorch: torch.nn's recurrent layers and cells, and what stands around them in a Module.
import type { CellKind } from '../definition.ts';
import type { Constructor, FrameworkRules, Role } from './framework.ts';
import { packagedLayer, SEQUENCE_LAYERS } from './sequence-layers.ts';

const RECURRENT = {
  positional: [
    'input_size',
    'hidden_size',
    'num_layers',
    'bias',
    'batch_first',
    'dropout',
    'bidirectional',
    'proj_size',
  ],
  defaults: { num_layers: 1, bias: true, batch_first: false, dropout: 0, bidirectional: false, proj_size: 0 },
};
const RNN = {
  positional: [
    'input_size',
    'hidden_size',
    'num_layers',
    'nonlinearity',
    'bias',
    'batch_first',
    'dropout',
    'bidirectional',
  ],
  defaults: { ...RECURRENT.defaults, nonlinearity: 'tanh' },
};
const CELL = { positional: ['input_size', 'hidden_size', 'bias'], defaults: { bias: true } };

type Signature = Pick<Constructor, 'positional' | 'defaults'>;
const RECURRENTS: Readonly<Record<string, [CellKind | null, boolean, Signature]>> = {
  LSTM: ['LSTM', false, RECURRENT],
  GRU: ['GRU', false, RECURRENT],
  RNN: ['RNN', false, RNN],
  LSTMCell: ['LSTM', true, CELL],
  GRUCell: ['GRU', true, CELL],
  RNNCell: [
    'RNN',
    true,
    { positional: [...CELL.positional, 'nonlinearity'], defaults: { bias: true, nonlinearity: 'tanh' } },
  ],
  /** getattr(nn, kind) */
  '*': [null, false, RECURRENT],
};

const OTHERS: Readonly<Record<string, [Role, readonly string[], Signature['defaults']]>> = {
  Embedding: ['embedding', ['num_embeddings', 'embedding_dim'], {}],
  Linear: ['dense', ['in_features', 'out_features', 'bias'], { bias: true }],
  Dropout: ['dropout', ['p'], { p: 0.5 }],
  Sequential: ['model', [], {}],
  LayerNorm: ['keeps', ['normalized_shape'], {}],
  ReLU: ['keeps', [], {}],
  Tanh: ['keeps', [], {}],
  Sigmoid: ['keeps', [], {}],
  Softmax: ['keeps', [], {}],
  LogSoftmax: ['keeps', [], {}],
};

const MODULE =
  /^torch\.nn\.(?:modules\.(?:rnn|linear|sparse|dropout|container|activation|normalization|transformer|conv|loss)\.)?([A-Za-z]\w*|\*)$/;

/** Losses, containers and what is no layer. */
const NO_LAYER =
  /Loss$|^(?:Module(?:List|Dict)?|Parameter(?:List|Dict)?|DataParallel|Buffer|Uninitialized\w+)$|^[a-z]/;

export const torch: FrameworkRules = {
  framework: 'torch',
  convention: 'pytorch',
  names: {
    units: ['hidden_size'],
    inputSize: ['input_size'],
    layers: 'num_layers',
    bidirectional: 'bidirectional',
    returnSequences: null,
    batchFirst: 'batch_first',
  },
  recognise(qualified) {
    // a cell of a notebook, or a part of a file, has its imports elsewhere
    const name = MODULE.exec(qualified.replace(/^nn\./, 'torch.nn.'))?.[1] ?? packagedLayer(qualified);
    if (!name) return null;
    const recurrent = RECURRENTS[name];
    if (recurrent) {
      const [cell, isCell, signature] = recurrent;
      return { framework: 'torch', name, role: 'recurrent', cell, isCell, ...signature };
    }
    const sequence = SEQUENCE_LAYERS[name];
    if (sequence?.framework === 'torch') return made(name, 'sequence', sequence.positional);
    if (NO_LAYER.test(name)) return null;
    const [role, positional, defaults] = OTHERS[name] ?? ['other', [], {}];
    return made(name, role, positional, defaults);
  },
};

function made(
  name: string,
  role: Role,
  positional: readonly string[],
  defaults: Constructor['defaults'] = {},
): Constructor {
  return { framework: 'torch', name, role, cell: null, isCell: false, positional, defaults };
}
