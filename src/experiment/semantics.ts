// Faults that the schema cannot see: layers that do not fit each other or the task, settings without effect.
import { expandComparison } from './compare.ts';
import { formatBytes, predictMemory, trainingSeqLen } from './resources.ts';
import { type Experiment, type ExperimentInput, isRecurrent } from './schema.ts';

export interface SemanticProblem {
  message: string;
  path: (string | number)[];
  severity: 'error' | 'warning';
}

/** No machine that Unroll runs on has this much; the real memory is compared when training starts. */
const ABSURD_BYTES = 4e12;

export function validateSemantics(experiment: Experiment, input: ExperimentInput): SemanticProblem[] {
  return [
    ...checkLayers(experiment),
    ...checkTraining(experiment),
    ...checkComparison(experiment, input),
    ...checkMemory(experiment),
  ];
}

function checkLayers(experiment: Experiment): SemanticProblem[] {
  const problems: SemanticProblem[] = [];
  const { layers } = experiment.model;
  const { task } = experiment.data;
  const error = (path: (string | number)[], message: string) =>
    problems.push({ path: ['model', 'layers', ...path], message, severity: 'error' });
  const warn = (path: (string | number)[], message: string) =>
    problems.push({ path: ['model', 'layers', ...path], message, severity: 'warning' });
  layers.forEach((layer, index) => {
    if (layer.type === 'embedding' && index > 0)
      error([index], 'An embedding must be the first layer: it reads symbols.');
    if (layer.type === 'embedding' && task !== 'char-lm')
      error([index], `The task "${task}" feeds numbers, not symbols: remove the embedding.`);
    if (isRecurrent(layer) && layer.dropout > 0 && layer.layers === 1)
      warn(
        [index, 'dropout'],
        'This dropout has no effect: it works between stacked layers, and here "layers" is 1. Add a layer of type "dropout" after it instead.',
      );
    if (layer.type === 'dense' && layer.units === undefined && index < layers.length - 1)
      error([index], 'Only the last dense layer can do without "units": it takes them from the task.');
    if (
      layer.type === 'rnn' &&
      layer.activation === 'relu' &&
      layer.recurrentInit !== 'orthogonal' &&
      layer.recurrentInit !== 'identity'
    )
      warn(
        [index, 'activation'],
        'A ReLU recurrent layer explodes easily: start it with "recurrentInit": "identity" or "orthogonal" (Le, Jaitly & Hinton 2015).',
      );
  });
  if (!layers.some(isRecurrent))
    error([], 'The model has no recurrent layer: add one of "rnn", "gru", "lstm".');
  const last = layers.at(-1);
  if (last && last.type !== 'dense')
    error([layers.length - 1], 'The last layer must be "dense": it makes the outputs of the task.');
  return problems;
}

function checkTraining(experiment: Experiment): SemanticProblem[] {
  const problems: SemanticProblem[] = [];
  const { training, data } = experiment;
  const seqLen = trainingSeqLen(experiment);
  if (training.bptt.window !== undefined && training.bptt.window > seqLen)
    problems.push({
      path: ['training', 'bptt', 'window'],
      message: `The BPTT window of ${training.bptt.window} steps is longer than a sequence, which has ${seqLen}.`,
      severity: 'error',
    });
  if (training.schedule.warmup > training.steps)
    problems.push({
      path: ['training', 'schedule', 'warmup'],
      message: `The warm-up of ${training.schedule.warmup} steps is longer than the training of ${training.steps}.`,
      severity: 'warning',
    });
  if (data.task === 'forecast' && data.features?.length === 0)
    problems.push({
      path: ['data', 'features'],
      message: '"features" must name at least one column.',
      severity: 'error',
    });
  if ('split' in data && data.split[0] === 0)
    problems.push({
      path: ['data', 'split'],
      message: 'The training part of "split" must be greater than 0.',
      severity: 'error',
    });
  return problems;
}

function checkComparison(experiment: Experiment, input: ExperimentInput): SemanticProblem[] {
  const problems: SemanticProblem[] = [];
  for (const key of Object.keys(input.compare ?? {})) {
    if (key === 'cell' || key === 'seeds') continue;
    try {
      expandComparison({
        ...experiment,
        compare: { [key]: (experiment.compare as Record<string, never>)[key] } as never,
      });
    } catch (cause) {
      const message = (cause as Error).message.replace(/^compare: /, '');
      problems.push({
        path: ['compare', key],
        message: `Cannot compare "${key}": ${message}`,
        severity: 'error',
      });
    }
  }
  return problems;
}

function checkMemory(experiment: Experiment): SemanticProblem[] {
  const { bytes } = predictMemory(experiment, {
    vocabulary: experiment.data.task === 'char-lm' ? 1 : null,
    features: 1,
    outputs: 1,
  });
  if (bytes < ABSURD_BYTES) return [];
  const { layers } = experiment.model;
  const widest = layers.reduce(
    (best, layer, index) => (unitsOf(layer) > unitsOf(layers[best]) ? index : best),
    0,
  );
  return [
    {
      path: ['model', 'layers', widest, 'units'],
      message: `Training this would take about ${formatBytes(bytes)} of memory: no machine has that. Use fewer units, a smaller batch or shorter sequences.`,
      severity: 'error',
    },
  ];
}

function unitsOf(layer: Experiment['model']['layers'][number] | undefined): number {
  return layer && 'units' in layer ? (layer.units ?? 0) : 0;
}
