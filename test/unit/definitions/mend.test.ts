// What runs propose, as edits of code: in each framework's words, and only where they are surely right.
import assert from 'node:assert/strict';
import type { Language } from '../../../src/definitions/code/syntax.ts';
import { definitionsIn } from '../../../src/definitions/find.ts';
import { applyTextFix } from '../../../src/definitions/lint/finding.ts';
import { LintSource } from '../../../src/definitions/lint/source.ts';
import { type Assignment, inCode } from '../../../src/definitions/mend.ts';
import { toExperiment } from '../../../src/definitions/to-experiment.ts';
import { syntax } from './find.ts';

/** The text after the edits, which must parse; null where the code cannot say it. */
async function mended(language: Language, text: string, assignments: Assignment[]): Promise<string | null> {
  const tree = await syntax.parse(text, language);
  const found = definitionsIn(tree, text, language);
  assert.equal(found.hasErrors, false);
  const source = new LintSource(tree, found, text, language);
  const { origins } = toExperiment(found.models[0]!);
  const edits = inCode(source, origins, assignments);
  tree.delete();
  if (!edits) return null;
  const result = applyTextFix(text, { title: '', edits });
  const after = await syntax.parse(result, language);
  assert.equal(after.rootNode.hasError, false, result);
  after.delete();
  return result;
}

/** What an experiment made of the mended code says of its first recurrent layer. */
async function trained(language: Language, text: string) {
  const tree = await syntax.parse(text, language);
  const { models } = definitionsIn(tree, text, language);
  tree.delete();
  return toExperiment(models[0]!).layers.find(layer => 'units' in layer && layer.type !== 'dense');
}

const clip: Assignment[] = [{ path: ['training', 'clipNorm'], value: 1 }];
const set = (field: string, value: unknown, index = 0): Assignment[] => [
  { path: ['model', 'layers', index, field], value },
];
const identity = [...set('activation', 'relu'), ...set('recurrentInit', 'identity')];

const torch = `import torch
from torch import nn

class Adder(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.RNN(2, 32, batch_first=True)
        self.out = nn.Linear(32, 1)

model = Adder()
optimizer = torch.optim.Adam(model.parameters())
for x, y in data:
    loss = f(model(x), y)
    loss.backward()
    optimizer.step()
`;

describe('fixes of runs in PyTorch code', () => {
  it('clip in the one training loop, before the update', async () => {
    assert.equal(
      await mended('python', torch, clip),
      torch.replace(
        '    optimizer.step',
        '    nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n    optimizer.step',
      ),
    );
    const quarter = await mended('python', torch, [{ path: ['training', 'clipNorm'], value: 0.25 }]);
    assert.match(quarter!, /clip_grad_norm_\(model\.parameters\(\), 0\.25\)/);
    for (const other of [
      torch.replace('    optimizer.step()', '    clip(model)\n    optimizer.step()'),
      torch.replace('    loss.backward()', '    scaler.scale(loss).backward()'),
      `${torch}for x in data:\n    loss.backward()\n    optimizer.step()\n`,
      torch.slice(0, torch.indexOf('model =')),
    ])
      assert.equal(await mended('python', other, clip), null);
  });

  it('begin with orthogonal or identity weights below the layer', async () => {
    const below = (line: string) => torch.replace('first=True)\n', `first=True)\n        ${line}\n`);
    assert.equal(
      await mended('python', torch, set('recurrentInit', 'orthogonal')),
      below('nn.init.orthogonal_(self.rnn.weight_hh_l0)'),
    );
    assert.equal(
      await mended('python', torch, identity),
      below('nn.init.eye_(self.rnn.weight_hh_l0)').replace('first=True)', "first=True, nonlinearity='relu')"),
    );
    const done = below('nn.init.xavier_uniform_(self.rnn.weight_hh_l0)');
    assert.equal(await mended('python', done, set('recurrentInit', 'orthogonal')), null);
  });

  it('begin the next run so, also in stacked layers', async () => {
    for (const text of [torch, torch.replace('32, batch', '32, num_layers=2, batch')])
      for (const [assignments, wanted] of [
        [set('recurrentInit', 'orthogonal'), 'orthogonal'],
        [identity, 'identity'],
      ] as const) {
        const again = await trained('python', (await mended('python', text, [...assignments]))!);
        assert.equal((again as { recurrentInit?: string }).recurrentInit, wanted);
      }
    assert.equal('recurrentInit' in (await trained('python', torch))!, false);
  });

  it('switch the cell, and take the nonlinearity away that it has not', async () => {
    const relu = torch.replace('32, batch_first', "32, nonlinearity='relu', batch_first");
    const toGru = [...set('type', 'gru'), ...set('activation', undefined)];
    assert.equal(await mended('python', torch, toGru), torch.replace('nn.RNN', 'nn.GRU'));
    assert.equal(await mended('python', relu, toGru), torch.replace('nn.RNN', 'nn.GRU'));
    const byPlace = torch.replace('32, batch_first', "32, 1, 'relu', batch_first");
    assert.equal(await mended('python', byPlace, toGru), null);
    const imported = torch
      .replace('from torch import nn', 'from torch import nn\nfrom torch.nn import RNN')
      .replace('nn.RNN(', 'RNN(');
    assert.equal(await mended('python', imported, toGru), null);
  });

  it('leave to the next run what the code cannot say', async () => {
    const lstm = torch.replace('nn.RNN', 'nn.LSTM');
    for (const assignments of [
      set('forgetBias', 1),
      [{ path: ['training', 'bptt', 'window'], value: undefined }],
      [{ path: ['training', 'optimizer', 'learningRate'], value: 0.001 }],
      [...clip, ...set('forgetBias', 1)],
      set('type', 'gru', 7),
    ])
      assert.equal(await mended('python', lstm, assignments), null, JSON.stringify(assignments));
  });
});

const keras = `import keras
from keras import layers

model = keras.Sequential([
    keras.Input(shape=(24, 1)),
    layers.LSTM(32, recurrent_initializer="glorot_uniform", unit_forget_bias=False),
    layers.Dense(1),
])
model.compile(optimizer="adam", loss="mse")
`;

describe('fixes of runs in Keras code', () => {
  it('clip in the optimizer that the model is compiled with', async () => {
    const clipped = (optimizer: string) => keras.replace('"adam"', optimizer);
    assert.equal(await mended('python', keras, clip), clipped('keras.optimizers.Adam(clipnorm=1.0)'));
    const made = clipped('keras.optimizers.SGD(learning_rate=0.1)');
    assert.equal(
      await mended('python', made, clip),
      clipped('keras.optimizers.SGD(learning_rate=0.1, clipnorm=1.0)'),
    );
    const named = made
      .replace('model.compile', 'best = keras.optimizers.RMSprop()\nmodel.compile')
      .replace(/optimizer=keras[^)]*\)/, 'optimizer=best');
    assert.match((await mended('python', named, clip))!, /RMSprop\(clipnorm=1\.0\)/);
    const tf = keras.replace('import keras\nfrom keras', 'import tensorflow as tf\nfrom tensorflow.keras');
    const inTf = tf.replaceAll(/(?<!\.)keras\.(?=Seq|Input)/g, 'tf.keras.');
    assert.match((await mended('python', inTf, clip))!, /optimizer=tf\.keras\.optimizers\.Adam\(clipnorm/);
    const either = keras
      .replace('"adam"', 'best')
      .replace(
        'model.compile',
        'if fast:\n    best = keras.optimizers.SGD()\nelse:\n    best = keras.optimizers.Adam()\nmodel.compile',
      );
    for (const other of [
      either,
      clipped('choose()'),
      clipped('keras.optimizers.Adam(clipvalue=1)'),
      clipped('keras.optimizers.Adam(**options)'),
      clipped('"ftrl"'),
      `${keras}model.compile("sgd")\n`,
      keras.slice(0, keras.indexOf('model.compile')),
    ])
      assert.equal(await mended('python', other, clip), null, other);
  });

  it('set initial weights and forget bias, as the next run reads them', async () => {
    const orthogonal = await mended('python', keras, set('recurrentInit', 'orthogonal'));
    assert.equal(orthogonal, keras.replace('glorot_uniform', 'orthogonal'));
    const open = await mended('python', keras, set('forgetBias', 1));
    assert.equal(open, keras.replace('bias=False', 'bias=True'));
    assert.deepEqual(await trained('python', open!), {
      type: 'lstm',
      units: 32,
      recurrentInit: 'glorot-uniform',
      forgetBias: 1,
    });
    assert.equal(await mended('python', keras, set('forgetBias', 3)), null);
    const spread = keras.replace('unit_forget_bias=False', '**options');
    assert.equal(await mended('python', spread, set('forgetBias', 1)), null);
    const simple = keras.replace(/LSTM\(32.*\)/, 'SimpleRNN(32)');
    assert.equal(
      await mended('python', simple, identity),
      simple.replace('(32)', '(32, activation="relu", recurrent_initializer="identity")'),
    );
  });
});

const tfjs = `import * as tf from '@tensorflow/tfjs';
const model = tf.sequential();
model.add(tf.layers.lstm({units: 8, inputShape: [10, 2], recurrentInitializer: 'glorotUniform'}));
model.add(tf.layers.dense({units: 1}));
model.compile({optimizer: 'adam', loss: 'meanSquaredError'});
`;

describe('fixes of runs in TensorFlow.js code', () => {
  it('set initial weights and forget bias', async () => {
    assert.equal(
      await mended('typescript', tfjs, set('recurrentInit', 'orthogonal')),
      tfjs.replace('glorotUniform', 'orthogonal'),
    );
    const open = await mended('typescript', tfjs, set('forgetBias', 1));
    assert.equal(open, tfjs.replace("'glorotUniform'", "'glorotUniform', unitForgetBias: true"));
    assert.equal(((await trained('typescript', open!)) as { forgetBias?: number }).forgetBias, 1);
    const relu = tfjs.replace('lstm({', "simpleRNN({activation: 'relu', ");
    assert.equal(
      await mended('typescript', relu, [...set('type', 'gru'), ...set('activation', undefined)]),
      tfjs.replace('lstm', 'gru'),
    );
  });

  it('do not clip, for its optimizers cannot', async () => {
    assert.equal(await mended('typescript', tfjs, clip), null);
  });
});
