// How a model is trained: optimizer, schedule, batches, truncated BPTT, and what is done on the way.
import * as z from 'zod';
import { augmentationSchema } from './augmentation.ts';
import { nonNegativeInt, positiveInt, rate } from './fields.ts';

const learningRate = z.number().gt(0).default(0.001);

const amsgrad = z
  .boolean()
  .default(false)
  .describe('Divide by the largest second moment so far (AMSGrad, Reddi et al. 2018).');

const optimizerSchema = z
  .discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('adam'),
      learningRate,
      beta1: rate.default(0.9),
      beta2: rate.default(0.999),
      epsilon: z.number().gt(0).default(1e-8),
      amsgrad,
    }),
    z.strictObject({
      type: z.literal('adamw'),
      learningRate,
      beta1: rate.default(0.9),
      beta2: rate.default(0.999),
      epsilon: z.number().gt(0).default(1e-8),
      weightDecay: z.number().min(0).default(0.01),
      amsgrad,
    }),
    z
      .strictObject({
        type: z.literal('nadam'),
        learningRate: z.number().gt(0).default(0.002),
        beta1: rate.default(0.9),
        beta2: rate.default(0.999),
        epsilon: z.number().gt(0).default(1e-8),
        momentumDecay: z.number().min(0).default(0.004),
      })
      .describe('Adam with Nesterov momentum (Dozat 2016).'),
    z
      .strictObject({
        type: z.literal('adagrad'),
        learningRate: z.number().gt(0).default(0.01),
        learningRateDecay: z.number().min(0).default(0),
        initialAccumulator: z.number().min(0).default(0),
        epsilon: z.number().gt(0).default(1e-10),
      })
      .describe('Steps shrink with the squares of all gradients so far (Duchi et al. 2011).'),
    z
      .strictObject({
        type: z.literal('lion'),
        learningRate: z.number().gt(0).default(0.0001),
        beta1: rate.default(0.9),
        beta2: rate.default(0.99),
        weightDecay: z.number().min(0).default(0),
      })
      .describe('The sign of a momentum (Chen et al. 2023).'),
    z
      .strictObject({
        type: z.literal('muon'),
        learningRate: z.number().gt(0).default(0.02).describe('Of matrices.'),
        momentum: rate.default(0.95),
        nesterov: z.boolean().default(true),
        iterations: positiveInt
          .max(20)
          .default(5)
          .describe('Newton-Schulz steps that make an update orthogonal.'),
        otherLearningRate: z
          .number()
          .gt(0)
          .default(0.001)
          .describe('Of all that is no matrix, which AdamW updates; follows the schedule too.'),
        weightDecay: z.number().min(0).default(0),
      })
      .describe('Orthogonal updates of matrices (Jordan et al. 2024), AdamW for the rest.'),
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
  .default({ type: 'adam', learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, amsgrad: false });

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
    z
      .strictObject({
        type: z.literal('plateau'),
        warmup: nonNegativeInt.default(0),
        factor: z.number().gt(0).lt(1).default(0.1).describe('What the learning rate is multiplied by.'),
        patience: nonNegativeInt
          .default(10)
          .describe('Validations without a better loss that are waited for.'),
        threshold: z
          .number()
          .min(0)
          .default(1e-4)
          .describe('Share by which a loss must be lower to be better.'),
        cooldown: nonNegativeInt.default(0).describe('Validations after a drop that are not counted.'),
        final: z.number().min(0).max(1).default(0).describe('Least share of the learning rate.'),
      })
      .describe('Drops when the validation loss stops falling.'),
    z
      .strictObject({
        type: z.literal('one-cycle'),
        rise: z
          .number()
          .gt(0)
          .lt(1)
          .default(0.3)
          .describe('Share of the steps in which the learning rate rises.'),
        anneal: z.enum(['cosine', 'linear']).default('cosine'),
        start: z
          .number()
          .gt(0)
          .max(1)
          .default(0.04)
          .describe('Share of the learning rate at the first step.'),
        final: z
          .number()
          .min(0)
          .max(1)
          .default(4e-6)
          .describe('Share of the learning rate at the last step.'),
      })
      .describe('Rises to the learning rate and falls far below where it began (Smith & Topin 2017).'),
  ])
  .default({ type: 'constant', warmup: 0 });

export const trainingSchema = z.strictObject({
  optimizer: optimizerSchema,
  schedule: scheduleSchema,
  steps: positiveInt.max(100_000_000).default(1000).describe('Weight updates.'),
  seed: nonNegativeInt.max(0xffff_ffff).default(1),
  batchSize: positiveInt.default(32),
  accumulate: positiveInt
    .default(1)
    .describe('Batches whose gradients make one update, as if they were one large batch.'),
  maxTokens: positiveInt
    .optional()
    .describe(
      'Steps of a pass, padding included: a batch that has more is computed in parts, whose gradients are added up. Default: 8 times the length that 90 % of the sequences stay within, times batchSize.',
    ),
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
  clipTensorNorm: z
    .number()
    .gt(0)
    .nullable()
    .default(null)
    .describe("Largest norm of each weight's gradient by itself, before the global norm is clipped."),
  clipValue: z
    .number()
    .gt(0)
    .nullable()
    .default(null)
    .describe('Largest size of each number of the gradient, before norms are clipped.'),
  l2: z.number().min(0).default(0).describe('Weight of the squared weights (not biases) in the loss.'),
  recurrentL2: z
    .number()
    .min(0)
    .optional()
    .describe('The same of recurrent weights (weight_hh); default: that of `l2`.'),
  weightDecay: z
    .strictObject({
      kernel: z.number().min(0).default(0).describe('Of weights that are neither recurrent nor biases.'),
      recurrent: z.number().min(0).default(0).describe('Of recurrent weights (weight_hh).'),
    })
    .optional()
    .describe(
      'Decoupled decay: before each update weights shrink by learning rate times this (Loshchilov & Hutter 2017), with any optimizer.',
    ),
  augmentation: augmentationSchema.optional(),
  labelSmoothing: rate
    .default(0)
    .describe('Share of the target that is spread over all classes in training (Szegedy et al. 2016).'),
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
