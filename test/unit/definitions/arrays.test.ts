// Sizes that the text gives arrays and literal collections are those that NumPy, pandas and Python make of it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { find } from './find.ts';

const { arrays, counts } = JSON.parse(
  readFileSync(path.join(import.meta.dirname, '../../golden/array_shapes.json'), 'utf8'),
) as {
  arrays: { code: string; shape: number[]; known: number[] }[];
  counts: { code: string; count: number; known: boolean }[];
};

const IMPORTS = `import numpy as np
import pandas as pd
from torch import nn
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler
rows = np.load('rows.npy')
table = pd.read_csv('table.csv')
`;

async function sizes(code: string, asked: readonly string[]): Promise<(number | null)[]> {
  const lines = asked.map(each => `nn.LSTM(${each}, 4)`);
  const { layers } = await find('python', `${IMPORTS}${code}\n${lines.join('\n')}\n`);
  return layers.map(({ recurrent }) => recurrent!.inputSize.value);
}

describe('sizes of arrays in code', () => {
  for (const { code, shape, known } of arrays)
    it(`are NumPy's: ${code.replaceAll('\n', ' · ')}`, async () => {
      const axes = shape.map((_, axis) => axis);
      const found = await sizes(code, [
        ...axes.map(axis => `x.shape[${axis}]`),
        ...axes.map(axis => `x.shape[${axis - shape.length}]`),
      ]);
      assert.equal(found.length, 2 * shape.length);
      for (const [index, value] of found.entries()) {
        const axis = index % shape.length;
        assert.equal(value, known.includes(axis) ? shape[axis] : null, `axis ${axis}`);
      }
    });

  it('stand in lists of sizes, whole and in part', async () => {
    const text = `${IMPORTS}import keras
x = np.zeros((9, 5, 3))
keras.Sequential([keras.layers.LSTM(4, input_shape=x.shape[1:])])
keras.Sequential([keras.layers.LSTM(4, input_shape=(x.shape[1], x.shape[2]))])
keras.Sequential([keras.layers.LSTM(4, batch_input_shape=x.shape)])
keras.Sequential([keras.layers.LSTM(4, input_shape=x.shape[-2:])])
`;
    const { layers } = await find('python', text);
    assert.deepEqual(
      layers.map(({ recurrent }) => recurrent!.parameters),
      Array(4).fill(4 * 4 * (3 + 4 + 1)),
    );
  });

  it('are those of TensorFlow.js too', async () => {
    const { layers } = await find(
      'typescript',
      `import * as tf from '@tensorflow/tfjs';
const letters = 'abc ';
const kinds = new Set(letters);
const xs = tf.tensor3d(rows, [rows.length, 7, 5]);
tf.sequential({ layers: [tf.layers.lstm({ units: 2, inputShape: [7, letters.length] })] });
tf.sequential({ layers: [tf.layers.lstm({ units: 2, inputShape: [7, kinds.size] })] });
tf.sequential({ layers: [tf.layers.lstm({ units: 2, inputShape: [xs.shape[1], xs.shape[2]] })] });
tf.sequential({ layers: [tf.layers.lstm({ units: 2, inputShape: xs.shape.slice(1) })] });
`,
    );
    assert.deepEqual(
      layers.map(({ recurrent }) => recurrent!.inputSize.value),
      [4, 4, 5, 5],
    );
  });
});

describe('sizes of literal collections', () => {
  for (const { code, count, known } of counts)
    it(`are Python's: ${code.replaceAll('\n', ' · ')}`, async () => {
      assert.deepEqual(await sizes(code, ['n']), [known ? count : null]);
    });
});
