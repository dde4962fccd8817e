// Stock TensorFlow.js as a participant of the benchmark: node tfjs-peer.mjs FOLDER cpu|wasm; orders as of the others.
// A step: forward, mean cross-entropy over all steps, backward, clipping to norm 1, Adam.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';

const [folder, backend] = process.argv.slice(2);
const require = createRequire(join(folder, 'package.json'));
const tf = require('@tensorflow/tfjs-core');
const layers = require('@tensorflow/tfjs-layers');
require('@tensorflow/tfjs-backend-cpu');
if (backend === 'wasm') {
  const wasm = require('@tensorflow/tfjs-backend-wasm');
  wasm.setWasmPaths(`${join(folder, 'node_modules/@tensorflow/tfjs-backend-wasm/dist')}/`);
}
// its advice to use another backend would stand between the answers
console.warn = console.log = () => {};
await tf.setBackend(backend);
await tf.ready();

const cells = {
  lstm: options => layers.layers.lstm({ ...options, recurrentActivation: 'sigmoid' }),
  gru: options => layers.layers.gru({ ...options, recurrentActivation: 'sigmoid' }),
  rnn: options => layers.layers.simpleRNN(options),
};

function open({ cell, shape: [inputs, units, steps, batch, outputs] }) {
  if (!cells[cell]) throw new Error(`there is no model ${cell} here`);
  const model = layers.sequential();
  model.add(
    cells[cell]({
      units,
      returnSequences: true,
      inputShape: [steps, inputs],
      // orthogonal, the default, takes minutes at 512 units
      recurrentInitializer: 'glorotUniform',
    }),
  );
  model.add(layers.layers.timeDistributed({ layer: layers.layers.dense({ units: outputs }) }));
  const x = tf.randomNormal([batch, steps, inputs]);
  const y = tf.tidy(() => tf.oneHot(tf.randomUniform([batch * steps], 0, outputs, 'int32'), outputs));
  const optimizer = tf.train.adam(1e-3);
  const step = () =>
    tf.tidy(() => {
      const { value, grads } = tf.variableGrads(() => {
        const logits = tf.reshape(model.apply(x, { training: true }), [batch * steps, outputs]);
        return tf.losses.softmaxCrossEntropy(y, logits);
      });
      const squares = Object.values(grads).map(gradient => tf.sum(tf.square(gradient)));
      const norm = Math.sqrt(tf.addN(squares).dataSync()[0]);
      const factor = 1 / Math.max(1, norm);
      optimizer.applyGradients(
        Object.fromEntries(Object.entries(grads).map(([name, gradient]) => [name, tf.mul(gradient, factor)])),
      );
      return value.dataSync()[0];
    });
  return { step, close: () => tf.dispose([x, y, model, optimizer].filter(Boolean)) };
}

function measure(training, { seconds = 0, steps = 1 }) {
  const times = [];
  const began = performance.now();
  let loss = Number.NaN;
  while (times.length < steps || performance.now() - began < seconds * 1000) {
    const start = performance.now();
    loss = training.step();
    times.push(performance.now() - start);
  }
  const sum = times.reduce((total, time) => total + time, 0);
  times.sort((a, b) => a - b);
  return { msMedian: times[times.length >> 1], msMean: sum / times.length, steps: times.length, loss };
}

let training = null;
for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    const order = JSON.parse(line);
    if (order.open) {
      training = open(order.open);
      answer = { opened: true };
    } else if (order.measure) answer = measure(training, order.measure);
    else {
      training = null;
      answer = { closed: true };
    }
  } catch (error) {
    answer = { error: error.message };
  }
  process.stdout.write(`${JSON.stringify({ threads: 1, isa: backend, ...answer })}\n`);
}
