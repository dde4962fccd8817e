// Sizes that stand in other files of the project: settings in YAML and JSON, inputs of a page, calls behind star imports.
import assert from 'node:assert/strict';
import { layersIn } from './project-of.ts';

const lstm = (inputs: number, units: number) => 4 * units * (inputs + units + 2);

describe('sizes of star imports', () => {
  it('are found through the files between', async () => {
    const [layer] = await layersIn({
      '/p/net.py': 'from torch import nn\nfrom sizes import *\nrnn = nn.LSTM(INPUTS, UNITS)\n',
      '/p/sizes.py': 'from more import *\nUNITS = 4\n',
      '/p/more.py': 'INPUTS = 3\nUNITS = 9\n',
    });
    assert.deepEqual([layer!.parameters, layer!.from?.file], [lstm(3, 4), '/p/sizes.py']);
  });
});

describe('sizes from settings files', () => {
  const net = (load: string) => `import json, yaml
from pathlib import Path
from torch import nn
${load}
rnn = nn.LSTM(config['model']['inputs'], config['model']['hidden'])
`;
  const json = '{"model": {"inputs": 3, "hidden": 4}}';
  const yaml = 'model:\n  inputs: 3\n  hidden: 4\n';
  const loads: [string, string, string][] = [
    ['with open("conf/a.json") as file:\n    config = json.load(file)', '/p/conf/a.json', json],
    ['config = json.loads(Path("conf/a.json").read_text())', '/p/conf/a.json', json],
    ['config = json.loads(open("conf/a.json").read())', '/p/conf/a.json', json],
    ['with open("a.yaml", "r") as f:\n    config = yaml.safe_load(f)', '/p/a.yaml', yaml],
    [
      'import argparse\np = argparse.ArgumentParser()\np.add_argument("--config", default="a.yaml")\nargs = p.parse_args()\n' +
        'with open(args.config) as f:\n    config = yaml.load(f, Loader=yaml.FullLoader)',
      '/p/a.yaml',
      yaml,
    ],
  ];
  for (const [load, file, text] of loads)
    it(`are defaults, with their place: ${load.split('\n').at(-1)!.trim()}`, async () => {
      const [layer] = await layersIn({ '/p/net.py': net(load), [file]: text });
      assert.deepEqual([layer!.units, layer!.unitsDefault, layer!.parameters], [null, 4, null]);
      assert.equal(layer!.parametersDefault, lstm(3, 4));
      assert.equal(layer!.from?.file, file);
      assert.equal(layer!.from?.line, file.endsWith('yaml') ? 3 : 1);
    });

  it('are read inside of the project only', async () => {
    const [layer] = await layersIn({
      '/p/net.py': net('config = json.load(open("../secret.json"))'),
      '/secret.json': json,
    });
    assert.equal(layer!.unitsDefault, undefined);
  });

  it('are open where the file is no JSON', async () => {
    const [layer] = await layersIn({
      '/p/net.py': net('config = json.load(open("a.json"))'),
      '/p/a.json': 'not json',
    });
    assert.deepEqual([layer!.units, layer!.unitsDefault], [null, undefined]);
  });
});

describe('sizes that another file gives', () => {
  it('come through star imports and functions that parse arguments', async () => {
    // what the other module binds is another name
    for (const stars of [['model'], ['model', 'tools'], ['tools', 'model']]) {
      const [layer] = await layersIn({
        '/p/model.py': `from torch import nn
class Net(nn.Module):
    def __init__(self, width, hidden):
        self.rnn = nn.LSTM(width, hidden)
`,
        '/p/train.py': `${stars.map(module => `from ${module} import *`).join('\n')}
from options import get_args
args = get_args()
net = Net(7, args.hidden)
`,
        '/p/tools.py': 'def report(): pass\n',
        '/p/options.py': `import argparse
def get_args():
    parser = argparse.ArgumentParser()
    parser.add_argument('--hidden', type=int, default=5)
    args = parser.parse_args()
    return args
`,
      });
      const sizes = [layer!.units, layer!.unitsDefault, layer!.parametersDefault];
      assert.deepEqual(sizes, [null, 5, lstm(7, 5)], stars.join());
    }
  });

  it("are what the page's inputs hold at first", async () => {
    const page = `<input type="number" id="units" value="6">
<select id='cells'><option value="2">two</option><option value="9" selected>nine</option></select>`;
    const script = (value: string) => `import * as tf from '@tensorflow/tfjs';
const units = ${value};
tf.sequential({ layers: [tf.layers.lstm({ units, inputShape: [null, 3] })] });
`;
    for (const [value, units] of [
      ["+document.getElementById('units').value", 6],
      ["parseInt(document.getElementById('units').value, 10)", 6],
      ["Number(document.querySelector('#cells').value)", 9],
      ["+document.getElementById('none').value", undefined],
    ] as const) {
      const [layer] = await layersIn({ '/p/src/index.js': script(value), '/p/index.html': page });
      assert.deepEqual([layer!.units, layer!.unitsDefault], [null, units], value);
      assert.equal(layer!.parametersDefault, units && 4 * units * (3 + units + 1));
    }
  });
});

describe('sizes by default', () => {
  it('follow what a condition is by default, and switches of the command line', async () => {
    const [layer] = await layersIn({
      '/p/a.py': `import argparse
from torch import nn
parser = argparse.ArgumentParser()
parser.add_argument('--flat', action='store_true')
parser.add_argument('--one-way', action='store_false', dest='both')
parser.add_argument('--wide', type=int, default=9)
args = parser.parse_args()
rnn = nn.LSTM(3 if args.flat else args.wide, 4, bidirectional=args.both)
`,
    });
    assert.deepEqual([layer!.bidirectional, layer!.bidirectionalDefault], [null, true]);
    assert.equal(layer!.parametersDefault, 2 * lstm(9, 4));
  });

  it('come through many calls', async () => {
    const [layer] = await layersIn({
      '/p/a.py': `from torch import nn
from options import make
class Encoder(nn.Module):
    def __init__(self, hparams):
        self.rnn = nn.LSTM(hparams.dim + 1, int(hparams.dim / 2), 1, 1)
class Net(nn.Module):
    def __init__(self, hparams):
        self.encoder = Encoder(hparams)
def load(hparams):
    return Net(hparams)
def train(hparams):
    net = load(hparams)
train(make())
`,
      '/p/options.py': `import tensorflow as tf
def make(text=None):
    hparams = tf.contrib.training.HParams(dim=6)
    if text:
        hparams.parse(text)
    return hparams
`,
    });
    assert.equal(layer!.parametersDefault, lstm(7, 3));
  });
});

describe('settings of a file that the command line names', () => {
  const net = `import argparse, json
from torch import nn
parser = argparse.ArgumentParser()
parser.add_argument('--config', required=True)
args = parser.parse_args()
with open(args.config) as file:
    config = json.load(file)
rnn = nn.LSTM(config['inputs'], config['cells'][0]['hidden'])
`;
  const json = (inputs: number, hidden: number) => JSON.stringify({ inputs, cells: [{ hidden }] });

  it('are those of the one file that there is', async () => {
    const [layer] = await layersIn({ '/p/net.py': net, '/p/conf/a.json': json(3, 4) });
    assert.deepEqual([layer!.units, layer!.unitsDefault], [null, 4]);
    assert.deepEqual([layer!.parameters, layer!.parametersDefault], [null, lstm(3, 4)]);
    assert.equal(layer!.from?.file, '/p/conf/a.json');
  });

  it('are between those of several, or what all have', async () => {
    const [layer] = await layersIn({
      '/p/net.py': net,
      '/p/conf/a.json': json(3, 4),
      '/p/conf/b.json': json(3, 9),
      '/p/conf/c.json': '{"other": 1}',
      // nearer ones are meant, and those of tools never
      '/p/old/conf/a.json': json(3, 400),
      '/p/package.json': json(3, 4000),
      '/p/tsconfig.json': json(3, 4000),
    });
    assert.deepEqual([layer!.unitsDefault, layer!.unitsRange], [undefined, [4, 9]]);
    assert.deepEqual(layer!.parametersRange, [lstm(3, 4), lstm(3, 9)]);
    const [same] = await layersIn({
      '/p/net.py': net,
      '/p/conf/a.json': json(3, 4),
      '/p/conf/b.json': json(3, 4),
    });
    assert.equal(same!.parametersDefault, lstm(3, 4));
  });

  it('are none where the values are of other kinds, or the lists of other lengths', async () => {
    const other = ['{"inputs": 3, "cells": [{"hidden": "wide"}]}', '{"inputs": 3, "cells": []}'];
    for (const text of other) {
      const [layer] = await layersIn({
        '/p/net.py': net,
        '/p/conf/a.json': json(3, 4),
        '/p/conf/b.json': text,
      });
      assert.deepEqual([layer!.units, layer!.unitsDefault, layer!.unitsRange], [null, undefined, undefined]);
    }
  });

  it('reach a builder that a module named by them has', async () => {
    const [layer] = await layersIn({
      '/p/models/wide.py': `from keras.layers import LSTM, Input
def build_model(params):
    x = Input(shape=(7, params["input"]["width"]))
    return LSTM(**{**params["rnn"], **params["rnn1"]})(x)
`,
      '/p/main.py': `import importlib, json
def main(args):
    with open(args.config) as f:
        params = json.load(f)
    module = importlib.import_module("models." + params["name"])
    module.build_model(params["model"][0])
`,
      '/p/config/wide.json': JSON.stringify({
        name: 'wide',
        model: [{ input: { width: 3 }, rnn: { use_bias: true }, rnn1: { units: 4 } }],
      }),
    });
    assert.equal(layer!.unitsDefault, 4);
    assert.equal(layer!.parametersDefault, 4 * 4 * (3 + 4 + 1));
  });
});

describe('messages of a worker', () => {
  const worker = (head: string, tail = '});') => `import * as tf from '@tensorflow/tfjs';
const chars = 'abc+ ';
${head}
  const { hidden } = event.data;
  build(hidden, chars.length);
${tail}
function build(units, width) {
  tf.sequential({ layers: [tf.layers.lstm({ units, inputShape: [9, width] })] });
}
`;
  const page = `const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
const other = new Worker('other.js');
document.getElementById('go').addEventListener('click', () => {
  const hidden = +document.getElementById('units').value;
  worker.postMessage({ hidden, kind: 'train' });
});
`;

  it('hold what the page posts', async () => {
    for (const text of [
      worker("self.addEventListener('message', event => {"),
      worker('onmessage = event => {', '};'),
      worker('self.onmessage = function (event) {', '};'),
    ]) {
      const [layer] = await layersIn({
        '/p/worker.js': text,
        '/p/index.js': page,
        '/p/index.html': '<input id="units" value="8">',
      });
      assert.deepEqual([layer!.units, layer!.unitsDefault], [null, 8], text);
      assert.equal(layer!.parametersDefault, 4 * 8 * (5 + 8 + 1));
    }
  });

  it('of another worker say nothing, nor another event', async () => {
    for (const [text, own] of [
      [worker("self.addEventListener('message', event => {"), '/p/mine.js'],
      [worker("self.addEventListener('close', event => {"), '/p/worker.js'],
    ] as const) {
      const [layer] = await layersIn({
        [own]: text,
        '/p/index.js': page,
        '/p/index.html': '<input id="units" value="8">',
      });
      assert.equal(layer!.unitsDefault, undefined, own);
    }
  });
});

describe('a default export', () => {
  it('is known by the name that the importing file gives it', async () => {
    const core = `import * as tf from '@tensorflow/tfjs';
export default class Core {
  constructor(config) {
    this.model = tf.sequential({ layers: [tf.layers.lstm({ units: 4, inputShape: [9, config.width] })] });
  }
}
`;
    const [layer] = await layersIn({
      '/p/core.js': core,
      // another class that has this name
      '/p/index.js': 'class Core {}\nnew Core({ width: 9 });\n',
    });
    assert.equal(layer!.parameters, null);
    const [same] = await layersIn({
      '/p/core.js': core,
      '/p/index.js': "import Core from './core';\nconst net = new Core({ width: 3 });\n",
    });
    assert.equal(same!.parameters, 4 * 4 * (3 + 4 + 1));
  });
});
