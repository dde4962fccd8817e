// Sizes that a run would find around a text: in files of `configparser`, in folders that `sys.path` names, and in members
// of instances as the calls that made them set these.
import assert from 'node:assert/strict';
import { layersIn } from './project-of.ts';

const lstm = (inputs: number, units: number) => 4 * units * (inputs + units + 2);

describe('sizes from configparser', () => {
  const ini = '; sizes\n[DEFAULT]\ninputs = 3\n[Model]\nhidden: 4\nBoth = yes\nOther = %(hidden)s\n';
  const net = (load: string, layer: string) =>
    `import configparser\nfrom torch import nn\nconfig = configparser.ConfigParser()\n${load}\nrnn = ${layer}\n`;
  const layers: [string, number][] = [
    [
      'nn.LSTM(config.getint("Model", "inputs"), config.getint("Model", "hidden"), bidirectional=config.getboolean("Model", "Both"))',
      2 * lstm(3, 4),
    ],
    ['nn.LSTM(int(config["Model"]["inputs"]), int(config["Model"]["hidden"]))', lstm(3, 4)],
    ['nn.LSTM(config["Model"].getint("inputs"), config["Model"].getint("HIDDEN"))', lstm(3, 4)],
    ['nn.LSTM(int(config.get("Model", "inputs")), config.getint("Model", "none", fallback=5))', lstm(3, 5)],
  ];
  for (const [layer, parameters] of layers)
    it(`are the defaults of ${layer}`, async () => {
      const files = { '/p/net.py': net('config.read("sizes.ini")', layer), '/p/sizes.ini': ini };
      const [found] = await layersIn(files);
      assert.deepEqual([found!.parameters, found!.parametersDefault], [null, parameters]);
    });

  it('are told of the only file where its name comes from outside', async () => {
    const [found] = await layersIn({
      '/p/net.py': net(
        'import sys\nconfig.read(sys.argv[1])',
        'nn.LSTM(3, config.getint("Model", "hidden"))',
      ),
      '/p/run/sizes.cfg': '[Model]\nhidden = 6\n',
      '/p/setup.cfg': '[Model]\nhidden = 9\n',
    });
    assert.equal(found!.parametersDefault, lstm(3, 6));
  });

  it('are found through a class with properties, of a project that reads it in another file', async () => {
    const [found] = await layersIn({
      '/p/models/net.py':
        'from torch import nn\nclass Net(nn.Module):\n    def __init__(self, args):\n' +
        '        self.rnn = nn.LSTM(args.inputs, args.hidden)\n',
      '/p/conf/config.py': `from configparser import ConfigParser
class Plain(ConfigParser):
    def optionxform(self, text):
        return text
class Config:
    def __init__(self, file):
        config = Plain()
        config.read(file)
        self._config = config
    @property
    def inputs(self):
        return self._config.getint("Model", "inputs")
    @property
    def hidden(self):
        return self._config.getint("Model", "hidden")
`,
      '/p/main.py': `import argparse
import conf.config as configurable
from models.net import Net
def build():
    return Net(config)
if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--file", default="./conf/a.cfg")
    config = parser.parse_args()
    config = configurable.Config(file=config.file)
    build()
`,
      '/p/conf/a.cfg': ini,
    });
    assert.deepEqual([found!.parametersDefault, found!.from?.file], [lstm(3, 4), '/p/conf/a.cfg']);
  });

  it('stay open for what an interpolation fills in, and for a text', async () => {
    for (const units of ['config.getint("Model", "Other")', 'config["Model"]["hidden"] * 2']) {
      const files = {
        '/p/net.py': net('config.read("sizes.ini")', `nn.LSTM(3, ${units})`),
        '/p/sizes.ini': ini,
      };
      const [found] = await layersIn(files);
      assert.deepEqual([found!.parameters, found!.parametersDefault], [null, undefined], units);
    }
  });
});

describe('what a function of an imported module returns', () => {
  it('holds settings, read from the file that it is given', async () => {
    const [found] = await layersIn({
      '/p/main.py':
        'from torch import nn\nimport src.utils as utils\nconfig = utils.load("./conf/a.yaml")\n' +
        'rnn = nn.LSTM(config["train"]["inputs"], config["train"]["hidden"])\n',
      '/p/src/utils.py':
        'import yaml\ndef load(path):\n    with open(path) as file:\n        config = yaml.safe_load(file)\n    return config\n',
      '/p/conf/a.yaml': 'train:\n  inputs: 3\n  hidden: 4\n',
    });
    assert.deepEqual([found!.parametersDefault, found!.from?.file], [lstm(3, 4), '/p/conf/a.yaml']);
  });

  it('ends where two modules call each other', async () => {
    const [found] = await layersIn({
      '/p/a.py':
        'from torch import nn\nimport b\ndef one(n):\n    return b.two(n)\nrnn = nn.LSTM(3, one(4).size)\n',
      '/p/b.py': 'import a\ndef two(n):\n    return a.one(n)\n',
    });
    assert.equal(found!.parameters, null);
  });
});

describe('modules in folders that sys.path names', () => {
  const net =
    'import sys\nsys.path.insert(0, "../more")\nfrom torch import nn\nfrom sizes import N\nrnn = nn.LSTM(3, N)\n';
  it('are the only file of that name', async () => {
    const [found] = await layersIn({ '/p/a/net.py': net, '/p/more/sizes.py': 'N = 4\n' });
    assert.equal(found!.parameters, lstm(3, 4));
  });

  it('stay open where there are two, or where nothing adds a folder', async () => {
    const two = { '/p/a/net.py': net, '/p/more/sizes.py': 'N = 4\n', '/p/b/sizes.py': 'N = 9\n' };
    assert.equal((await layersIn(two))[0]!.parameters, null);
    const none = { '/p/a/net.py': net.replace(/sys\.path.*\n/, '\n'), '/p/more/sizes.py': 'N = 4\n' };
    assert.equal((await layersIn(none))[0]!.parameters, null);
  });
});

describe('members of instances', () => {
  const of = async (text: string) => (await layersIn({ '/p/net.py': `from torch import nn\n${text}` }))[0]!;

  it('are computed from what the call that made the instance gives', async () => {
    const found = await of(`class Embed(nn.Module):
    class Words(nn.Module):
        def __init__(self, n):
            self.dim = n
    def __init__(self, sizes, scale=7):
        self.dim = sum(sizes.values()) * scale
class Net(nn.Module):
    def __init__(self):
        self.embed = Embed({"words": 2, "letters": 1}, scale=2)
        self.rnn = nn.LSTM(self.embed.dim, 4)
Net()
`);
    assert.equal(found.parameters, lstm(6, 4));
  });

  const net = (set: string) => `class Net(nn.Module):
    def __init__(self, sizes=None):
        self.sizes = sizes or [4, 5]
        self.names = ["a", "b", "c"]
        ${set}
        self.build()
    def build(self):
        self.rnn = nn.LSTM(len(self.names), self.sizes[0])
    def load(self, kept):
        self.names = kept["names"]
        self.sizes = kept["sizes"]
`;

  it('are what the method that calls this one set before', async () => {
    const found = await of(`${net('pass')}\nNet()\n`);
    assert.equal(found.parameters ?? found.parametersDefault, lstm(3, 4));
  });

  it('stay open where another method set them between', async () => {
    const found = await of(`${net('self.load({})')}\nNet()\n`);
    assert.deepEqual([found.parameters, found.parametersDefault], [null, undefined]);
  });

  it('are by default what a look-up with a default gives', async () => {
    const found = await of(
      `import json\ndef build(options):\n    return nn.LSTM(3, options.get("sizes", [4, 5])[0])\nbuild(json.loads(input()))\n`,
    );
    assert.deepEqual([found.parameters, found.parametersDefault], [null, lstm(3, 4)]);
  });
});

describe('options of a command line', () => {
  it('stay open in a function that is called', async () => {
    const [found] = await layersIn({
      '/p/net.py': `import argparse
from torch import nn
def main(n):
    parser = argparse.ArgumentParser()
    parser.add_argument("--hidden", type=int, default=4)
    args = parser.parse_args()
    return nn.LSTM(n, args.hidden)
main(3)
`,
    });
    assert.deepEqual([found!.parameters, found!.parametersDefault], [null, lstm(3, 4)]);
  });
});

describe('calls that leave a size open', () => {
  it('take the default from the program, not from its tests', async () => {
    const [found] = await layersIn({
      '/p/net.py':
        'from torch import nn\nclass Net(nn.Module):\n    def __init__(self, n):\n        self.rnn = nn.LSTM(3, n)\n',
      '/p/train.py': 'from net import Net\nNet(4)\n',
      '/p/load.py': 'import torch\nfrom net import Net\nNet(torch.load("a")["n"])\n',
      '/p/tests/test_net.py': 'from net import Net\nNet(9)\n',
    });
    assert.deepEqual([found!.parameters, found!.parametersDefault], [null, lstm(3, 4)]);
  });
});

describe('lists that a loop fills', () => {
  it('may begin as list()', async () => {
    const [found] = await layersIn({
      '/p/net.py': `import numpy as np
from tensorflow.keras import Sequential, layers
rows = np.zeros((100, 3))
def split(rows, steps):
    inputs, outputs = list(), list()
    for i in range(len(rows) - steps):
        inputs.append(rows[i:i + steps, :-1])
        outputs.append(rows[i + steps - 1, -1])
    return np.array(inputs), np.array(outputs)
x, y = split(rows, 5)
model = Sequential()
model.add(layers.LSTM(4, input_shape=(x.shape[1], x.shape[2])))
`,
    });
    assert.equal(found!.parameters, 4 * 4 * (2 + 4 + 1));
  });
});
