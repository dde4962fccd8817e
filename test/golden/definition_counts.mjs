// requirements: @tensorflow/tfjs@4.22.0, from the folder
// that is given: node test/golden/definition_counts.mjs FOLDER. See definition_counts.py.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';

const file = path.join(import.meta.dirname, 'definition_counts.json');
const require = createRequire(path.join(path.resolve(process.argv[2]), 'package.json'));

const tf = require('@tensorflow/tfjs');

const codes = [
  'tf.sequential({ layers: [tf.layers.lstm({ units: 8, inputShape: [5, 3] })] })',
  'tf.sequential({ layers: [tf.layers.lstm({ units: 8, inputShape: [5, 3], useBias: false })] })',
  'tf.sequential({ layers: [tf.layers.gru({ units: 8, inputShape: [5, 3] })] })',
  'tf.sequential({ layers: [tf.layers.simpleRNN({ units: 8, inputShape: [5, 3] })] })',
  'tf.sequential({ layers: [tf.layers.embedding({ inputDim: 50, outputDim: 6, inputLength: 5 }), tf.layers.gru({ units: 7, returnSequences: true }), tf.layers.dropout({ rate: 0.1 }), tf.layers.lstm({ units: 3 })] })',
  "tf.sequential({ layers: [tf.layers.bidirectional({ layer: tf.layers.lstm({ units: 8, returnSequences: true }), mergeMode: 'concat', inputShape: [5, 3] }), tf.layers.gru({ units: 4 })] })",
];
const recurrent = new Set(['LSTM', 'GRU', 'SimpleRNN', 'Bidirectional']);
const count = code =>
  new Function('tf', `return ${code}`)(tf)
    .layers.filter(layer => recurrent.has(layer.getClassName()))
    .map(layer => layer.countParams());

const others = JSON.parse(readFileSync(file, 'utf8')).filter(({ framework }) => framework !== 'tfjs');
const cases = [...others, ...codes.map(code => ({ framework: 'tfjs', code, counts: count(code) }))];
writeFileSync(file, `${JSON.stringify(cases, null, 1)}\n`);
