// Records that are copied, joined and spread, and names that patterns bind: what is shown is what a run would make, or
// nothing. Each case states the units of its layers as Python or JavaScript gives them; null where a run decides.
import assert from 'node:assert/strict';
import { unreadable } from '../../../src/definitions/find.ts';
import { layersOf } from './find.ts';

type Case = readonly [text: string, ...units: (number | null)[]];

const check = async (language: 'python' | 'typescript', head: string, cases: readonly Case[]) => {
  for (const [text, ...expected] of cases) {
    const found = await layersOf(language, head + text);
    assert.deepEqual(
      found.map(({ units }) => units),
      expected,
      text,
    );
  }
};
const torch = (cases: readonly Case[]) => check('python', 'import torch.nn as nn\n', cases);
const tfjs = (cases: readonly Case[]) =>
  check('typescript', "import * as tf from '@tensorflow/tfjs';\n", cases);

const OPTIONS = 'o = {"input_size": 10, "hidden_size": 20}\n';

/** `p1 = {**o}`, `p2 = {**p1}`, … */
const spreads = (count: number) =>
  Array.from({ length: count }, (_, i) => `p${i + 1} = {**${i ? `p${i}` : 'o'}}\n`).join('');

describe('a record of options', () => {
  it('in Python gives way to what is spread behind an entry, copied, joined or popped', async () => {
    await torch([
      [`${OPTIONS}nn.LSTM(**{**o, "hidden_size": 3})\nnn.LSTM(**{"hidden_size": 3, **o})`, 3, 20],
      [`${OPTIONS}nn.LSTM(**(o | {"hidden_size": 5}))\nnn.LSTM(**({"hidden_size": 5} | o))`, 5, 20],
      [`${OPTIONS}o |= {"hidden_size": 9}\nnn.LSTM(**o)`, 9],
      [`${OPTIONS}p = o\np |= {"hidden_size": 9}\nnn.LSTM(**o)`, 9],
      [`${OPTIONS}q = o.copy()\nq["hidden_size"] = 11\nnn.LSTM(**o)\nnn.LSTM(**q)`, 20, 11],
      [`${OPTIONS}h = o.pop("hidden_size")\nnn.LSTM(3, h)`, 20],
      [`${OPTIONS}nn.LSTM(**{**o, **more})`, null],
      // five records, each spread into the next, are followed
      [`${OPTIONS}${spreads(4)}nn.LSTM(**p4)`, 20],
      [`${OPTIONS}${spreads(5)}nn.LSTM(**p5)`, null],
      [`${OPTIONS}o = o if small else load()\nnn.LSTM(3, o["hidden_size"])`, null],
    ]);
  });

  it('in JavaScript gives way to what is spread behind an entry or assigned', async () => {
    const o = 'const o = { units: 4 };\n';
    await tfjs([
      [`${o}tf.layers.gru({ ...o, units: 9 });\ntf.layers.gru({ units: 9, ...o });`, 9, 4],
      [`${o}tf.layers.gru({ units: 9, ...unknown() });`, null],
      [`${o}tf.layers.gru({ units: 9, ...(flag ? { units: 5 } : {}) });`, null],
      [`${o}const p = Object.assign({}, o, { units: 9 });\ntf.layers.gru(o);\ntf.layers.gru(p);`, 4, 9],
      [`${o}const p = Object.assign(o, { units: 8 });\np.units = 7;\ntf.layers.gru(o);`, 7],
      ['const o = { get units() { return draw(); } };\ntf.layers.gru(o);', null],
    ]);
  });
});

describe('a name', () => {
  it('in Python is what a swap, a walrus, an augmented member or a later import leaves', async () => {
    await torch([
      ['a, b = 4, 5\na, b = b, a\nnn.LSTM(a, b)', 4],
      ['nn.LSTM(3, (k := 5))\nnn.LSTM(3, k)', 5, 5],
      [
        'class A(nn.Module):\n    def __init__(self):\n        self.h = 5\n        self.h += 3\n        self.a = nn.LSTM(3, self.h)',
        8,
      ],
      [
        'class A(nn.Module):\n    def __init__(self, both):\n        self.h = 5\n        if both:\n            self.h *= 2\n        self.a = nn.LSTM(3, self.h)',
        null,
      ],
      ['h = 3\nmatch cfg:\n    case {"h": h}:\n        nn.LSTM(3, h)', null],
      ['h = 3\nmatch cfg:\n    case [h, *rest]:\n        nn.LSTM(3, h)', null],
      ['h = 3\ntry:\n    go()\nexcept ValueError as h:\n    nn.LSTM(3, h)', null],
      ['h = 3\nfrom conf import *\nnn.LSTM(3, h)', null],
      ['h = 3\nglobals()["h"] = 9\nnn.LSTM(3, h)', null],
      ['h = 3\nglobals()["other"] = 9\nnn.LSTM(3, h)', 3],
      ['from conf import *\nh = 3\nnn.LSTM(3, h)', 3],
      ['n = 7\nnn.LSTM(3, int(n / 2))\nnn.LSTM(3, int("6"))', 3, 6],
    ]);
  });

  it('in JavaScript is what a pattern, a parameter or a catch clause binds', async () => {
    const outer = 'const units = 3;\n';
    await tfjs([
      [`${outer}function f() { const [units] = [9]; tf.layers.gru({ units }); }`, 9],
      [`${outer}function f() { const [units, set] = load(); tf.layers.gru({ units }); }`, null],
      [`${outer}function f(cfg) { const { model: { units } } = cfg; tf.layers.gru({ units }); }`, null],
      ['const { model: { units } } = { model: { units: 4 } };\ntf.layers.gru({ units });', 4],
      [`${outer}function f([units]: number[]) { tf.layers.gru({ units }); }`, null],
      [`${outer}function f(...units) { tf.layers.gru({ units }); }`, null],
      [
        `${outer}try { go(); } catch (units) { tf.layers.gru({ units }); }\ntf.layers.gru({ units });`,
        null,
        3,
      ],
      [`${outer}for (const { units } of list) tf.layers.gru({ units });`, null],
      [`${outer}for (const [units] of list) tf.layers.gru({ units });\ntf.layers.gru({ units });`, null, 3],
      [
        'let a = 4, b = 5;\n[a, b] = [b, a];\ntf.layers.gru({ units: a });\ntf.layers.gru({ units: b });',
        5,
        4,
      ],
      ['class A { n = 4; constructor() { this.n++; tf.layers.gru({ units: this.n }); } }', null],
    ]);
  });
});

describe('a bundle', () => {
  const model = "const tf = require('@tensorflow/tfjs');\ntf.layers.gru({ units: 4 });\n";
  const long = '// a line of a text that is written by hand, and has many of them\n'.repeat(4000);

  it('is passed over with a sentence, where a long text without a bundler is read', async () => {
    assert.match(unreadable(`var m = __webpack_require__(3);\n${long}${model}`) ?? '', /^it is a bundle/);
    assert.equal(unreadable(`var m = __webpack_require__(3);\n${model}`), null);
    assert.equal(unreadable(long + model), null);
    assert.equal((await layersOf('javascript', long + model)).length, 1);
  });
});
