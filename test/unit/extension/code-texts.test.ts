// What lenses, hovers and shapes say of models in code, in each framework's own variant.
import assert from 'node:assert/strict';
import type { Language } from '../../../src/definitions/code/syntax.ts';
import { parseExperiment } from '../../../src/experiment/parse.ts';
import { layerHover, modelCounts, shapeHints } from '../../../src/extension/definitions/texts.ts';
import { layerHover as experimentHover } from '../../../src/extension/experiments/hover-text.ts';
import { find } from '../definitions/find.ts';

async function model(language: Language, text: string) {
  const [found] = (await find(language, text)).models;
  return found!;
}

async function hoverOf(language: Language, text: string): Promise<string> {
  const { layers } = await model(language, text);
  return layerHover(layers.find(({ recurrent }) => recurrent)!, layers)!;
}

const torch = (call: string) =>
  `from torch import nn\nclass Net(nn.Module):\n    def __init__(self, n):\n        self.rnn = nn.${call}\n`;
const keras = (layer: string) =>
  `import keras\nfrom keras import layers\nm = keras.Sequential([keras.Input((10, 3)), layers.${layer}])\n`;
const tfjs = (layer: string) =>
  `import * as tf from '@tensorflow/tfjs';\nconst m = tf.sequential({ layers: [tf.layers.${layer}] });\n`;

describe('the hover over a layer in code', () => {
  it('tells the shapes that go in and come out', async () => {
    const cases: [Language, string, string][] = [
      ['python', torch('LSTM(3, 4)'), '[T, B, 3] → [T, B, 4]'],
      [
        'python',
        torch('GRU(3, 4, batch_first=True, bidirectional=True)'),
        '[B, T, 3] → [B, T, 8], both directions',
      ],
      ['python', torch('GRU(n, 4, 2, batch_first=True)'), '[B, T, `n`] → [B, T, 4], 2 layers'],
      ['python', torch('LSTMCell(3, 4)'), '[B, 3] → [B, 4]'],
      ['python', keras('LSTM(4)'), '[B, T, 3] → [B, 4]'],
      ['python', keras('LSTM(4, return_sequences=True)'), '[B, T, 3] → [B, T, 4]'],
      [
        'typescript',
        tfjs('gru({ units: 4, inputShape: [10, 3], returnSequences: every })'),
        '[B, T, 3] → [B, (T), 4]',
      ],
    ];
    for (const [language, text, shapes] of cases)
      assert.equal((await hoverOf(language, text)).split('\n')[0]!.split(': ')[1], shapes, text);
  });

  it('names the variant: reset, order of the gates, forget bias, kind of gate', async () => {
    const after = 'n_t = tanh(W_n x_t + b_n + r_t ⊙ (U_n h_{t-1} + b_hn))';
    const before = 'n_t = tanh(W_n x_t + U_n (r_t ⊙ h_{t-1}) + b_n)';
    const cases: [Language, string, string[]][] = [
      ['python', torch('GRU(3, 4)'), [after, 'order r z n', 'comes *after*']],
      ['python', keras('GRU(4)'), [after, 'order z r h', 'comes *after*']],
      ['python', keras('GRU(4, reset_after=False)'), [before, 'comes *before*']],
      [
        'typescript',
        tfjs('gru({ units: 4, inputShape: [10, 3] })'),
        [before, 'hardSigmoid(W', 'comes *before*'],
      ],
      ['python', torch('LSTM(3, 4)'), ['= σ(W', 'order i f g o', 'near 0']],
      ['python', keras('LSTM(4)'), ['= σ(W', 'order i f c o', 'forget bias is 1']],
      ['python', keras('LSTM(4, unit_forget_bias=False)'), ['forget bias is 0']],
      ['typescript', tfjs('lstm({ units: 4, inputShape: [10, 3] })'), ['hardSigmoid(W', 'forget bias is 0']],
      ['python', torch("RNN(3, 4, nonlinearity='relu')"), ['h_t = relu(']],
    ];
    for (const [language, text, all] of cases) {
      const hover = await hoverOf(language, text);
      for (const each of all) assert.ok(hover.includes(each), `${each} is not in\n${hover}`);
    }
  });

  it('tells its default count before where each size comes from, whose lines may be cut', async () => {
    const text = torch('GRU(n, h, l)').replace('self, n', 'self, n=3, h=4, l=2');
    const lines = (await hoverOf('python', text)).split('\n\n');
    // 3·4·(3 + 4 + 2) and 3·4·(4 + 4 + 2)
    const at = lines.indexOf('With its defaults it has 228 parameters.');
    assert.ok(at > 0, lines.join('\n'));
    assert.deepEqual(
      lines.slice(at + 1).map(line => line.replace(/ comes.*/, '')),
      ['`h`', '`n`', '`l`'],
    );
  });

  it('counts in its own convention, with the formula, and in the other two', async () => {
    const cases: [Language, string, string, string][] = [
      [
        'python',
        torch('GRU(3, 4)'),
        '3·4·(3 + 4 + 2) = 108',
        '**PyTorch 108** · Keras 108 · TensorFlow.js 96',
      ],
      [
        'python',
        keras('LSTM(4)'),
        '4·4·(3 + 4 + 1) = 128',
        'PyTorch 144 · **Keras 128** · TensorFlow.js 128',
      ],
      [
        'typescript',
        tfjs('gru({ units: 4, inputShape: [10, 3] })'),
        '3·4·(3 + 4 + 1) = 96',
        'PyTorch 108 · Keras 108 · **TensorFlow.js 96**',
      ],
    ];
    for (const [language, text, formula, counts] of cases) {
      const hover = await hoverOf(language, text);
      assert.ok(hover.includes(`\`${formula}\``), hover);
      assert.ok(hover.includes(`Counted as ${counts}.`), hover);
    }
  });

  it('tells what it costs, and nothing where a size is open', async () => {
    // a step of 32 sequences: 4 gates, 4 units, 3 + 4 inputs; kept are x, 4 gates, cell, state and its gradient
    const hover = await hoverOf('python', torch('LSTM(3, 4)'));
    const [adds, kept] = [32 * 64 * 4 * 4 * 7, 32 * 64 * (3 + 7 * 4) * 4];
    const text = `Assuming 32 sequences of 64 steps in a batch (B = 32, T = 64): forward ${Math.round(adds / 1e3)} k multiply-adds and about ${Math.round(kept / 1e3)} KB kept`;
    assert.ok(hover.includes(text), hover);
    assert.doesNotMatch(await hoverOf('python', torch('LSTM(n, 4)')), /multiply-adds/);
  });

  it('agrees with the hover over the same layer of an experiment', async () => {
    const { experiment } = parseExperiment(
      '{"data":{"task":"forecast","path":"x.csv","target":"a","features":["a","b","c"],"window":64},"model":{"layers":[{"type":"gru","units":24,"layers":2,"bidirectional":true},{"type":"dense"}]}}',
    );
    const own = experimentHover(experiment!, 0, null)!;
    const inCode = await hoverOf('python', torch('GRU(3, 24, num_layers=2, bidirectional=True)'));
    const figures = (text: string) =>
      /([\d.]+ [kMG]) multiply-adds,? (?:and about )?([\d.]+ [KMG]B) kept/.exec(text)?.slice(1);
    assert.deepEqual(figures(inCode), figures(own));
    assert.equal(figures(own)?.length, 2);
  });

  it('tells what it costs at the steps of the input, where the text tells them', async () => {
    const adds = `${((32 * 10 * 4 * 4 * 7) / 1e3).toPrecision(3)} k`;
    const told = `At T = 10, the input's, and assuming 32 sequences in a batch (B = 32): forward ${adds} multiply-adds`;
    const behind = (input: string) =>
      `import keras\nfrom keras import layers\nT = 10\nm = keras.Sequential([${input}, layers.LSTM(4)])\n`;
    for (const [language, text] of [
      ['python', keras('LSTM(4)')],
      ['python', behind('keras.Input(shape=(T, 3))')],
      ['python', behind('keras.Input(batch_shape=(8, T, 3))')],
      ['typescript', tfjs('lstm({ units: 4, inputShape: [10, 3] })')],
    ] as const) {
      const hover = await hoverOf(language, text);
      assert.ok(hover.includes(told), hover);
    }
    for (const open of ['keras.Input((None, 3))', 'keras.Input((steps, 3))'])
      assert.match(await hoverOf('python', behind(open)), /^Assuming 32 sequences of 64 steps/m);
  });
});

describe('counts and shapes of models in code', () => {
  it('are symbolic where a size comes from outside', async () => {
    assert.equal(
      modelCounts(await model('python', torch('LSTM(n, 4, bias=b)'))),
      'LSTM 4, input from outside',
    );
    assert.equal(modelCounts(await model('python', torch('LSTM(3, n)'))), 'LSTM, units from outside');
    const usual = `import torch.nn as nn
class Net(nn.Module):
    def __init__(self, hidden=64):
        super().__init__()
        self.rnn = nn.LSTM(16, hidden)
`;
    // 4·(16·64 + 64·64 + 2·64), PyTorch's two biases
    assert.equal(
      modelCounts(await model('python', usual)),
      'LSTM, 64 units by default on line 3 · 20,992 params',
    );
    const hints = async (text: string) => shapeHints(await model('python', text)).map(hint => hint.text);
    assert.deepEqual(await hints(torch('GRU(3, n, batch_first=True)')), ['[B, T, n]']);
    assert.deepEqual(
      await hints(
        keras('Bidirectional(layers.GRU(5, return_sequences=True)), layers.LSTM(4), layers.Dense(2)'),
      ),
      ['[B, T, 10]', '[B, 4]', '[B, 2]'],
    );
  });

  it('gives the count as a function of the width of the input, where only that is open', async () => {
    const text = 'from keras import layers, Input\nx = Input((24, width))\ny = layers.LSTM(50)(x)\n';
    const found = await model('python', text);
    assert.equal(modelCounts(found), 'LSTM 50 · 10,200 + 200 × inputs params');
    const hover = layerHover(found.layers.find(({ recurrent }) => recurrent)!, found.layers)!;
    assert.match(hover, /It has 10,200 \+ 200 × inputs parameters; the width of its input is open\./);
    const stacked = await model(
      'python',
      `${text}z = layers.LSTM(8)(layers.LSTM(4)(x))\nm = keras.Model(x, z)\n`,
    );
    assert.equal(modelCounts(stacked), '496 + 16 × inputs params · 2 recurrent layers');
  });
});
