// Our CTC loss with its gradient, called bare: milliseconds as one JSON line.
//
//   node --import tsx bench/ctc.ts T,B,C,L STEPS THREADS
import process from 'node:process';
import { operations } from '../src/trainer/engine/operations.ts';
import { startEngine } from '../src/trainer/engine/start.ts';
import { provider } from '../src/trainer/engine/storage.ts';
import { randomStream } from '../src/trainer/random.ts';

const [shape = '', steps = '40', threads = '2'] = process.argv.slice(2);
const [T, B, C, L] = shape.split(',').map(Number) as [number, number, number, number];
await startEngine('native', Number(threads));
const random = randomStream(1, 'ctc', 0);
const slice = (floats: number) => ({ data: provider().allocate(floats), offset: 0 });
const ints = (count: number, value: () => number) => ({
  data: Int32Array.from({ length: count }, value),
  offset: 0,
});
const logits = slice(T * B * C);
for (let i = 0; i < T * B * C; i++) logits.data[i] = random.normal();
const call = {
  ...{ seqLen: T, batch: B, classes: C, maxLabels: L, lengths: null, scale: 1 },
  labels: ints(B * L, () => 1 + random.int(C - 1)),
  labelLengths: ints(B, () => L),
  ...{ logits, losses: slice(B), dLogits: slice(T * B * C) },
};
const times: number[] = [];
for (let step = 0; step < Number(steps); step++) {
  const began = performance.now();
  operations().ctc(call);
  if (step >= Number(steps) / 4) times.push(performance.now() - began);
}
provider().close();
console.log(JSON.stringify({ ms: times.reduce((sum, time) => sum + time, 0) / times.length }));
