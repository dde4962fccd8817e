// TensorFlow.js in JavaScript, TypeScript and TSX.
import assert from 'node:assert/strict';
import { find, layersOf } from './find.ts';

describe('TensorFlow.js definitions', () => {
  it('are found under every name that the imports give', async () => {
    const found = await layersOf(
      'typescript',
      `import * as tf from '@tensorflow/tfjs';
import tfn from '@tensorflow/tfjs-node';
import { layers, sequential as chain } from '@tensorflow/tfjs';
const required = require('@tensorflow/tfjs-node-gpu');
const { layers: parts } = tf;
const { lstm, gru: gate } = tf.layers;
tf.layers.lstm({ units: 4 });
tfn.layers.gru({ units: 4 });
layers.simpleRNN({ units: 4 });
required.layers.lstm({ units: 4 });
parts.gru({ units: 4 });
lstm({ units: 4 });
gate({ units: 4 });
tf.layers.lstmCell({ units: 4 });
`,
    );
    assert.deepEqual(
      found.map(({ line, cell, isCell }) => [line, cell, isCell]),
      [
        [7, 'LSTM', false],
        [8, 'GRU', false],
        [9, 'RNN', false],
        [10, 'LSTM', false],
        [11, 'GRU', false],
        [12, 'LSTM', false],
        [13, 'GRU', false],
        [14, 'LSTM', true],
      ],
    );
  });

  it('are found in scripts of a page, and where tf is handed in', async () => {
    assert.equal(
      (await layersOf('javascript', 'const m = tf.sequential();\nm.add(tf.layers.gru({units: 3}));\n'))
        .length,
      1,
    );
    assert.equal(
      (await layersOf('javascript', 'export const f = (tf) => tf.layers.gru({units: 3});\n')).length,
      1,
    );
  });

  it('are not those of other libraries', async () => {
    const found = await layersOf(
      'javascript',
      `const brain = require('brain.js');
import { lstm } from './own.js';
const net = new brain.recurrent.LSTM({ hiddenLayers: [20] });
lstm({ units: 4 });
const text = 'tf.layers.lstm({units: 3})'; // tf.layers.lstm({units: 3})
layers.lstm({ units: 4 });
`,
    );
    assert.deepEqual(found, []);
  });

  it('resolve what the file itself says, and leave open the rest', async () => {
    const found = await layersOf(
      'typescript',
      `import * as tf from '@tensorflow/tfjs';
const UNITS = 8 * 4;
const sizes = { hidden: 24, deep: { hidden: 12 } } as const;
const { hidden } = sizes;
const base = { units: 9, returnSequences: true };
interface Options { units: number }
class Net {
  private width = 6;
  constructor(private readonly depth: number = 3) {}
  build(opts: Options, { cells = 5 }: { cells?: number }, last: boolean, size = 7) {
    const units = opts.units;
    tf.layers.lstm({ units: UNITS });
    tf.layers.lstm({ units: hidden, returnSequences: true });
    tf.layers.lstm({ units: sizes.deep.hidden });
    tf.layers.lstm(base);
    tf.layers.lstm({ ...base, units: 10 });
    tf.layers.lstm({ units: this.width });
    tf.layers.lstm({ units, returnSequences: !last });
    tf.layers.lstm({ units: cells });
    tf.layers.lstm({ units: size });
    tf.layers.lstm({ units: this.depth });
    tf.layers.lstm({ 'units': 2, ...opts });
  }
}
`,
    );
    assert.deepEqual(
      found.map(({ units, unitsDefault, returnSequences }) => [units, unitsDefault, returnSequences]),
      [
        [32, undefined, false],
        [24, undefined, true],
        [12, undefined, false],
        [9, undefined, true],
        [10, undefined, true],
        [6, undefined, false],
        [null, undefined, null],
        [null, 5, false],
        [null, 7, false],
        [null, 3, false],
        [null, undefined, null],
      ],
    );
  });

  it('tell wrappers, also through a variable', async () => {
    const found = await layersOf(
      'javascript',
      `import * as tf from '@tensorflow/tfjs';
tf.layers.bidirectional({ layer: tf.layers.gru({ units: 2 }), mergeMode: 'concat' });
let layer;
switch (kind) {
  case 'one':
    layer = tf.layers.lstm({ units: 3 });
    break;
  case 'both':
    layer = tf.layers.lstm({ units: 4 });
    layer = tf.layers.bidirectional({ layer });
    break;
}
tf.layers.rnn({ cell: [tf.layers.lstmCell({ units: 5 }), tf.layers.gruCell({ units: 6 })], returnSequences: true });
`,
    );
    assert.deepEqual(
      found.map(({ units, bidirectional, isCell, returnSequences }) => [
        units,
        bidirectional,
        isCell,
        returnSequences,
      ]),
      [
        [2, true, false, false],
        [3, false, false, false],
        [4, true, false, false],
        [5, false, false, true],
        [6, false, false, true],
      ],
    );
  });

  it('stand in models with widths that can be followed', async () => {
    const { models } = await find(
      'tsx',
      `import * as tf from '@tensorflow/tfjs';
export function Panel() {
  return <div title="lstm">{1}</div>;
}
export const build = (units: number): tf.Sequential => {
  const model = tf.sequential({
    layers: [
      tf.layers.lstm({ units: 16, inputShape: [20, 3], returnSequences: true }),
      tf.layers.gru({ units: 8 }),
      tf.layers.dense({ units: 1 }),
    ],
  });
  return model;
};
const second = tf.sequential();
second.add(tf.layers.embedding({ inputDim: 50, outputDim: 12 }));
second.add(tf.layers.simpleRNN({ units: 4 }));
`,
    );
    assert.deepEqual(
      models.map(({ kind, name, range, layers }) => [
        kind,
        name,
        range.line,
        layers.map(({ name: layer, recurrent }) => (recurrent ? recurrent.parameters : layer)),
      ]),
      [
        ['sequential', 'model', 5, [1280, 600, 'dense']],
        ['sequential', 'second', 15, ['embedding', 68]],
      ],
    );
  });

  it('are found where tf comes from a file of the project, is loaded late, or belongs to something', async () => {
    const made = (tf: string) => `model.add(${tf}.layers.gru({ units: 6 }));\n`;
    for (const text of [
      `import { tf } from '../config';\n${made('tf')}`,
      `import tf from './tensorflow.js';\n${made('tf')}`,
      `const tf = require('./lib/tf');\n${made('tf')}`,
      `const tf = await loadTensorFlow();\n${made('tf')}`,
      `class Net { build() { ${made('this.tf')} } }`,
      made('window.tf'),
    ])
      assert.deepEqual(
        (await layersOf('javascript', text)).map(({ cell, units }) => [cell, units]),
        [['GRU', 6]],
        text,
      );
    const other =
      "import { layers } from './drawing';\nlayers.add({ units: 6 });\nart.layers.rnn({ units: 6 });\n";
    assert.deepEqual(await layersOf('javascript', other), []);
  });

  it('leave minified and huge files alone', async () => {
    const call = 'tf.layers.lstm({units:3});';
    assert.deepEqual(await layersOf('javascript', call.repeat(300)), []);
    const lines = `${call}\n`.repeat(300);
    assert.equal((await layersOf('javascript', lines)).length, 300);
    // one long table does not make a file minified
    assert.equal(
      (await layersOf('javascript', `const words = '${'a'.repeat(6000)}';\n${lines}`)).length,
      300,
    );
  });

  it('count with the width of what a layer is applied to', async () => {
    const found = await layersOf(
      'typescript',
      `
import * as tf from '@tensorflow/tfjs';
const x = tf.input({ shape: [10, 8] });
const a = tf.layers.lstm({ units: 32 }).apply(x) as tf.SymbolicTensor;
const gru = tf.layers.bidirectional({ layer: tf.layers.gru({ units: 4, returnSequences: true }) });
const other = tf.layers.lstm({ units: 16 });
const b = other.apply(gru.apply(x));
`,
    );
    assert.deepEqual(
      found.map(({ line, parameters }) => [line, parameters]),
      [
        [4, 4 * 32 * 41],
        [5, 2 * 3 * 4 * 13],
        [6, 4 * 16 * 25],
      ],
    );
  });
});

describe('a model that a function without a name makes', () => {
  const made = async (before: string, after: string) => {
    const { models } = await find(
      'javascript',
      `import * as tf from '@tensorflow/tfjs';
const build = ${before}units => {
  const made = tf.sequential();
  made.add(tf.layers.lstm({ units, inputShape: [7, 3] }));
  return made;
}${after};
`,
    );
    return models.map(({ name }) => name);
  };

  it('has the name that the function is given, through brackets and not through calls', async () => {
    assert.deepEqual(await made('', ''), ['build']);
    assert.deepEqual(await made('((', '))'), ['build']);
    assert.deepEqual(await made('memo(once(later(', ')))'), ['model']);
  });
});

describe('generated code', () => {
  it('that leads round in circles is answered, and not wrongly', async () => {
    // each name is made of the two after it, and the last of the first
    const names = Array.from({ length: 40 }, (_, index) => `n${index}`);
    const lines = names.map((name, index) => {
      const [a, b] = [names[(index + 1) % 40], names[(index + 2) % 40]];
      return `var ${name} = (${a}.x || ${b}.y).of(${a}[${b}.z], ${a}.length);`;
    });
    const found = await layersOf(
      'javascript',
      `import * as tf from '@tensorflow/tfjs';\n${lines.join('\n')}\ntf.layers.lstm({ units: n0.x, inputShape: n1 });\n`,
    );
    assert.deepEqual(
      found.map(({ units, parameters }) => [units, parameters]),
      [[null, null]],
    );
  });
});
