// How a model is trained: optimizer, schedule, batches, truncated BPTT, and what is done on the way.
import * as z from 'zod';
import { nonNegativeInt, positiveInt, rate } from './fields.ts';

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

export const trainingSchema = z.strictObject({
  optimizer: optimizerSchema,
  schedule: scheduleSchema,
  steps: positiveInt.max(100_000_000).default(1000).describe('Weight updates.'),
  seed: nonNegativeInt.max(0xffff_ffff).default(1),
  batchSize: positiveInt.default(32),
  seqLen: positiveInt.default(64).describe('Steps of a training sequence cut from a text.'),
  bptt: z
    .strictObject({
      window: positiveInt.optional().describe('Steps the gradient flows back; default: all of seqLen.'),
      carryState: z
        .boolean()
        .default(true)
        .describe('Start each window of a text with the state the last one ended in.'),
    })
    .prefault({}),
  teacherForcing: z
    .strictObject({
      ratio: z
        .number()
        .min(0)
        .max(1)
        .default(1)
        .describe('Probability that a decoder reads the true symbol before, and not its own.'),
      schedule: z
        .enum(['constant', 'linear', 'exponential', 'inverse-sigmoid'])
        .default('constant')
        .describe('How the probability falls from 1 to `ratio`; constant: it is `ratio` from the start.'),
    })
    .optional()
    .describe('Of a decoder: scheduled sampling (Bengio et al. 2015); default: always the true symbol.'),
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
      topK: positiveInt.optional().describe('Draw among so many likeliest symbols; default: all.'),
      topP: z
        .number()
        .gt(0)
        .max(1)
        .optional()
        .describe('Draw among the likeliest symbols that together have this probability; default: all.'),
      prompt: z.string().optional(),
    })
    .prefault({}),
});

export type Training = z.output<typeof trainingSchema>;
export type Optimizer = Training['optimizer'];
export type Schedule = Training['schedule'];
