// Sequence layers that are named, not trained from code: each is found once, with its own module's count.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { MENTIONS, OTHER_MENTIONS } from '../../../src/definitions/definition.ts';
import { sequenceData } from '../../../src/definitions/describe.ts';
import { definitionsInSteps } from '../../../src/definitions/find.ts';
import { SEQUENCE_LAYERS } from '../../../src/definitions/frameworks/sequence-layers.ts';
import { namedHover } from '../../../src/extension/definitions/texts.ts';
import { find, syntax } from './find.ts';

const cases = JSON.parse(
  readFileSync(path.join(import.meta.dirname, '../../golden/sequence_layer_counts.json'), 'utf8'),
) as { code: string; count: number }[];
const IMPORTS = 'from torch import nn\nfrom mamba_ssm import Mamba, Mamba2\n';

describe('sequence layers that are named', () => {
  for (const { code, count } of cases)
    it(`have the parameters of their own module: ${code}`, async () => {
      const { others, layers } = await find('python', `${IMPORTS}m = ${code}\n`);
      assert.deepEqual(layers, []);
      assert.equal(others[0]!.parameters, count);
    });

  it('are those of Keras, TensorFlow.js and packages too, under other names', async () => {
    const python = `
from tensorflow.keras import layers
from minGRU_pytorch import minGRU as Fast
from xlstm import xLSTMBlockStack
a = layers.ConvLSTM2D(8, 3)
b = Fast(512, 1.5)
c = xLSTMBlockStack(config)
`;
    const { others } = await find('python', python);
    const told = others.map(({ name, width, parameters }) => [name, width.value, parameters]);
    // 2·512·768 in, 768·512 out
    assert.deepEqual(told, [
      ['ConvLSTM2D', 8, null],
      ['minGRU', 512, 1_179_648],
      ['xLSTMBlockStack', null, null],
    ]);
    const js = "import * as tf from '@tensorflow/tfjs';\ntf.layers.convLstm2d({filters: 4, kernelSize: 3});";
    assert.deepEqual(
      (await find('typescript', js)).others.map(({ name, width }) => [name, width.value]),
      [['convLstm2d', 4]],
    );
  });

  it('are looked for wherever one of their names stands', () => {
    for (const name of Object.keys(SEQUENCE_LAYERS))
      assert.ok(MENTIONS.test(name) || OTHER_MENTIONS.test(`${name}(`), name);
  });

  it('are not what only bears the name', async () => {
    const text = `
class Transformer:
    pass
def Mamba(d_model): return d_model
from torch import nn
a, b, c = Transformer(64), Mamba(64), nn.GRU(2, 3)
`;
    const { others, layers } = await find('python', text);
    assert.deepEqual([others.length, layers.length], [0, 1]);
  });

  it('tell a default and its place, and no count where a size is open', async () => {
    const text = `
import torch.nn as nn
class Net(nn.Module):
    def __init__(self, width=64, heads=4, **kwargs):
        super().__init__()
        self.a = nn.MultiheadAttention(width, heads)
        self.b = nn.Conv1d(unknown, 8, 3)
        self.c = nn.TransformerEncoderLayer(32, 4, **kwargs)
`;
    const { others } = await find('python', text);
    const [attention, convolution, block] = others.map(layer => sequenceData('net.py', layer));
    assert.deepEqual(attention, {
      file: 'net.py',
      framework: 'torch',
      line: 6,
      name: 'MultiheadAttention',
      isTrained: false,
      cell: null,
      units: null,
      unitsDefault: 64,
      parameters: null,
      parametersDefault: 16_640,
      from: { file: 'net.py', line: 4 },
    });
    assert.deepEqual([convolution!.units, convolution!.parameters], [8, null]);
    assert.equal(block!.parameters, null);
    assert.match(namedHover(others[0]!), /MultiheadAttention\*\* of PyTorch[\s\S]*16,640 parameters/);
  });
});

describe('finding in steps', () => {
  it('may be interrupted at many places of a long file, wherever its models stand', async () => {
    const filler = Array.from({ length: 1500 }, (_, index) => `def f${index}(a, b=1):\n    return a + b\n`);
    const model = 'class Net(nn.Module):\n    def __init__(self):\n        self.rnn = nn.LSTM(3, 4)\n';
    for (const parts of [
      [model, ...filler],
      [...filler, model],
    ]) {
      const text = `from torch import nn\n${parts.join('\n')}`;
      const tree = await syntax.parse(text, 'python');
      const steps = definitionsInSteps(tree, text, 'python');
      let count = 0;
      let step = steps.next();
      for (; !step.done; step = steps.next()) count++;
      assert.equal(step.value.layers.length, 1);
      assert.ok(count > 40, `${count} steps`);
      tree.delete();
    }
  });
});
