// Code whose names lead round in circles is answered: open, and without an end of the stack.
import assert from 'node:assert/strict';
import { find } from './find.ts';

const inPython: string[] = [
  'n = m\nm = n',
  'n = m + 1\nm = n - 1',
  'n = -m\nm = -n',
  'n = int(m)\nm = round(n)',
  'n = max(m, 2)\nm = min(n, 3)',
  'n = sum([m, 1])\nm = sum([n, 1])',
  'n = m if m > 1 else 2\nm = n if n > 1 else 3',
  'n = m or 3\nm = n and 4',
  'n = m[0]\nm = [n, n]',
  'n = m["a"]\nm = {"a": n}',
  'd = {**e}\ne = {**d}\nn = d["a"]',
  'd = dict(e, b=1)\ne = dict(d)\nn = d["a"]',
  'd = e.get("a", d)\ne = {"a": d}\nn = e.get("b", d)',
  'd = {"a": d}\nn = d["a"]["a"]["a"]',
  'a = [*b, 1]\nb = [*a, 2]\nn = len(a)',
  'a = b + [1]\nb = a + [2]\nn = len(a)',
  'a = sorted(set(b))\nb = list(a)\nn = len(a)',
  'a = " ".join(b)\nb = a.split()\nn = len(b)',
  'a = {c: i for i, c in enumerate(b)}\nb = list(a.keys())\nn = len(a)',
  'def f(a):\n    return f(a)\nn = f(3)',
  'def f():\n    return g()\ndef g():\n    return f()\nn = f()',
  'def f(a):\n    return g(a + 1)\ndef g(a):\n    return f(a - 1)\nn = f(3)',
  'def f(a=None):\n    a = a or f()\n    return a\nn = f()',
  'f = lambda a: f(a)\nn = f(3)',
  'class A(B):\n    pass\nclass B(A):\n    pass\nn = A.n',
  'class A(A):\n    pass\nn = A().n',
  'class A:\n    def __init__(self):\n        self.n = self.m\n        self.m = self.n\nn = A().n',
  'class A:\n    def __init__(self, a):\n        self.a = A(a)\nn = A(3).a.a.n',
  'class A:\n    @property\n    def n(self):\n        return self.m\n    @property\n    def m(self):\n        return self.n\nn = A().n',
  'class A:\n    def one(self):\n        return self.two()\n    def two(self):\n        return self.one()\nn = A().one()',
  'from types import SimpleNamespace\na = SimpleNamespace(n=b.n)\nb = SimpleNamespace(n=a.n)\nn = a.n',
  'a = np.reshape(b, b.shape)\nb = np.reshape(a, a.shape)\nn = a.shape[1]',
  'a = b[:, 1:]\nb = a[:, 1:]\nn = a.shape[1]',
  'a = np.concatenate([a, b], axis=1)\nb = np.concatenate([b, a], axis=1)\nn = a.shape[1]',
  'a = np.array(b)\nb = [a, a]\nn = a.shape[1]',
  'a = np.zeros(b.shape)\nb = np.ones(a.shape)\nn = a.shape[1]',
  'a = b.T\nb = a.T\nn = a.shape[-1]',
  'def f(a):\n    return np.expand_dims(f(a), 1)\nn = f(np.zeros((3, 4))).shape[1]',
  'a, b = b, a\nn = a',
  'for n in n:\n    pass',
  'n = [n for n in n][0]',
  'n = getattr(n, "n", n)',
  'n = yaml.safe_load(n)["n"]',
  'n = OmegaConf.load(n).n',
  'a = json.loads(Path(a).read_text())\nn = a["n"]',
  'a = json.loads(b.read_text())\nb = json.loads(a.read_text())\nn = b.n',
  'for f in [f]:\n    n = f(3)',
  'for f in g:\n    g = [f]\n    n = f(3)',
];

const keras: string[] = [
  'a = Dropout(0.1)(b)\nb = Dropout(0.2)(a)\ny = LSTM(2)(a)',
  'x = Concatenate()([x, x])\ny = LSTM(2)(x)',
  'def block(x):\n    return block(Dense(3)(x))\ny = LSTM(2)(block(block))',
  'm = Sequential([m, Dense(3)])\nm.add(m)\nm.add(LSTM(2))',
  'm = Model(inputs=a, outputs=m(a))\ny = LSTM(2)(m(a))',
  'layer = TimeDistributed(layer)\ny = LSTM(2)(layer(layer))',
  'x = x + x\ny = LSTM(2)(x)',
  'x = Multiply()([x, x])\ny = LSTM(2)(x)',
  'layer = Bidirectional(layer)\ny = LSTM(2)(layer(y))',
];

const inJavaScript: string[] = [
  'var n = m; var m = n;',
  'var n = m ?? 1; var m = n || 2;',
  'var n = m ? m : n; var m = n;',
  'var { n } = m; var m = { n };',
  'var [n] = m; var m = [n, n];',
  'var a = { ...b }, b = { ...a }; var n = a.n;',
  'var a = [...b, 1], b = [...a, 2]; var n = a.length;',
  'function f(a) { return f(a); } var n = f(3);',
  'const f = a => g(a), g = a => f(a); const n = f(3);',
  'class A extends B {} class B extends A {} const n = new A().n;',
  'class A { constructor() { this.n = this.m; this.m = this.n; } } const n = new A().n;',
  'class A { get n() { return this.m; } get m() { return this.n; } } const n = new A().n;',
  'var n = Math.max(m, 2), m = Math.min(n, 3);',
  'var a = b.reshape([2, b.shape[1]]), b = a.reshape([3, a.shape[1]]); var n = a.shape[1];',
  'var a = Object.freeze(b), b = Object.freeze(a); var n = a.n;',
  'function f({ n = f({}) } = {}) { return n; } const n = f();',
];

describe('code that leads round in circles', () => {
  for (const code of inPython)
    it(`of Python is open: ${code.replaceAll('\n', ' · ')}`, async () => {
      const { layers } = await find(
        'python',
        `import numpy as np\nfrom torch import nn\n${code}\nnn.LSTM(n, 4)\n`,
      );
      const { value, fallback } = layers.at(-1)!.recurrent!.inputSize;
      assert.deepEqual([value, fallback], [null, null]);
    });

  for (const code of keras)
    it(`of Keras is open: ${code.replaceAll('\n', ' · ')}`, async () => {
      const { layers } = await find('python', `from keras import *\nfrom keras.layers import *\n${code}\n`);
      assert.equal(layers.find(({ recurrent }) => recurrent)!.recurrent!.inputSize.value, null);
    });

  for (const code of inJavaScript)
    it(`of JavaScript is open: ${code}`, async () => {
      const { layers } = await find(
        'javascript',
        `import * as tf from '@tensorflow/tfjs';\n${code}\ntf.layers.lstm({ units: 4, inputShape: [7, n] });\n`,
      );
      assert.equal(layers.at(-1)!.recurrent!.inputSize.value, null);
    });
});
