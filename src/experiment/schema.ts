// The experiment: what is to be trained, as one schema from which types, defaults, the contributed JSON schema and the
// error messages come. Layers and tasks are kinds: layers/ and tasks/.
import * as z from 'zod';
import { conventionSchema } from './convention.ts';
import { positiveInt } from './fields.ts';
import { CELL_TYPES, type Layer, type LayerType, layerSchema } from './layers/index.ts';
import type { RecurrentFields } from './layers/recurrent.ts';
import { dataSchema } from './tasks/index.ts';
import { trainingSchema } from './training.ts';

const modelSchema = z.strictObject({
  convention: conventionSchema,
  encoder: z
    .array(layerSchema)
    .min(1)
    .optional()
    .describe('Layers that read the source, from input to states; for tasks that have a source.'),
  layers: z.array(layerSchema).min(1).describe('From input to output.'),
});

const cellType = z.enum(CELL_TYPES as [LayerType, ...LayerType[]]);

const compareSchema = z
  .object({
    cell: z
      .array(z.union([cellType, z.looseObject({ type: cellType })]))
      .min(1)
      .optional()
      .describe('Train the same model with each of these cells; {"type": …} with fields of its own.'),
    equal: z
      .enum(['units', 'parameters'])
      .optional()
      .describe(
        'What the cells have in common: their units, or as many parameters as the largest of them (the most units that stay within). Default: units.',
      ),
    data: z
      .array(dataSchema)
      .min(1)
      .optional()
      .describe('Train on each of these data: a task a column of the ability matrix.'),
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
    spectrum: z
      .union([z.literal(false), z.strictObject({ every: positiveInt.optional() })])
      .prefault({})
      .describe(
        'Record the spectral radius, the largest singular value and the condition number of every recurrent matrix, and how ∂h_T/∂h_t changes lengths.',
      ),
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

export type { Convention } from './convention.ts';
export type { Layer, LayerInput, LayerOf, LayerType } from './layers/index.ts';
export type { Data, DataOf, TaskName } from './tasks/index.ts';
export type { Optimizer, Schedule, Training } from './training.ts';

/** Layers whose weights are blocks of gates over the input and the previous state. */
export type RecurrentLayer = Extract<Layer, RecurrentFields>;
