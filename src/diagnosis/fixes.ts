// Edits of an experiment that findings propose. Each gives null where the experiment already has it.
import type { Experiment, Layer, RecurrentLayer } from '../experiment/schema.ts';
import { taskOf } from '../experiment/tasks/index.ts';
import { plural } from '../experiment/words.ts';
import type { Fix } from '../runs/format.ts';

export function existing(...fixes: (Fix | null)[]): Fix[] {
  return fixes.filter(fix => fix !== null);
}

function recurrentAt({ model }: Experiment, index: number): RecurrentLayer | null {
  const layer: Layer | undefined = model.layers[index];
  return layer && 'recurrentInit' in layer ? layer : null;
}

/** A cell that remembers longer: an LSTM instead of a simple one. */
export function lstm(experiment: Experiment, index: number): Fix | null {
  return recurrentAt(experiment, index)?.type === 'rnn' ? switchCell(experiment, index, 'lstm') : null;
}

export function gru(experiment: Experiment, index: number): Fix | null {
  return switchCell(experiment, index, 'gru');
}

/** Fields that the new cell does not have are removed with it. */
function switchCell(experiment: Experiment, index: number, type: 'gru' | 'lstm'): Fix | null {
  const layer = recurrentAt(experiment, index);
  if (!layer || layer.type === type) return null;
  const at = ['model', 'layers', index];
  const edits: Fix['edits'] = [{ path: [...at, 'type'], value: type }];
  for (const field of ['activation', 'forgetBias', 'resetAfter'])
    if ((layer as Record<string, unknown>)[field] !== undefined)
      edits.push({ path: [...at, field], value: undefined });
  return { title: type === 'lstm' ? 'Use an LSTM' : 'Use a GRU', edits };
}

export function forgetBias(experiment: Experiment, index: number): Fix | null {
  const layer = recurrentAt(experiment, index);
  if (layer?.type !== 'lstm') return null;
  const bias = layer.forgetBias ?? (experiment.model.convention === 'keras' ? 1 : 0);
  const value = bias >= 1 ? (bias < 3 ? 3 : null) : 1;
  if (value === null) return null;
  return {
    title: `Start with the forget gate open (forgetBias ${value})`,
    edits: [{ path: ['model', 'layers', index, 'forgetBias'], value }],
  };
}

export function orthogonal(experiment: Experiment, index: number): Fix | null {
  const layer = recurrentAt(experiment, index);
  if (!layer || layer.recurrentInit === 'orthogonal') return null;
  if (layer.recurrentInit === 'default' && experiment.model.convention !== 'pytorch') return null;
  return {
    title: 'Start with orthogonal recurrent weights',
    edits: [{ path: ['model', 'layers', index, 'recurrentInit'], value: 'orthogonal' }],
  };
}

/** The identity start of Le, Jaitly & Hinton 2015. */
export function identityRelu(experiment: Experiment, index: number): Fix | null {
  const layer = recurrentAt(experiment, index);
  if (layer?.type !== 'rnn' || (layer.activation === 'relu' && layer.recurrentInit === 'identity'))
    return null;
  return {
    title: 'Use ReLU and identity recurrent weights (IRNN)',
    edits: [
      { path: ['model', 'layers', index, 'activation'], value: 'relu' },
      { path: ['model', 'layers', index, 'recurrentInit'], value: 'identity' },
    ],
  };
}

export function clip({ training }: Experiment, at: number): Fix | null {
  if (training.clipNorm !== null && training.clipNorm <= at) return null;
  return { title: `Clip gradients at norm ${at}`, edits: [{ path: ['training', 'clipNorm'], value: at }] };
}

export function slower({ training }: Experiment, factor: number): Fix {
  const value = Number((training.optimizer.learningRate * factor).toPrecision(2));
  return {
    title: `Lower the learning rate to ${value}`,
    edits: [{ path: ['training', 'optimizer', 'learningRate'], value }],
  };
}

export function longer({ training }: Experiment): Fix {
  const value = training.steps * 2;
  return {
    title: `Train for ${value.toLocaleString('en-US')} steps`,
    edits: [{ path: ['training', 'steps'], value }],
  };
}

export function cosine({ training }: Experiment): Fix | null {
  if (training.schedule.type !== 'constant') return null;
  const value = { type: 'cosine', warmup: training.schedule.warmup };
  return {
    title: 'Let the learning rate fall (cosine schedule)',
    edits: [{ path: ['training', 'schedule'], value }],
  };
}

export function shorterWindow({ training, data }: Experiment, to: number): Fix | null {
  if (!taskOf(data).stream || to < 8 || to >= training.seqLen) return null;
  return {
    title: `Train on sequences of ${plural(to, 'step')}`,
    edits: [{ path: ['training', 'seqLen'], value: to }],
  };
}

/** The gradient was cut before it could come this far. */
export function wholeWindow({ training }: Experiment, seqLen: number): Fix | null {
  if ((training.bptt.window ?? seqLen) >= seqLen) return null;
  return {
    title: `Let the gradient flow back through all ${seqLen} steps`,
    edits: [{ path: ['training', 'bptt', 'window'], value: undefined }],
  };
}

export function earlyStopping({ training }: Experiment): Fix | null {
  if (training.earlyStopping) return null;
  return {
    title: 'Stop when validation no longer improves',
    edits: [{ path: ['training', 'earlyStopping'], value: { patience: 5 } }],
  };
}

/** Between stacked layers, where there are any. */
export function dropout(experiment: Experiment): Fix | null {
  const index = experiment.model.layers.findIndex(layer => 'recurrentInit' in layer && layer.layers > 1);
  const layer = recurrentAt(experiment, index);
  if (!layer || layer.dropout >= 0.5) return null;
  const value = layer.dropout < 0.2 ? 0.2 : 0.5;
  return {
    title: `Drop ${value * 100} % between the stacked layers`,
    edits: [{ path: ['model', 'layers', index, 'dropout'], value }],
  };
}

export function weightPenalty({ training }: Experiment): Fix | null {
  if (training.l2 > 0) return null;
  return { title: 'Penalise large weights (l2 0.0001)', edits: [{ path: ['training', 'l2'], value: 1e-4 }] };
}

export function fewerUnits(experiment: Experiment): Fix | null {
  const index = experiment.model.layers.findIndex(layer => 'recurrentInit' in layer);
  const layer = recurrentAt(experiment, index);
  if (!layer || layer.units < 16) return null;
  const value = layer.units >> 1;
  return {
    title: `Use ${plural(value, 'unit')}`,
    edits: [{ path: ['model', 'layers', index, 'units'], value }],
  };
}
