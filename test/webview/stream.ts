// Runs made by formula, for work on the page without training: they look like runs but prove nothing about it.

import { countModel } from '../../src/experiment/parameters.ts';
import { type Experiment, experimentSchema, type RecurrentLayer } from '../../src/experiment/schema.ts';
import { metricsOf } from '../../src/experiment/tasks/index.ts';
import type { Life, Place, RunSource } from '../../src/extension/dashboard/run-view.ts';
import type { ShownState } from '../../src/protocol/messages.ts';
import { ScalarTable } from '../../src/runs/columns.ts';
import type {
  Finding,
  RunFile,
  RunStatus,
  Sample,
  SeriesLevel,
  SeriesSidecar,
} from '../../src/runs/format.ts';
import { fakeSamples } from './samples.ts';

export interface FakeRun {
  id: string;
  name: string;
  source: RunSource & { status: RunStatus };
  life: Life;
  place: Place;
  advance(steps: number): void;
}

export interface FakeOptions {
  cell: RecurrentLayer['type'];
  label: string;
  variant?: number;
  steps: number;
  seqLen: number;
  seed: number;
  layers?: number;
  divergesAt?: number;
  task?: 'char-lm' | 'forecast' | 'adding';
  /** a sample of this type in place of the task's own */
  shows?: keyof typeof fakeSamples | undefined;
  full?: boolean;
  /** of a forecast: several have metrics of their own */
  targets?: string[] | undefined;
  /** with the spectrum of its matrices and the product of its Jacobians */
  spectrum?: boolean;
  /** of truncated BPTT */
  window?: number | undefined;
  /** its place among runs on several data */
  matrix?: Place['matrix'];
  /** another program held a processor for this share of its time */
  timeAlone?: number | undefined;
  /** its weights began with a file */
  begins?: boolean;
  /** its gradient is found to vanish */
  vanishes?: boolean;
}

const VOCABULARY = 76;
const PROBE_EVERY = 10;

export function fakeRun(options: FakeOptions): FakeRun {
  const { cell, label, steps, seqLen, seed, layers = 1, divergesAt = Number.POSITIVE_INFINITY } = options;
  const random = mulberry(seed);
  const experiment = experimentOf(options);
  const names = Array.from({ length: layers }, (_, layer) => `layers.1.${layer}`);
  const rows = (width: number, sidecar: Partial<SeriesSidecar>) => ({
    sidecar: {
      name: '',
      view: 'time-map',
      width,
      axes: [
        { name: 'layer', size: layers },
        { name: 't', size: seqLen },
      ],
      layers: names.map(
        (name): SeriesLevel => ({
          name,
          family: 'recurrent',
          title: cell.toUpperCase(),
          units: 128,
          keeps: { rnn: undefined, gru: 'z', lstm: 'f' }[cell],
        }),
      ),
      unit: '',
      ...sidecar,
    },
    steps: [] as number[],
    rows: [] as Float32Array[],
  });
  const gateNames = { rnn: [], gru: ['r', 'z', 'n'], lstm: ['i', 'f', 'g', 'o'] }[cell];
  const gateLabels = names.flatMap(name => gateNames.map(gate => `${name} ${gate}`));
  const flow = rows(layers * seqLen, { name: 'gradient-flow' });
  const full = rows(layers * seqLen, { name: 'gradient-flow-full' });
  const gates = rows(gateLabels.length * seqLen, {
    name: 'gates',
    view: 'gates',
    axes: [
      { name: 'gate', size: gateLabels.length, labels: gateLabels },
      { name: 't', size: seqLen },
    ],
  });
  const scalars = new ScalarTable();
  const samples: { step: number; sample: Sample }[] = [];
  const findings: (Finding & { step: number })[] = [];
  const checkpoints: { step: number }[] = [];
  const series = new Map([['gradient-flow', flow]]);
  if (options.full) series.set('gradient-flow-full', full);
  const blocks = gateLabels.length > 0 ? gateLabels : names;
  const spectrum = rows(blocks.length * 3, {
    name: 'spectrum',
    view: 'spectrum',
    axes: [
      { name: 'map', size: blocks.length, labels: blocks },
      { name: 'figure', size: 3, labels: ['radius', 'sigma', 'condition'] },
    ],
    layers: [],
  });
  const jacobian = rows(layers * seqLen, { name: 'jacobian-flow' });
  if (options.spectrum) series.set('spectrum', spectrum).set('jacobian-flow', jacobian);
  if (gateLabels.length > 0) series.set('gates', gates);
  const status: RunStatus = {
    state: 'training',
    heartbeat: 1,
    step: 0,
    steps,
    eta: steps * 0.1,
    last: {
      tokensPerSecond: { rnn: 188_200, gru: 76_200, lstm: 61_500 }[cell],
      memoryBytes: 214e6,
      ...(options.timeAlone !== undefined && { timeAlone: options.timeAlone }),
    },
    message: null,
  };
  const life: Life = { state: 'training', heartbeatAge: 0 };
  const floor = { rnn: 1.45, gru: 1.18, lstm: 1.1 }[cell] + 0.02 * (options.variant ?? 0);
  const tau = { rnn: 26, gru: 22, lstm: 34 }[cell];
  const base = (step: number) => floor + (Math.log(VOCABULARY) - floor) * (1 + step / tau) ** -0.55;
  const bumps = Array.from({ length: seqLen }, () => gauss(random));
  let noise = 0;
  let step = 0;

  const run: RunFile = {
    ...runFile(options, experiment),
    parameters: countModel(experiment, {
      input:
        options.task === 'forecast' || options.task === 'adding'
          ? { kind: 'vectors', features: 1 }
          : { kind: 'tokens', vocabulary: VOCABULARY },
      outputs: VOCABULARY,
    }),
  };
  const fake: FakeRun = {
    id: `run-${seed}`,
    name: 'emma',
    life,
    place: { label, variant: options.variant ?? 0, matrix: options.matrix ?? null },
    source: {
      request: run,
      run,
      status,
      scalars: scalars.columns,
      series,
      samples,
      findings,
      checkpoints,
      ended: null,
      problems: [],
    },
    advance(count) {
      for (let i = 0; i < count && step < steps && life.state === 'training'; i++) one();
      status.step = step;
      status.heartbeat++;
      status.eta = (steps - step) * 0.094;
      if (step >= steps && life.state === 'training') setState('finished');
    },
  };

  function setState(state: ShownState) {
    life.state = state;
    if (state !== 'crashed' && state !== 'silent') status.state = state;
  }

  function one() {
    step++;
    noise = 0.5 * noise + 0.035 * gauss(random);
    const blow = step > divergesAt - 16 ? 0.0042 * (step - divergesAt + 16) ** 2 : 0;
    const loss = step >= divergesAt ? Number.NaN : base(step) * (1 + noise) + blow;
    const spike = random() < 0.002 ? 0.6 : 0;
    const values: [string, { mean: number; min: number; max: number }][] = [
      ['trainLoss', { mean: loss, min: loss, max: loss + spike }],
    ];
    if (step % Math.ceil(steps / 50) === 0 && step < divergesAt) {
      const value = base(step) + 0.02 + 0.05 * (step / steps) + 0.008 * gauss(random);
      const push = (name: string, of: number) => {
        values.push([name, { mean: of, min: of, max: of }]);
        status.last[name] = of;
      };
      push('valLoss', value);
      if (options.task === 'adding') push('accuracy', 1 - value / Math.log(VOCABULARY));
      else if (options.task === 'forecast') {
        for (const { name } of options.targets ? metricsOf(experiment.data) : [{ name: 'rmse' }])
          push(name, value);
      } else {
        push('perplexity', Math.exp(value));
        push('bitsPerChar', value / Math.LN2);
      }
    }
    scalars.push(step, step * 0.05, step * 2048, values);
    if (step % PROBE_EVERY === 1 && step < divergesAt) probe();
    if (step % 400 === 0 || step === 40) sample();
    if (step % 200 === 0) checkpoints.push({ step });
    if (options.vanishes && step === 300)
      findings.push({
        id: 'vanishing',
        severity: 'warning',
        message:
          'The gradient vanishes: after 300 updates its norm at the first of 100 steps is 4e-6 of that at the last, and the loss 2.31 is still that of character frequencies alone (2.33).',
        layer: 'layers.1',
        evidence: { trainLoss: 2.31 },
        fixes: [
          { title: 'Use an LSTM', edits: [{ path: ['model', 'layers', 1, 'type'], value: 'lstm' }] },
          { title: 'Use a GRU', edits: [{ path: ['model', 'layers', 1, 'type'], value: 'gru' }] },
        ],
        step,
      });
    if (step >= divergesAt) {
      setState('diverged');
      findings.push({
        id: 'diverged',
        severity: 'error',
        message: `Diverged at step ${step}: NaN in the gradient of weight_hh.`,
        layer: 'layers.1',
        evidence: {},
        fixes: [{ title: 'Clip to 1.0', edits: [{ path: ['training', 'clipNorm'], value: 1 }] }],
        step,
      });
    }
  }

  function probe() {
    const explodes = step > divergesAt - 14;
    const reach =
      {
        rnn: 5 + 6.2 * (1 - Math.exp(-step / 90)),
        gru: 7 + 62 * (1 - Math.exp(-step / 270)),
        lstm: 4 + 83.5 / (1 + Math.exp(-(step - 330) / 95)),
      }[cell] *
      (seqLen / 100);
    const wobble = 1 + 0.03 * gauss(random);
    const row = new Float32Array(layers * seqLen);
    const wide = new Float32Array(layers * seqLen);
    for (let layer = 0; layer < layers; layer++)
      for (let t = 1; t <= seqLen; t++) {
        const back = seqLen - t;
        const depth = 1 + 0.4 * (layers - 1 - layer);
        const log = explodes
          ? 0.9 * Math.min(1, back / 30) + (0.3 * back) / seqLen
          : -2 * depth * (back / (reach * wobble)) ** (cell === 'rnn' ? 1 : 0.85);
        const grain = Math.min(1, back / 8) * (0.05 * gauss(random) + 0.05 * bumps[t - 1]!);
        row[layer * seqLen + t - 1] = 0.003 * 10 ** (log + grain);
        wide[layer * seqLen + t - 1] = 0.01 * (1 + 0.2 * gauss(random)) * (1 - 0.3 * (t / seqLen));
      }
    const cut = options.window ? seqLen - options.window : 0;
    for (let t = 0; t < cut; t++) for (let layer = 0; layer < layers; layer++) row[layer * seqLen + t] = 0;
    flow.steps.push(step);
    flow.rows.push(row);
    jacobian.steps.push(step);
    jacobian.rows.push(row.map((value, at) => (at % seqLen < cut ? Number.NaN : value ** 0.7)));
    spectrum.steps.push(step);
    spectrum.rows.push(
      Float32Array.from({ length: blocks.length * 3 }, (_, k) => {
        const radius =
          0.6 + 0.12 * Math.floor(k / 3) + 0.5 * (1 - Math.exp(-step / 500)) + 0.01 * gauss(random);
        return [radius, radius * 1.6, 40 + step / 10][k % 3]!;
      }),
    );
    full.steps.push(step);
    full.rows.push(wide);
    if (gateLabels.length === 0) return;
    const mean = { r: 0.55, z: 0.915, n: 0.02, i: 0.38, f: 0.94, g: -0.01, o: 0.47 } as Record<
      string,
      number
    >;
    gates.steps.push(step);
    gates.rows.push(
      Float32Array.from({ length: gateLabels.length * seqLen }, (_, k) => {
        const t = k % seqLen;
        const keep = mean[gateLabels[Math.floor(k / seqLen)]!.split(' ')[1]!]!;
        return keep + 0.012 * Math.sin(t / 5 + seed) + 0.008 * gauss(random) - 0.12 * keep * Math.exp(-t / 3);
      }),
    );
  }

  function sample() {
    if (options.shows) {
      samples.push({ step, sample: structuredClone(fakeSamples[options.shows]) as Sample });
      return;
    }
    if (options.task === 'forecast') {
      // months, of which three have no value
      const index = Array.from({ length: 120 }, (_, i) => 400 + i + (i > 70 ? 3 : 0));
      const truth = index.map(i => 340 + i * 0.12 + 3 * Math.sin(i / 1.9));
      samples.push({
        step,
        sample: {
          type: 'series',
          index,
          truth,
          prediction: truth.map((value, i) => value + 0.5 * Math.sin(i)),
          persistence: truth.map((_, i) => truth[Math.max(0, i - 1)]!),
          dates: index.map(i => Date.UTC(1958, 2 + i, 1)),
          target: 'CO2',
        },
      });
      return;
    }
    if (options.task === 'adding') {
      const input = Array.from({ length: 12 }, () => random().toFixed(2)).join(' ');
      samples.push({
        step,
        sample: {
          type: 'pairs',
          rows: Array.from({ length: 6 }, () => ({
            input,
            truth: (random() * 2).toFixed(3),
            prediction: (random() * 2).toFixed(3),
          })),
        },
      });
      return;
    }
    const texts = [
      'th aod the se hhe watr ,nd oer tot an he s iln, thes ee aro',
      'was the mornight be a sore of the had been her feeling the parter, and she was not to see the very mished of it all to her',
      'was so very agreeable to the concern of her father, that she could not have been a moment to be suppose it; and Mr. Weston was the first of the sort of the evening',
    ];
    const text = texts[Math.min(2, samples.length)]!;
    samples.push({ step, sample: { type: 'text', prompt: 'Emma ', text, temperature: 0.8 } });
  }
  return fake;
}

function experimentOf({
  cell,
  steps,
  task = 'char-lm',
  layers = 1,
  seqLen,
  window,
  targets = ['CO2'],
}: FakeOptions): Experiment {
  const data =
    task === 'char-lm'
      ? { task, path: 'emma.txt' }
      : task === 'forecast'
        ? { task, path: 'co2.csv', target: targets.length > 1 ? targets : targets[0]!, window: seqLen }
        : { task, length: seqLen };
  const model = {
    layers: [
      ...(task === 'char-lm' ? [{ type: 'embedding', dim: 32 }] : []),
      { type: cell, units: 128, layers },
      { type: 'dense' },
    ],
  };
  return experimentSchema.parse({
    name: 'emma',
    data,
    model,
    training: { steps, ...(window && { bptt: { window } }) },
  });
}

function runFile(
  { label, seqLen, task = 'char-lm', variant, begins = false }: FakeOptions,
  experiment: Experiment,
): Omit<RunFile, 'parameters'> {
  return {
    format: 1,
    id: `run-${label}`,
    name: 'emma',
    createdAt: '2026-11-21T00:00:00Z',
    experiment: { ...experiment, training: { ...experiment.training, seed: (variant ?? 0) + 1 } },
    definition: null,
    group: { id: 'group', index: 0, size: 3, label },
    engine: 'auto',
    threads: null,
    base: '/',
    workspace: '/',
    allowedPaths: [],
    ...(begins && {
      weightsFrom: {
        file: '/home/me/pretrained/emma-lstm.safetensors',
        bytes: 431_000,
        sha256: '1a2b3c4d5e6f'.padEnd(64, '0'),
        taken: [
          {
            to: 'layers.1',
            from: 'rnn',
            tensors: ['weight_ih_l0', 'weight_hh_l0', 'bias_ih_l0', 'bias_hh_l0'],
          },
        ],
        left: ['head.weight', 'head.bias'],
      },
    }),
    versions: { unroll: '0', node: '20', tfjs: '4' },
    engineUsed: { provider: 'native', instructionSet: 'AVX-512', threads: 2, why: 'auto chose native' },
    machine: { host: 'h', platform: 'linux', arch: 'x64', cpu: 'c', cores: 2, memoryBytes: 1e9 },
    task: {
      name: task,
      lossUnit: task === 'char-lm' ? 'nats/char' : 'mse',
      baseline:
        task === 'char-lm'
          ? { loss: Math.log(VOCABULARY), name: 'uniform' }
          : { loss: 1 / 6, name: 'always predict 1' },
      seqLen,
      batchSize: 32,
      tokensPerStep: 32 * seqLen,
      notes: [],
    },
  };
}

function mulberry(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function gauss(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
