// Sizes that data files of the workspace tell: columns of a table by its first line, and characters and words of a text.
// All are defaults with the file that says them; the right numbers are those of pandas and Python on the same files.
import assert from 'node:assert/strict';
import { layersIn } from './project-of.ts';

const CSV = 'Date,Open,High,Low,Close,Volume\n2020-01-01,1,2,3,4,5\n';
const HEAD = 'import os, numpy as np, pandas as pd, torch.nn as nn\n';

/** Width of the input of each layer, as the default count tells it: 4 · 8 · (inputs + 8 + 2). */
async function inputs(code: string, files: Record<string, string> = { '/p/data/p.csv': CSV }) {
  const found = await layersIn({ '/p/m.py': HEAD + code, ...files });
  return found.map(({ parameters, parametersDefault, from }) => [
    parameters === null ? null : parameters / 32 - 10,
    parametersDefault === undefined ? null : parametersDefault / 32 - 10,
    from?.file ?? null,
  ]);
}

const column = (...widths: number[]) => widths.map(width => [null, width, '/p/data/p.csv']);
const OPEN = [null, null, null];

describe('The columns of a table', () => {
  it('are those of its first line, without the index, and with what is added, dropped and taken', async () => {
    assert.deepEqual(
      await inputs(`
df = pd.read_csv("data/p.csv", index_col="Date", parse_dates=["Date"])
nn.LSTM(df.shape[1], 8)
df["ma"] = df["Close"].rolling(3).mean()
df.dropna(inplace=True)
nn.LSTM(df.shape[1], 8)
features = [c for c in df.columns if c != "Close"]
nn.LSTM(len(features), 8)
X = df.drop("Close", axis=1).values
nn.LSTM(X.shape[1], 8)
nn.LSTM(len(df.columns), 8)
del df["ma"]
nn.LSTM(df.shape[1], 8)
df = df.drop(columns=["Open", "High"])
nn.LSTM(df.shape[1], 8)
df = df.reset_index()
nn.LSTM(df.shape[1], 8)
`),
      column(5, 6, 5, 5, 6, 5, 3, 4),
    );
  });

  it('are followed through places, slices and masks', async () => {
    assert.deepEqual(
      await inputs(`
raw = pd.read_csv(os.path.join("data", "p.csv"))
nn.LSTM(raw.iloc[:, 1:-1].shape[1], 8)
nn.LSTM(raw.iloc[:, 1:].values.shape[1], 8)
nn.LSTM(raw.loc[:, "Open":"Close"].shape[1], 8)
nn.LSTM(raw[raw["Close"] > 3].shape[1], 8)
nn.LSTM(raw.values[:, :-2].shape[1], 8)
nn.LSTM(pd.read_csv("data/p.csv", usecols=[1, 2]).shape[1], 8)
nn.LSTM(pd.read_csv("data/p.csv", header=None).shape[1], 8)
`),
      column(4, 5, 4, 6, 4, 2, 6),
    );
  });

  it('go through scaling, windows and instances', async () => {
    assert.deepEqual(
      await inputs(`
from sklearn.preprocessing import MinMaxScaler
def windows(data, n):
    xs, ys = [], []
    for i in range(n, len(data)):
        xs.append(data[i - n:i])
        ys.append(data[i, 0])
    return np.array(xs), np.array(ys)
df = pd.read_csv("data/p.csv")[["Open", "Close"]]
frame = pd.read_csv("data/p.csv").drop("Date", axis=1)
A, B = windows(MinMaxScaler().fit_transform(frame), 10)
nn.LSTM(A.shape[2], 8)
class Data:
    def __init__(self, path="data/p.csv"):
        self.data = pd.read_csv(path)
        self.data = self.data.drop(columns=["Date"])
        self.width = self.data.shape[1]
d = Data()
nn.LSTM(d.width, 8)
nn.LSTM(df.shape[1], 8)
`),
      // two columns by name are two, whatever else the file holds
      [...column(5, 5), [2, null, null]],
    );
  });

  it('are open behind branches, functions that may change them, and readers that join some', async () => {
    assert.deepEqual(
      await inputs(`
raw = pd.read_csv("data/p.csv")
if flag:
    raw["z"] = 3
nn.LSTM(raw.shape[1], 8)
def prepare(frame):
    frame["q"] = 1
other = pd.read_csv("data/p.csv")
prepare(other)
nn.LSTM(other.shape[1], 8)
nn.LSTM(pd.read_csv("data/p.csv", parse_dates=[["Date", "Open"]]).shape[1], 8)
nn.LSTM(pd.read_csv("data/missing.csv").shape[1], 8)
nn.LSTM(pd.read_csv("../outside.csv").shape[1], 8)
nn.LSTM(pd.get_dummies(pd.read_csv("data/p.csv")).shape[1], 8)
nn.LSTM(pd.read_csv("data/p.csv").drop("absent", axis=1).shape[1], 8)
`),
      [OPEN, OPEN, OPEN, OPEN, OPEN, OPEN, OPEN],
    );
  });

  it('are cells between signs outside of quotes', async () => {
    assert.deepEqual(
      await inputs(
        `
nn.LSTM(pd.read_csv("a.csv", sep=";").shape[1], 8)
nn.LSTM(pd.read_csv("b.txt", sep=r"\\s+", header=None).shape[1], 8)
`,
        { '/p/a.csv': '\ufeff"a;b";c;"d ""e"""\n1;2;3\n', '/p/b.txt': ' 1  2 3\t4\n' },
      ),
      [
        [null, 3, '/p/a.csv'],
        [null, 4, '/p/b.txt'],
      ],
    );
  });

  it('tell the width that a layer of Keras reads', async () => {
    const [layer] = await layersIn({
      '/p/m.py': `
import pandas as pd
from keras.models import Sequential
from keras.layers import LSTM
df = pd.read_csv("data/p.csv")
X = df.drop("Date", axis=1).values.reshape(-1, 1, 5)
model = Sequential()
model.add(LSTM(8, input_shape=(1, df.shape[1] - 1)))
`,
      '/p/data/p.csv': CSV,
    });
    assert.deepEqual(
      [layer!.parameters, layer!.parametersDefault, layer!.from],
      [null, 4 * 8 * (5 + 8 + 1), { file: '/p/data/p.csv', line: 1 }],
    );
  });
});

describe('The characters of a text file', () => {
  const TEXT = { '/p/c.txt': 'Hello World\r\nhello again, world\n' };
  const text = (...widths: number[]) => widths.map(width => [null, width, '/p/c.txt']);

  it('are counted as Python reads them', async () => {
    assert.deepEqual(
      await inputs(
        `
text = open("c.txt").read()
chars = sorted(list(set(text)))
n = len(chars)
nn.LSTM(n, 8)
text = text.lower()
numbers = {c: i for i, c in enumerate(sorted(set(text)))}
nn.LSTM(len(numbers), 8)
with open("c.txt", "r", encoding="utf-8") as f:
    raw = f.read().replace("\\n", " ")
nn.LSTM(len(set(raw)), 8)
words = raw.split()
nn.LSTM(len(set(words)), 8)
nn.LSTM(len(set(open("c.txt", "rb").read().decode(encoding="utf-8"))), 8)
`,
        TEXT,
      ),
      text(16, 14, 15, 5, 17),
    );
  });

  it('are open where the text or its characters may be others', async () => {
    assert.deepEqual(
      await inputs(
        `
chars = sorted(set(open("c.txt").read()))
chars.insert(0, "pad")
nn.LSTM(len(chars), 8)
nn.LSTM(len(set(open("c.txt", "rb").read())), 8)
nn.LSTM(len(set(open("c.txt", encoding="latin-1").read())), 8)
nn.LSTM(len(set(open("missing.txt").read())), 8)
text = open("c.txt").read()
text += "more"
nn.LSTM(len(set(text)), 8)
`,
        TEXT,
      ),
      [OPEN, OPEN, OPEN, OPEN, OPEN],
    );
  });

  it('beyond the first plane are one each, and change with the file', async () => {
    const code = 'nn.LSTM(len(set(open("c.txt").read())), 8)\n';
    assert.deepEqual(await inputs(code, { '/p/c.txt': 'a😀b😁a' }), text(4));
    assert.deepEqual(await inputs(code, { '/p/c.txt': 'a😀b' }), text(3));
  });

  it('are counted in JavaScript', async () => {
    const [layer] = await layersIn({
      '/p/m.js': `
const fs = require('fs');
const tf = require('@tensorflow/tfjs');
const text = fs.readFileSync('./c.txt', 'utf8').toLowerCase();
const chars = Array.from(new Set(text));
const model = tf.sequential();
model.add(tf.layers.lstm({ units: 8, inputShape: [10, chars.length] }));
`,
      ...TEXT,
    });
    // \\r and \\n are two there
    assert.deepEqual([layer!.parameters, layer!.parametersDefault], [null, 4 * 8 * (15 + 8 + 1)]);
  });
});
