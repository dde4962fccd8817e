// The experiments of the golden table: every sample, and each kind of layer in models and tasks of each sort.
import { readdirSync, readFileSync } from 'node:fs';
import { knownSizes, trainingSeqLen } from '../../../src/experiment/models.ts';
import { countModel } from '../../../src/experiment/parameters.ts';
import { parseExperiment } from '../../../src/experiment/parse.ts';
import { multiplyAdds, predictMemory } from '../../../src/experiment/resources.ts';
import type { ModelSizes } from '../../../src/experiment/sizes.ts';

const MEMORY = 1e15;

const layers: Record<string, object[]> = {
  rnn: [{ type: 'rnn', units: 24 }],
  'rnn relu stacked': [{ type: 'rnn', units: 24, layers: 3, dropout: 0.1, activation: 'relu' }],
  lstm: [{ type: 'lstm', units: 32 }],
  'lstm both ways': [{ type: 'lstm', units: 32, layers: 2, bidirectional: true }],
  gru: [{ type: 'gru', units: 20 }],
  'gru before': [{ type: 'gru', units: 20, resetAfter: false }],
  transformer: [
    { type: 'dense', units: 16 },
    { type: 'transformer', layers: 2, dropout: 0.1 },
  ],
  'transformer window': [
    { type: 'dense', units: 16 },
    { type: 'transformer', heads: 2, window: 5, positions: 'none' },
  ],
  tcn: [{ type: 'tcn', units: 12, layers: 3 }],
  'tcn same width': [
    { type: 'dense', units: 12 },
    { type: 'tcn', units: 12, dropout: 0.1 },
  ],
  mixed: [
    { type: 'lstm', units: 8 },
    { type: 'layer-norm' },
    { type: 'dropout', rate: 0.2 },
    { type: 'dense', units: 6, activation: 'relu' },
  ],
  embedding: [
    { type: 'embedding', dim: 10 },
    { type: 'gru', units: 16 },
  ],
};

const data: Record<string, object> = {
  'char-lm': { task: 'char-lm', path: 'a.txt' },
  forecast: {
    task: 'forecast',
    path: 'a.csv',
    target: 'y',
    features: ['x', 'y', 'z'],
    window: 30,
    horizon: 2,
  },
  adding: { task: 'adding', length: 50 },
  'temporal-order': { task: 'temporal-order', length: 40 },
};

/** Experiments that are wrong, each in one way. */
const faulty: Record<
  string,
  (e: { data: object; model: { layers: object[] }; training?: object }) => object
> = {
  'no layer across steps': e => ({ ...e, model: { layers: [{ type: 'dense' }] } }),
  'embedding second': e => ({
    ...e,
    model: { layers: [{ type: 'lstm', units: 4 }, { type: 'embedding', dim: 3 }, { type: 'dense' }] },
  }),
  'no dense at the end': e => ({ ...e, model: { layers: [{ type: 'lstm', units: 4 }] } }),
  'units at the end': e => ({
    ...e,
    model: {
      layers: [
        { type: 'lstm', units: 4 },
        { type: 'dense', units: 77 },
      ],
    },
  }),
  'activation at the end': e => ({
    ...e,
    model: {
      layers: [
        { type: 'lstm', units: 4 },
        { type: 'dense', activation: 'relu' },
      ],
    },
  }),
  'dense without units': e => ({
    ...e,
    model: { layers: [{ type: 'lstm', units: 4 }, { type: 'dense' }, { type: 'dense' }] },
  }),
  'dropout alone': e => ({
    ...e,
    model: {
      layers: [{ type: 'lstm', units: 4, dropout: 0.5 }, { type: 'dropout', rate: 0 }, { type: 'dense' }],
    },
  }),
  bidirectional: e => ({
    ...e,
    model: { layers: [{ type: 'gru', units: 4, bidirectional: true }, { type: 'dense' }] },
  }),
  heads: e => ({
    ...e,
    model: { layers: [{ type: 'dense', units: 10 }, { type: 'transformer', heads: 4 }, { type: 'dense' }] },
  }),
  'window and transformer': e => ({
    ...e,
    model: { layers: [{ type: 'dense', units: 8 }, { type: 'transformer' }, { type: 'dense' }] },
    training: { bptt: { window: 7 } },
  }),
  'window and both ways': e => ({
    ...e,
    model: { layers: [{ type: 'gru', units: 4, bidirectional: true }, { type: 'dense' }] },
    training: { bptt: { window: 7 } },
  }),
  'window too long': e => ({ ...e, training: { bptt: { window: 700 } } }),
  'seqLen written': e => ({ ...e, training: { seqLen: 20, bptt: { carryState: true } } }),
  'warm-up': e => ({ ...e, training: { steps: 10, schedule: { type: 'cosine', warmup: 20 } } }),
  'unknown layer': e => ({ ...e, model: { layers: [{ type: 'lsmt', units: 4 }, { type: 'dense' }] } }),
  'unknown field': e => ({ ...e, model: { layers: [{ type: 'lstm', unit: 4 }, { type: 'dense' }] } }),
  'too wide': e => ({ ...e, model: { layers: [{ type: 'lstm', units: 4_000_000 }, { type: 'dense' }] } }),
};

export function table(): Record<string, unknown> {
  const rows: Record<string, unknown> = {};
  for (const file of readdirSync('samples')
    .filter(name => name.endsWith('.rnn.json'))
    .sort())
    rows[`samples/${file}`] = describe(readFileSync(`samples/${file}`, 'utf8'));
  for (const [task, dataOf] of Object.entries(data)) {
    for (const [name, model] of Object.entries(layers))
      for (const convention of ['pytorch', 'keras', 'tfjs']) {
        const experiment = { data: dataOf, model: { convention, layers: [...model, { type: 'dense' }] } };
        rows[`${task} · ${name} · ${convention}`] = describe(JSON.stringify(experiment));
      }
    for (const [name, change] of Object.entries(faulty)) {
      const plain = { data: dataOf, model: { layers: [{ type: 'lstm', units: 4 }, { type: 'dense' }] } };
      rows[`${task} · ${name}`] = messagesOf(JSON.stringify(change(plain)), 64e9);
    }
  }
  return rows;
}

/** A list of all layers is left out: each new kind would change it. */
function messagesOf(text: string, memoryBytes: number): string[] {
  return parseExperiment(text, { memoryBytes }).problems.map(
    ({ severity, path, message }) =>
      `${severity} ${path.join('.')}: ${message.replace(/one of "embedding".* or "[^"]*"/, 'one of the layers')}`,
  );
}

function describe(text: string): unknown {
  const { experiment } = parseExperiment(text, { memoryBytes: MEMORY });
  if (!experiment) return messagesOf(text, MEMORY);
  const tokens: ModelSizes = { input: { kind: 'tokens', vocabulary: 61 }, outputs: 61 };
  // sequences of the data's own lengths
  const steps = Number.isNaN(trainingSeqLen(experiment)) ? { steps: 30 } : {};
  const sizes = knownSizes(experiment) ?? { ...tokens, ...steps };
  const { layers, total } = countModel(experiment, sizes);
  return {
    layers: layers.map(({ name, type, count, formula }) => `${name} ${type} ${formula} = ${count}`),
    total,
    multiplyAdds: multiplyAdds(experiment, sizes).forward,
    memory: Object.fromEntries(
      predictMemory(experiment, sizes).parts.map(({ name, bytes }) => [name, bytes]),
    ),
  };
}
