// TensorFlow.js: tf.layers' recurrent layers, cells and wrappers, and what stands around them.
import type { CellKind } from '../definition.ts';
import type { Constructor, FrameworkRules, Role } from './framework.ts';

const DEFAULTS = {
  activation: 'tanh',
  recurrentActivation: 'hardSigmoid',
  useBias: true,
  dropout: 0,
  recurrentDropout: 0,
  returnSequences: false,
  returnState: false,
  stateful: false,
};

type Signature = Pick<Constructor, 'positional' | 'defaults'>;
const LSTM: Signature = { positional: [], defaults: { ...DEFAULTS, unitForgetBias: false } };
const GRU: Signature = { positional: [], defaults: { ...DEFAULTS, resetAfter: false } };
const SIMPLE: Signature = { positional: [], defaults: DEFAULTS };

const RECURRENTS: Readonly<Record<string, [CellKind | null, boolean, Signature]>> = {
  lstm: ['LSTM', false, LSTM],
  gru: ['GRU', false, GRU],
  simpleRNN: ['RNN', false, SIMPLE],
  lstmCell: ['LSTM', true, LSTM],
  gruCell: ['GRU', true, GRU],
  simpleRNNCell: ['RNN', true, SIMPLE],
  /** tf.layers[kind] */
  '*': [null, false, LSTM],
};

const OTHERS: Readonly<Record<string, Role>> = {
  embedding: 'embedding',
  dense: 'dense',
  dropout: 'dropout',
  spatialDropout1d: 'dropout',
  inputLayer: 'input',
  input: 'input',
  bidirectional: 'wrapper',
  timeDistributed: 'wrapper',
  rnn: 'wrapper',
  sequential: 'model',
  model: 'model',
  activation: 'keeps',
  masking: 'keeps',
  batchNormalization: 'keeps',
  layerNormalization: 'keeps',
  repeatVector: 'repeat',
  reLU: 'keeps',
  leakyReLU: 'keeps',
  convLstm2d: 'sequence',
};

/** The package itself, a file of the project that hands it on, and whatever else is called `tf`. */
const MODULE =
  /^(?:npm:(?:https?:\/\/[\w./@-]*\/|npm:)?@tensorflow\/tfjs(?:-[\w-]+)?(?:@[\w.^~-]+?)?(?:\/[\w./+-]+?)?|npm:(?:\.{1,2}|[@~])\/.+?|(?:.+\.)?tf)(?:\.default)?(\.layers)?\.([A-Za-z]\w*|\*)$/;
const TOP = new Set(['sequential', 'model', 'input']);

export const tfjs: FrameworkRules = {
  framework: 'tfjs',
  convention: 'tfjs',
  names: {
    units: ['units'],
    inputSize: [],
    layers: null,
    bidirectional: null,
    returnSequences: 'returnSequences',
    batchFirst: null,
  },
  recognise(qualified) {
    const [, inLayers, name] = MODULE.exec(qualified) ?? [];
    if (!name || (!inLayers && !TOP.has(name))) return null;
    const recurrent = RECURRENTS[name];
    if (recurrent) {
      const [cell, isCell, signature] = recurrent;
      return { framework: 'tfjs', name, role: 'recurrent', cell, isCell, ...signature };
    }
    return {
      framework: 'tfjs',
      name,
      role: OTHERS[name] ?? 'other',
      cell: null,
      isCell: false,
      positional: [],
      defaults: {},
    };
  },
};
