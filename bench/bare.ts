// Our kernels called bare as a participant: what the trainer's step computes, in its order, with no tensor, no tape, no
// run folder. The difference to the trainer is what the frame adds.
//
//   node --import tsx bench/bare.ts ENGINE THREADS
import process from 'node:process';
import { createInterface } from 'node:readline';
import { gateBlocks, type Provider, type RecurrentCell, type Slice } from '../src/trainer/engine/provider.ts';
import { startEngine } from '../src/trainer/engine/start.ts';
import { provider as activeProvider } from '../src/trainer/engine/storage.ts';
import { randomStream } from '../src/trainer/random.ts';
import type { Shape } from './cases.ts';
import { median } from './statistics.ts';

const CELLS: Readonly<Record<string, RecurrentCell>> = {
  lstm: 'lstm',
  gru: 'gru-reset-after',
  rnn: 'rnn-tanh',
};

const [engine = 'auto', threads = '2'] = process.argv.slice(2);
const used = await startEngine(engine as 'auto', Number(threads));
const provider = activeProvider();
let step: (() => number) | null = null;

for await (const line of createInterface({ input: process.stdin })) {
  let answer: object;
  try {
    const order = JSON.parse(line);
    if (order.open) {
      step = prepare(provider, order.open.cell, order.open.shape, order.open.part === 'layer');
      answer = { opened: true };
    } else if (order.measure && step) answer = measure(step, order.measure.seconds ?? 0);
    else {
      step = null;
      answer = { closed: true };
    }
  } catch (error) {
    answer = { error: (error as Error).message };
  }
  process.stdout.write(`${JSON.stringify({ threads: used.threads, isa: used.instructionSet, ...answer })}\n`);
}
provider.close();

function measure(once: () => number, seconds: number): object {
  const times: number[] = [];
  const began = performance.now();
  let loss = Number.NaN;
  while (times.length < 3 || performance.now() - began < seconds * 1000) {
    const start = performance.now();
    loss = once();
    times.push(performance.now() - start);
  }
  const msMean = times.reduce((sum, time) => sum + time, 0) / times.length;
  return { msMedian: median(times), msMean, steps: times.length, loss };
}

/** A parameter with its gradient and moments. */
interface Weight {
  count: number;
  parameter: Slice;
  gradient: Slice;
  firstMoment: Slice;
  secondMoment: Slice;
}

/** A train step; `layerAlone`: the recurrent layer forward and backward, with the gradient of its input. */
function prepare(p: Provider, name: string, [I, H, T, B, O]: Shape, layerAlone: boolean): () => number {
  const cell = CELLS[name];
  if (!cell) throw new Error(`there is no bare ${name}`);
  const G = gateBlocks(cell);
  const random = randomStream(1, 'bare', 0);
  const slice = (floats: number): Slice => ({ data: p.allocate(floats), offset: 0 });
  const weight = (count: number, fanIn: number): Weight => {
    const parameter = slice(count);
    for (let i = 0; i < count; i++) parameter.data[i] = (2 * random.uniform() - 1) / Math.sqrt(fanIn);
    const [gradient, firstMoment, secondMoment] = [slice(count), slice(count), slice(count)];
    return { count, parameter, gradient, firstMoment, secondMoment };
  };
  const weightIh = weight(G * H * I, H);
  const weightHh = weight(G * H * H, H);
  const biasIh = weight(G * H, H);
  const biasHh = weight(G * H, H);
  const headWeight = weight(O * H, H);
  const headBias = weight(O, H);
  const all = [weightHh, weightIh, biasHh, biasIh, headBias, headWeight];

  const rows = T * B;
  const [x, y, dy] = [slice(rows * I), slice(rows * H), slice(rows * H)];
  const dx = layerAlone ? slice(rows * I) : null;
  for (let i = 0; i < rows * H; i++) dy.data[i] = random.normal();
  for (let i = 0; i < rows * I; i++) x.data[i] = random.normal();
  const targets = { data: Int32Array.from({ length: rows }, () => random.int(O)), offset: 0 };

  const shape = { cell, seqLen: T, batch: B, inputSize: I, hiddenSize: H, reverse: false };
  const memory = p.recurrentMemory(shape, false);
  const packed = slice(memory.packed);
  const cache = slice(memory.cache);
  const scratch = slice(Math.max(memory.forwardScratch, memory.backwardScratch));
  const hN = slice(B * H);
  const cN = cell === 'lstm' ? slice(B * H) : null;
  const report = {
    hiddenGradNorm: slice(T),
    cellGradNorm: cell === 'lstm' ? slice(T) : null,
    gateMean: cell === 'rnn-tanh' ? null : slice(G * T),
    gateSaturation: cell === 'rnn-tanh' ? null : slice(G * T),
  };
  let version = 0;

  const head = () =>
    p.denseCrossEntropy({
      rows,
      inputs: H,
      outputs: O,
      x: y,
      weight: headWeight.parameter,
      bias: headBias.parameter,
      targets,
      weights: null,
      labelSmoothing: 0,
      dx: dy,
      dWeight: headWeight.gradient,
      dBias: headBias.gradient,
    });

  return () => {
    version++;
    const weights = {
      weightIh: weightIh.parameter,
      weightHh: weightHh.parameter,
      biasIh: biasIh.parameter,
      biasHh: biasHh.parameter,
      packed,
      version,
    };
    const call = { shape, weights, x, lengths: null, h0: null, c0: null };
    p.recurrentForward({ ...call, y, hN, cN, cache, scratch });
    const loss = layerAlone ? 0 : head();
    p.recurrentBackward({
      ...call,
      y,
      cache,
      scratch,
      dy,
      dhN: null,
      dcN: null,
      dx,
      dWeightIh: weightIh.gradient,
      dWeightHh: weightHh.gradient,
      dBiasIh: biasIh.gradient,
      dBiasHh: biasHh.gradient,
      dh0: null,
      dc0: null,
      report: layerAlone ? null : report,
    });
    if (layerAlone) return loss;

    const norm = Math.sqrt(
      all.reduce((sum, { count, gradient }) => sum + p.sumOfSquares(count, gradient), 0),
    );
    if (norm > 1) for (const { count, gradient } of all) p.scale(count, gradient, 1 / (norm + 1e-6));
    for (const one of all)
      p.adamStep({
        ...one,
        learningRate: 0.001,
        step: version,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        weightDecay: 0,
      });
    return loss;
  };
}
