// The experiment: what is to be trained, as one schema from which types, defaults, the contributed
// JSON schema and the error messages come.
import * as z from 'zod';

const positiveInt = z.int().min(1);
const nonNegativeInt = z.int().min(0);
const rate = z.number().min(0).lt(1);

// ---------------------------------------------------------------- data

const split = z
  .tuple([z.number().min(0).max(1), z.number().min(0).max(1), z.number().min(0).max(1)])
  .refine(parts => Math.abs(parts[0] + parts[1] + parts[2] - 1) < 1e-6, {
    error: 'the three parts must add up to 1',
  })
  .default([0.9, 0.05, 0.05])
  .describe('Shares of training, validation and test data, in this order along the file.');

const charLmData = z
  .strictObject({
    task: z.literal('char-lm'),
    path: z.string().min(1).describe('A UTF-8 text file, relative to this experiment file.'),
    split,
    minCount: positiveInt
      .default(1)
      .describe('Characters seen fewer times than this in the training part become one unknown symbol.'),
  })
  .describe('Predict the next character of a text.');

const forecastData = z
  .strictObject({
    task: z.literal('forecast'),
    path: z.string().min(1).describe('A CSV or TSV file with a header, relative to this experiment file.'),
    target: z.string().min(1).describe('The column to predict.'),
    features: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe('Columns the model reads; default: the target alone.'),
    window: positiveInt.default(24).describe('How many past rows the model sees.'),
    horizon: positiveInt.default(1).describe('How many rows ahead it predicts.'),
    difference: nonNegativeInt
      .default(0)
      .describe('Model the change over this many rows instead of the value (0: the value itself).'),
    missing: z
      .enum(['error', 'drop', 'previous', 'interpolate'])
      .default('interpolate')
      .describe('What to do with empty or non-numeric cells.'),
    split: split.default([0.7, 0.1, 0.2]),
  })
  .describe('Predict the next values of a numeric series.');

const addingData = z
  .strictObject({
    task: z.literal('adding'),
    length: z.int().min(2).default(100).describe('Steps of a sequence; two of them are marked.'),
  })
  .describe(
    'The adding problem: the sum of two marked numbers (Hochreiter & Schmidhuber 1997). Baseline: mean squared error 1/6.',
  );

const temporalOrderData = z
  .strictObject({
    task: z.literal('temporal-order'),
    length: z.int().min(10).default(100).describe('Steps of a sequence.'),
  })
  .describe(
    'Which of four orders did two marked symbols come in (Hochreiter & Schmidhuber 1997, 6a). Baseline: ln 4.',
  );

export const dataSchema = z.discriminatedUnion('task', [
  charLmData,
  forecastData,
  addingData,
  temporalOrderData,
]);

// ---------------------------------------------------------------- model

const kernelInit = z.enum(['default', 'glorot-uniform', 'uniform', 'orthogonal', 'identity', 'zeros']);

const recurrentFields = {
  units: positiveInt.describe('Hidden units of each layer.'),
  layers: positiveInt.default(1).describe('How many of this layer are stacked.'),
  dropout: rate.default(0).describe('Share dropped between the stacked layers; none after the last of them.'),
  recurrentInit: kernelInit
    .default('default')
    .describe('Initial recurrent weights; default: what the convention uses.'),
  bidirectional: z
    .boolean()
    .default(false)
    .describe(
      'Also read each sequence from its end to its start; outputs are twice as wide, forward half first (Schuster & Paliwal 1997).',
    ),
};

const embeddingLayer = z.strictObject({
  type: z.literal('embedding'),
  dim: positiveInt.describe('Length of the vector learned for each symbol.'),
});

const rnnLayer = z.strictObject({
  type: z.literal('rnn'),
  ...recurrentFields,
  activation: z.enum(['tanh', 'relu']).default('tanh'),
});

const lstmLayer = z.strictObject({
  type: z.literal('lstm'),
  ...recurrentFields,
  forgetBias: z
    .number()
    .optional()
    .describe('Initial bias of the forget gate; default: what the convention uses (PyTorch ~0, Keras 1).'),
});

const gruLayer = z.strictObject({
  type: z.literal('gru'),
  ...recurrentFields,
  resetAfter: z
    .boolean()
    .optional()
    .describe(
      'Apply the reset gate after the recurrent product (PyTorch, Keras default) or before it (tfjs).',
    ),
});

const dropoutLayer = z.strictObject({ type: z.literal('dropout'), rate });

const denseLayer = z.strictObject({
  type: z.literal('dense'),
  units: positiveInt.optional().describe('Outputs; the last dense layer takes them from the task.'),
  activation: z.enum(['linear', 'tanh', 'relu', 'sigmoid']).default('linear'),
});

const layerNormLayer = z
  .strictObject({
    type: z.literal('layer-norm'),
    epsilon: z.number().gt(0).default(1e-5).describe('Added to the variance.'),
  })
  .describe('Layer normalisation of each step (Ba et al. 2016).');

const transformerLayer = z
  .strictObject({
    type: z.literal('transformer'),
    layers: positiveInt.default(1).describe('How many of these blocks are stacked.'),
    heads: positiveInt.default(4).describe('Heads of the attention; they share the width of the input.'),
    hidden: positiveInt.optional().describe('Units between the two dense parts; default: 4 times the width.'),
    activation: z.enum(['gelu', 'relu']).default('gelu'),
    positions: z
      .enum(['learned', 'sinusoidal', 'none'])
      .default('learned')
      .describe('What is added to the input to tell the steps apart, before the first block.'),
    window: positiveInt
      .optional()
      .describe('How many steps a step sees, itself included; default: all up to itself.'),
    dropout: rate
      .default(0)
      .describe('Share dropped after the attention and inside and after the dense parts.'),
  })
  .describe(
    'Causal Transformer blocks, normalised before each part (Vaswani et al. 2017, Radford et al. 2019).',
  );

const tcnLayer = z
  .strictObject({
    type: z.literal('tcn'),
    units: positiveInt.describe('Channels of each block.'),
    layers: positiveInt.default(1).describe('How many blocks are stacked; each looks twice as far back.'),
    kernelSize: positiveInt.default(3).describe('Steps that a convolution reads.'),
    dropout: rate.default(0).describe('Share dropped after each convolution.'),
  })
  .describe(
    'Temporal convolutional network: two causal dilated convolutions a block, with a residual (Bai et al. 2018).',
  );

export const layerSchema = z.discriminatedUnion('type', [
  embeddingLayer,
  rnnLayer,
  lstmLayer,
  gruLayer,
  transformerLayer,
  tcnLayer,
  layerNormLayer,
  dropoutLayer,
  denseLayer,
]);

const modelSchema = z.strictObject({
  convention: z
    .enum(['pytorch', 'keras', 'tfjs'])
    .default('pytorch')
    .describe('Whose biases, gate order, defaults and initial values the layers follow.'),
  layers: z.array(layerSchema).min(1).describe('From input to output.'),
});

// ---------------------------------------------------------------- training

const learningRate = z.number().gt(0).default(0.001);

const optimizerSchema = z
  .discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('adam'),
      learningRate,
      beta1: rate.default(0.9),
      beta2: rate.default(0.999),
      epsilon: z.number().gt(0).default(1e-8),
    }),
    z.strictObject({
      type: z.literal('adamw'),
      learningRate,
      beta1: rate.default(0.9),
      beta2: rate.default(0.999),
      epsilon: z.number().gt(0).default(1e-8),
      weightDecay: z.number().min(0).default(0.01),
    }),
    z.strictObject({
      type: z.literal('sgd'),
      learningRate: z.number().gt(0).default(0.1),
      momentum: rate.default(0),
      nesterov: z.boolean().default(false),
    }),
    z.strictObject({
      type: z.literal('rmsprop'),
      learningRate,
      decay: rate.default(0.99),
      momentum: rate.default(0),
      epsilon: z.number().gt(0).default(1e-8),
    }),
  ])
  .default({ type: 'adam', learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 });

const scheduleSchema = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('constant'), warmup: nonNegativeInt.default(0) }),
    z.strictObject({
      type: z.literal('cosine'),
      warmup: nonNegativeInt.default(0),
      final: z.number().min(0).max(1).default(0).describe('Share of the learning rate left at the end.'),
    }),
    z.strictObject({
      type: z.literal('linear'),
      warmup: nonNegativeInt.default(0),
      final: z.number().min(0).max(1).default(0),
    }),
    z.strictObject({
      type: z.literal('step'),
      warmup: nonNegativeInt.default(0),
      every: positiveInt.describe('Steps between two drops.'),
      factor: z.number().gt(0).max(1).default(0.5),
    }),
  ])
  .default({ type: 'constant', warmup: 0 });

const trainingSchema = z.strictObject({
  optimizer: optimizerSchema,
  schedule: scheduleSchema,
  steps: positiveInt.max(100_000_000).default(1000).describe('Weight updates.'),
  seed: nonNegativeInt.max(0xffff_ffff).default(1),
  batchSize: positiveInt.default(32),
  seqLen: positiveInt.default(64).describe('Steps of a training sequence cut from a text (char-lm).'),
  bptt: z
    .strictObject({
      window: positiveInt.optional().describe('Steps the gradient flows back; default: all of seqLen.'),
      carryState: z
        .boolean()
        .default(true)
        .describe('Start each window of a text with the state the last one ended in.'),
    })
    .prefault({}),
  clipNorm: z
    .number()
    .gt(0)
    .nullable()
    .default(1)
    .describe('Largest global gradient norm; null: no clipping.'),
  l2: z.number().min(0).default(0).describe('Weight of the squared weights (not biases) in the loss.'),
  earlyStopping: z
    .strictObject({
      patience: positiveInt.describe('Validations without a new best before training ends.'),
      minDelta: z.number().min(0).default(0),
    })
    .nullable()
    .default(null),
  validation: z
    .strictObject({
      every: positiveInt
        .optional()
        .describe('Steps between two validations; default: a fiftieth of steps, more where it takes long.'),
      maxBatches: positiveInt.default(50).describe('At most this many batches of the validation part.'),
    })
    .prefault({}),
  checkpoint: z
    .strictObject({ every: positiveInt.optional().describe('Steps; default: a twentieth of steps.') })
    .prefault({}),
  sample: z
    .strictObject({
      every: positiveInt.optional().describe('Steps between two samples; default: a tenth of steps.'),
      length: positiveInt.max(100_000).default(200),
      temperature: z.number().gt(0).default(0.8),
      prompt: z.string().optional(),
    })
    .prefault({}),
});

// ---------------------------------------------------------------- experiment

const compareSchema = z
  .object({
    cell: z
      .array(z.enum(['rnn', 'gru', 'lstm']))
      .min(1)
      .optional()
      .describe('Train the same model with each of these cells.'),
    seeds: positiveInt
      .max(100)
      .optional()
      .describe('Repeat with this many seeds, counted from training.seed.'),
  })
  .catchall(z.array(z.union([z.number(), z.string(), z.boolean(), z.null()])).min(1))
  .describe(
    'One run for each combination. Any field can be compared by its dotted path: "training.optimizer.learningRate": [0.001, 0.003].',
  );

const probesSchema = z
  .strictObject({
    gradientFlow: z
      .union([
        z.literal(false),
        z.strictObject({
          every: positiveInt.optional().describe('Steps; default: chosen to cost about 1 %.'),
        }),
      ])
      .prefault({})
      .describe('Record the gradient of the last step with respect to every hidden state.'),
    gates: z
      .union([z.literal(false), z.strictObject({ every: positiveInt.optional() })])
      .prefault({})
      .describe('Record the mean of every gate at every time step.'),
  })
  .prefault({});

export const experimentSchema = z
  .strictObject({
    $schema: z.string().optional(),
    name: z.string().min(1).max(200).optional().describe('Default: the name of the file.'),
    data: dataSchema,
    model: modelSchema,
    training: trainingSchema.prefault({}),
    compare: compareSchema.optional(),
    probes: probesSchema,
    log: z
      .strictObject({
        every: positiveInt.optional().describe('Steps per written row; default: ceil(steps / 20000).'),
      })
      .prefault({}),
  })
  .describe('An Unroll experiment: what to train, on what, and how.');

/** As people write it: defaults left out. */
export type ExperimentInput = z.input<typeof experimentSchema>;
/** With every default filled in. */
export type Experiment = z.output<typeof experimentSchema>;
export type Data = Experiment['data'];
export type TaskName = Data['task'];
export type Layer = z.output<typeof layerSchema>;
export type RecurrentLayer = Extract<Layer, { type: 'rnn' | 'lstm' | 'gru' }>;
export type TransformerLayer = Extract<Layer, { type: 'transformer' }>;
export type TcnLayer = Extract<Layer, { type: 'tcn' }>;
export type CellName = RecurrentLayer['type'];
export type Convention = Experiment['model']['convention'];
export type Training = Experiment['training'];
export type Optimizer = Training['optimizer'];
export type Schedule = Training['schedule'];

export const CELLS: readonly CellName[] = ['rnn', 'gru', 'lstm'];

export function isRecurrent(layer: Layer): layer is RecurrentLayer {
  return layer.type === 'rnn' || layer.type === 'gru' || layer.type === 'lstm';
}

/** Whether a step of its output depends on other steps than its own. */
export function seesOtherSteps(layer: Layer): boolean {
  return isRecurrent(layer) || layer.type === 'transformer' || layer.type === 'tcn';
}

/** Whether a sequence may be read in parts, with states between them. */
export function readsInParts(layer: Layer): boolean {
  return isRecurrent(layer) ? !layer.bidirectional : !seesOtherSteps(layer);
}

/** 2 where a recurrent layer reads its sequences from both ends. */
export function directionsOf(layer: Pick<RecurrentLayer, 'bidirectional'>): 1 | 2 {
  return layer.bidirectional ? 2 : 1;
}
