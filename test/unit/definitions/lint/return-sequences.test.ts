// Recurrent layers on top of one that gives its last step only.
import assert from 'node:assert/strict';
import { linted, mended, said, silent } from './linted.ts';

const id = 'missing-return-sequences';
const KERAS =
  'from keras.models import Sequential\nfrom keras.layers import *\nfrom keras.layers import LSTM, GRU, Bidirectional, Dropout, Dense, Input, TimeDistributed, RepeatVector, BatchNormalization\n';
const TFJS = "import * as tf from '@tensorflow/tfjs';\n";
const python = (text: string) => silent('python', KERAS + text, id);

describe('A recurrent layer on one that gives no sequence', () => {
  it('is seen in a list, in adds and in calls', async () => {
    for (const text of [
      'm = Sequential([LSTM(8), GRU(4)])',
      'm = Sequential(layers=[Input((5, 2)), LSTM(8, return_sequences=False), Dropout(0.1), BatchNormalization(), Bidirectional(GRU(4))])',
      'm = Sequential([Bidirectional(LSTM(8)), LSTM(4, return_sequences=True)])',
      'm = Sequential()\nm.add(LSTM(8))\nprint("and")\nm.summary()\n# more\nm.add(Dropout(0.2))\nm.add(LSTM(4))',
      'class M:\n    def build(self):\n        self.m = Sequential()\n        self.m.add(LSTM(8))\n        self.m.add(LSTM(4))',
      'm = Sequential([LSTM(8)])\nm.add(LSTM(4))',
      'def f(x):\n    x = LSTM(8)(x)\n    x = Dropout(0.1)(x)\n    return LSTM(4)(x)',
      'y = Bidirectional(LSTM(4))(LSTM(8)(x))',
    ])
      assert.equal((await said('python', KERAS + text, id)).length, 1, text);
  });

  it('is seen in TensorFlow.js', async () => {
    for (const text of [
      'const m = tf.sequential({layers: [tf.layers.lstm({units: 8}), tf.layers.gru({units: 4})]});',
      'const m = tf.sequential();\nm.add(tf.layers.lstm({units: 8}));\nm.add(tf.layers.dropout({rate: 0.1}));\nm.add(tf.layers.lstm({units: 4}));',
      'const h = tf.layers.lstm({units: 8}).apply(x);\nconst y = tf.layers.lstm({units: 4}).apply(h);',
    ])
      assert.deepEqual(await said('typescript', TFJS + text, id), [['warning', 'tf.layers.lstm']], text);
  });

  it('is not said where the two may not meet', async () => {
    await python('m = Sequential([LSTM(8, return_sequences=True), GRU(4)])');
    await python('m = Sequential([LSTM(8), RepeatVector(5), LSTM(4, return_sequences=True)])');
    await python('m = Sequential([LSTM(8), Dense(5)])\nn = Sequential([LSTM(8)])');
    await python('m = Sequential([LSTM(8), *more, LSTM(4)])');
    await python('m = Sequential([LSTM(8), TimeDistributed(Dense(3)), LSTM(4)])');
    await python('m = Sequential([LSTM(8, **options), LSTM(4)])');
    await python('m = Sequential([LSTM(8, return_sequences=deep), LSTM(4)])');
    await python('m = Sequential([LSTM(8), shape, LSTM(4)])');
    await python('layers = [LSTM(8), LSTM(4)]\nm = Sequential(layers[:1])');
    await python('pairs = [LSTM(8), LSTM(4)]');
    await python('m = Sequential()\nm.add(LSTM(8))\nm = Sequential()\nm.add(LSTM(4))');
    await python('m = Sequential()\nn = Sequential()\nm.add(LSTM(8))\nn.add(LSTM(4))');
    await python('m = Sequential()\nm.add(LSTM(8))\nm.pop()\nm.add(LSTM(4))');
    await python('self.m = Sequential()\nself.m.add(LSTM(8))\nextend(self.m)\nself.m.add(LSTM(4))');
    await python('m = Sequential()\nm.add(LSTM(8))\nextend(m)\nm.add(LSTM(4))');
    await python('m = Sequential()\nif a:\n    m.add(LSTM(8))\nm.add(LSTM(4))');
    await python('m = Sequential()\nm.add(LSTM(8))\nif a:\n    m.add(RepeatVector(3))\nm.add(LSTM(4))');
    await python('m = Sequential()\nfor i in range(3):\n    m.add(LSTM(8, return_sequences=i < 2))');
    await python('m = Sequential()\nfor i in range(3):\n    m.add(LSTM(8))\n    m.add(LSTM(8))');
  });

  it('is not said of calls on something else', async () => {
    await python('a = LSTM(8)(x)\nb = LSTM(4)(x)');
    await python('x = LSTM(8)(x)\nx = RepeatVector(3)(x)\nx = LSTM(4)(x)');
    await python('x = LSTM(8)(x)\nif deep:\n    x = expand(x)\nx = LSTM(4)(x)');
    await python('x, h, c = LSTM(8, return_state=True)(x)\ny = LSTM(4)(z)');
    await python('encoder = LSTM(8)\nx = encoder(a)\ny = LSTM(4)(b)');
  });

  it('is mended in the style of the call', async () => {
    const one = async (text: string) => (await mended('python', KERAS + text, id))[0]!.slice(KERAS.length);
    assert.equal(
      await one('m = Sequential([LSTM(8), LSTM(4)])\n'),
      'm = Sequential([LSTM(8, return_sequences=True), LSTM(4)])\n',
    );
    assert.equal(
      await one('m = Sequential([LSTM(units = 8), LSTM(4)])\n'),
      'm = Sequential([LSTM(units = 8, return_sequences = True), LSTM(4)])\n',
    );
    assert.equal(
      await one('m = Sequential([\n    LSTM(\n        8,\n        dropout=0.1,\n    ),\n    LSTM(4),\n])\n'),
      'm = Sequential([\n    LSTM(\n        8,\n        dropout=0.1,\n        return_sequences=True,\n    ),\n    LSTM(4),\n])\n',
    );
    assert.equal(
      await one('m = Sequential([LSTM(8, return_sequences=False), LSTM(4)])\n'),
      'm = Sequential([LSTM(8, return_sequences=True), LSTM(4)])\n',
    );
    const script = async (text: string) =>
      (await mended('typescript', TFJS + text, id))[0]!.slice(TFJS.length);
    const two = (options: string) =>
      `const m = tf.sequential({layers: [tf.layers.lstm(${options}), tf.layers.gru({units: 4})]});\n`;
    assert.equal(await script(two('{units: 8}')), two('{units: 8, returnSequences: true}'));
    assert.equal(await script(two('{units:8}')), two('{units:8, returnSequences:true}'));
    assert.equal(
      await script(two('{\r\n\t\tunits,\r\n\t\tdropout: 0.1,\r\n\t}')),
      two('{\r\n\t\tunits,\r\n\t\tdropout: 0.1,\r\n\t\treturnSequences: true,\r\n\t}'),
    );
    assert.equal(
      await script(two('{units: 8, returnSequences: false}')),
      two('{units: 8, returnSequences: true}'),
    );
  });

  it('leaves options that stand elsewhere to the reader', async () => {
    const text = `${TFJS}const o = {units: 8};\nconst m = tf.sequential({layers: [tf.layers.lstm(o), tf.layers.gru({units: 4})]});\n`;
    const [finding] = (await linted('typescript', text)).filter(each => each.id === id);
    assert.deepEqual(finding?.fixes, []);
  });
});
