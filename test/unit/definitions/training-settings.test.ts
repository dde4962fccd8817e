// The settings that code trains with, read from its text.
import assert from 'node:assert/strict';
import type { Language } from '../../../src/definitions/code/syntax.ts';
import { definitionsIn } from '../../../src/definitions/find.ts';
import { type FileHost, ProjectFiles } from '../../../src/definitions/project/files.ts';
import { type TrainingSettings, trainingSettings } from '../../../src/definitions/training/settings.ts';
import { syntax } from './find.ts';

async function read(language: Language, text: string, which = 0): Promise<TrainingSettings> {
  const tree = await syntax.parse(text, language);
  try {
    const { models } = definitionsIn(tree, text, language);
    return trainingSettings(tree, text, language, models[which] ?? null);
  } finally {
    tree.delete();
  }
}

/** Values alone. */
function values({ notTaken, ...settings }: TrainingSettings): Record<string, unknown> {
  const entries = Object.entries(settings).filter(([, taken]) => taken !== null);
  return {
    ...Object.fromEntries(entries.map(([name, taken]) => [name, taken!.value])),
    ...(notTaken.length > 0 ? { notTaken: notTaken.map(({ line, value }) => `${line}: ${value}`) } : {}),
  };
}

const TORCH = `import argparse
import pandas as pd
import torch
from torch import nn, optim
from torch.utils.data import DataLoader
BATCH = 16
SEQ_LEN = 12
FEATURES = ["temp", "rain"]
frame = pd.read_csv("data/weather.csv")[FEATURES]
torch.manual_seed(7)
class Net(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.rnn = nn.LSTM(2, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 1)
model = Net()
optimizer = optim.Adam(model.parameters(), lr=1e-2, betas=(0.8, 0.99), weight_decay=1e-4)
scheduler = optim.lr_scheduler.StepLR(optimizer, 10)
loader = DataLoader(windows, BATCH, shuffle=True)
for epoch in range(20):
    for x, y in loader:
        optimizer.zero_grad()
        loss = nn.L1Loss()(model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        optimizer.step()
`;

describe('The settings of a training in code', () => {
  it('are read in PyTorch, with what is not taken', async () => {
    const settings = await read('python', TORCH);
    assert.deepEqual(values(settings), {
      optimizer: { type: 'adam', learningRate: 0.01, beta1: 0.8, beta2: 0.99 },
      batchSize: 16,
      epochs: 20,
      clipNorm: 0.5,
      seed: 7,
      window: 12,
      inputs: 2,
      path: 'data/weather.csv',
      features: ['temp', 'rain'],
      notTaken: [
        '17: weight_decay=0.0001 of Adam is left out.',
        '18: The schedule StepLR is not taken: the learning rate stays as it is.',
        '23: The loss L1Loss is not taken: values are learned by the mean squared error.',
      ],
    });
    assert.deepEqual(
      [settings.optimizer!.line, settings.batchSize!.line, settings.epochs!.line, settings.clipNorm!.line],
      [17, 19, 20, 25],
    );
  });

  it('count updates where one loop makes them, also through tqdm and two ranges', async () => {
    const loop = (lines: string) => `import torch\nfrom torch import nn\nmodel = nn.GRU(3, 4)\n${lines}`;
    const steps = async (lines: string) => {
      const { steps, epochs } = await read('python', loop(lines));
      return [steps?.value ?? null, epochs?.value ?? null];
    };
    assert.deepEqual(await steps('for i in range(500):\n    f().backward()'), [500, null]);
    assert.deepEqual(await steps('N = 300\nfor i in tqdm(range(1, N + 1)):\n    f().backward()'), [
      300,
      null,
    ]);
    assert.deepEqual(await steps('for e in range(4):\n  for i in range(50):\n    f().backward()'), [
      200,
      null,
    ]);
    assert.deepEqual(
      await steps(
        'def train(epochs=8):\n  for e in range(epochs):\n    for i, b in enumerate(loader):\n      f().backward()',
      ),
      [null, 8],
    );
    assert.deepEqual(await steps('while True:\n    f().backward()'), [null, null]);
  });

  it('hold that a loop does not clip, and nothing where nothing trains', async () => {
    const head = 'import torch\nfrom torch import nn, optim\nmodel = nn.GRU(3, 4)\n';
    const trained = await read('python', `${head}for i in range(9):\n    loss.backward()\n`);
    assert.deepEqual(trained.clipNorm, { value: null, line: 5 });
    const model = await read('python', head);
    assert.deepEqual(values(model), { inputs: 3 });
  });

  it('have the frameworks’ own defaults', async () => {
    const head = 'import torch\nfrom torch import nn, optim\nmodel = nn.GRU(3, 4)\n';
    const rate = async (call: string) =>
      (await read('python', `${head}o = optim.${call}`)).optimizer?.value ?? null;
    assert.deepEqual(await rate('Adam(model.parameters())'), { type: 'adam', learningRate: 0.001 });
    assert.deepEqual(await rate('RMSprop(model.parameters(), alpha=0.9)'), {
      type: 'rmsprop',
      learningRate: 0.01,
      decay: 0.9,
    });
    assert.deepEqual(await rate('SGD(model.parameters(), 0.1, momentum=0.9, nesterov=True)'), {
      type: 'sgd',
      learningRate: 0.1,
      momentum: 0.9,
      nesterov: true,
    });
    assert.deepEqual(await rate('AdamW(model.parameters(), lr=3e-4, weight_decay=0.1)'), {
      type: 'adamw',
      learningRate: 3e-4,
      weightDecay: 0.1,
    });
    assert.equal(await rate('Adagrad(model.parameters())'), null);
  });

  it('are not taken where several optimizers are made, or a rate comes from outside', async () => {
    const head = 'import torch\nfrom torch import nn, optim\nmodel = nn.GRU(3, 4)\n';
    const two = await read(
      'python',
      `${head}a = optim.Adam(model.parameters(), lr=1e-3)\nb = optim.SGD(model.parameters(), lr=1)\n`,
    );
    assert.equal(two.optimizer, null);
    assert.match(two.notTaken[0]!.value, /lines 4, 5/);
    const outside = await read('python', `${head}a = optim.Adam(model.parameters(), lr=load())`);
    assert.equal(outside.optimizer, null);
    assert.match(outside.notTaken[0]!.value, /learning rate of Adam comes from outside/);
  });

  it('are read in Keras', async () => {
    const keras = `import tensorflow as tf
from tensorflow import keras
window, epochs = 30, 5
model = keras.Sequential([
    keras.layers.LSTM(16, input_shape=(30, 2)),
    keras.layers.Dense(1),
])
model.compile(optimizer=keras.optimizers.Adam(learning_rate=0.01, global_clipnorm=2.0), loss="mae")
model.fit(x, y, batch_size=16, epochs=15, callbacks=[keras.callbacks.EarlyStopping(patience=3)])
`;
    assert.deepEqual(values(await read('python', keras)), {
      optimizer: { type: 'adam', learningRate: 0.01 },
      batchSize: 16,
      epochs: 15,
      clipNorm: 2,
      window: 30,
      inputs: 2,
      notTaken: [
        '8: The loss "mae" is not taken: values are learned by the mean squared error.',
        '9: Early stopping is not taken: the run ends after its steps.',
      ],
    });
    const byName = keras
      .replace(/keras.optimizers.*\)(?=, loss)/, '"rmsprop"')
      .replace('batch_size=16, epochs=15', 'verbose=0');
    const { optimizer, batchSize, epochs } = await read('python', byName);
    assert.deepEqual(optimizer!.value, { type: 'rmsprop', learningRate: 0.001 });
    assert.deepEqual([batchSize!.value, epochs!.value], [32, 1]);
  });

  it('are those of the model that is meant, where a notebook trains several', async () => {
    const notebook = `import keras
from keras import layers
small = keras.Sequential([layers.Input((24, 1)), layers.SimpleRNN(16), layers.Dense(1)])
small.compile(keras.optimizers.SGD(0.01), loss="mse")
large = keras.Sequential([layers.Input((24, 1)), layers.LSTM(64), layers.Dense(1)])
large.compile(keras.optimizers.Adam(0.002, global_clipnorm=2.0), loss="mse")
large.fit(x, y, batch_size=64, epochs=5)
`;
    const shape = { window: 24, inputs: 1, loss: 'values' };
    assert.deepEqual(values(await read('python', notebook, 0)), {
      ...shape,
      optimizer: { type: 'sgd', learningRate: 0.01 },
    });
    assert.deepEqual(values(await read('python', notebook, 1)), {
      ...shape,
      optimizer: { type: 'adam', learningRate: 0.002 },
      batchSize: 64,
      epochs: 5,
      clipNorm: 2,
    });
  });

  it('are read in TensorFlow.js', async () => {
    const script = `import * as tf from '@tensorflow/tfjs';
const EPOCHS = 20;
const model = tf.sequential();
model.add(tf.layers.lstm({ units: 16, inputShape: [30, 2] }));
model.add(tf.layers.dense({ units: 1 }));
model.compile({ optimizer: tf.train.adam(0.01), loss: 'meanSquaredError' });
await model.fit(xs, ys, { epochs: EPOCHS, batchSize: 16 });
`;
    assert.deepEqual(values(await read('typescript', script)), {
      optimizer: { type: 'adam', learningRate: 0.01 },
      batchSize: 16,
      epochs: 20,
      clipNorm: null,
      window: 30,
      inputs: 2,
      loss: 'values',
    });
  });

  it('say what the loss compares, unless losses of several kinds stand there', async () => {
    const torch = (loss: string) => `from torch import nn
import torch.nn.functional as F
model = nn.LSTM(2, 8)
${loss}
`;
    const keras = (loss: string) => `import keras
model = keras.Sequential([keras.layers.LSTM(8), keras.layers.Dense(3)])
model.compile("adam", ${loss})
`;
    for (const [language, text, expected] of [
      ['python', torch('criterion = nn.CrossEntropyLoss()'), 'classes'],
      ['python', torch('loss = F.cross_entropy(model(x), y)'), 'classes'],
      ['python', torch('loss = nn.MSELoss()(model(x), y)'), 'values'],
      ['python', torch('loss = F.ctc_loss(a, b, c, d)'), 'alignments'],
      ['python', torch('a = nn.MSELoss()\nb = nn.NLLLoss()'), null],
      ['python', torch(''), null],
      ['python', keras('loss="sparse_categorical_crossentropy"'), 'classes'],
      ['python', keras('"binary_crossentropy"'), 'classes'],
      ['python', keras('loss=keras.losses.CategoricalCrossentropy(from_logits=True)'), 'classes'],
      ['python', keras('loss="mse"'), 'values'],
    ] as const)
      assert.equal((await read(language, text)).loss?.value ?? null, expected, text);
  });

  it('take options of the command line by their defaults, and columns where they are chosen', async () => {
    const script = `import argparse, torch
from torch import nn
import pandas as pd
parser = argparse.ArgumentParser()
parser.add_argument("--batch-size", type=int, default=24)
parser.add_argument("--lr", type=float, default=0.02)
args = parser.parse_args()
target = "co2"
frame = pd.read_csv("co2.csv", usecols=["co2", "month"])
model = nn.GRU(2, 4)
optimizer = torch.optim.SGD(model.parameters(), lr=args.lr)
loader = DataLoader(windows, batch_size=args.batch_size)
`;
    assert.deepEqual(values(await read('python', script)), {
      optimizer: { type: 'sgd', learningRate: 0.02 },
      batchSize: 24,
      inputs: 2,
      path: 'co2.csv',
      features: ['co2', 'month'],
      target: 'co2',
    });
  });

  it('clip at a norm above zero only: a negative one is told as not taken', async () => {
    for (const norm of ['-1', '0']) {
      const settings = await read('python', TORCH.replace('parameters(), 0.5', `parameters(), ${norm}`));
      assert.equal(settings.clipNorm?.value, null, norm);
      assert.ok(
        settings.notTaken.some(({ line, value }) => line === 25 && /clipped/.test(value)),
        norm,
      );
    }
  });

  it('are those of a Lightning module and its Trainer', async () => {
    const text = `
import lightning as L
import torch
from torch import nn
class Net(L.LightningModule):
    def __init__(self, lr=2e-3):
        super().__init__()
        self.save_hyperparameters()
        self.rnn = nn.GRU(4, 16, batch_first=True)
    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=self.hparams.lr, weight_decay=0.1)
trainer = L.Trainer(max_epochs=12, gradient_clip_val=0.5)
trainer.fit(Net(), loader)
`;
    assert.deepEqual(values(await read('python', text)), {
      optimizer: { type: 'adamw', learningRate: 0.002, weightDecay: 0.1 },
      epochs: 12,
      clipNorm: 0.5,
      inputs: 4,
    });
    const bySteps = text.replace('max_epochs=12', 'max_steps=900').replace(', gradient_clip_val=0.5', '');
    const { steps, epochs, clipNorm } = await read('python', bySteps);
    assert.deepEqual([steps?.value, epochs, clipNorm?.value], [900, null, null]);
  });

  it('are those of TrainingArguments, with the defaults of transformers', async () => {
    const head =
      'from transformers import Trainer, TrainingArguments\nfrom torch import nn\nm = nn.GRU(3, 4)\n';
    const given = `${head}a = TrainingArguments("out", learning_rate=1e-3, per_device_train_batch_size=4,
  num_train_epochs=2, weight_decay=0.01, max_grad_norm=0.3, seed=9)`;
    assert.deepEqual(values(await read('python', given)), {
      optimizer: { type: 'adamw', learningRate: 0.001, weightDecay: 0.01 },
      batchSize: 4,
      epochs: 2,
      clipNorm: 0.3,
      seed: 9,
      inputs: 3,
    });
    assert.deepEqual(values(await read('python', `${head}a = TrainingArguments("out")`)), {
      optimizer: { type: 'adamw', learningRate: 5e-5, weightDecay: 0 },
      batchSize: 8,
      epochs: 3,
      clipNorm: 1,
      inputs: 3,
    });
  });

  it('come from the file that trains the model, where the model’s own says nothing', async () => {
    const model = `from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(2, 8)
`;
    const train = `import pandas as pd
from torch import optim
from net import Net
frame = pd.read_csv("rain.csv")
model = Net()
optimizer = optim.SGD(model.parameters(), lr=0.1)
for epoch in range(7):
    for x, y in loader:
        loss(model(x), y).backward()
`;
    const files = new Map([
      ['/p/net.py', model],
      ['/p/train.py', train],
      ['/p/serve.py', 'from net import Net\nepochs = 99\nnet = Net()\n'],
      // a model of its own, of the same name
      [
        '/p/a.py',
        `${model}batch_size = 5\n${train.replace('from net import Net\n', '').replace('range(7)', 'range(70)')}`,
      ],
    ]);
    await syntax.load('python');
    const host: FileHost = {
      data: () => null,
      read: file => files.get(file) ?? null,
      list: () => [...files.keys()],
      parse: (text, language) => syntax.parseNow(text, language),
    };
    const project = new ProjectFiles(host, '/p');
    const tree = await syntax.parse(model, 'python');
    const surroundings = { project, file: '/p/net.py' };
    const { models } = definitionsIn(tree, model, 'python', surroundings);
    const settings = trainingSettings(tree, model, 'python', models[0]!, surroundings);
    assert.deepEqual(values(settings), {
      optimizer: { type: 'sgd', learningRate: 0.1 },
      epochs: 7,
      clipNorm: null,
      inputs: 2,
      path: 'rain.csv',
    });
    assert.deepEqual(settings.optimizer, {
      value: { type: 'sgd', learningRate: 0.1 },
      line: 6,
      file: '/p/train.py',
    });
    tree.delete();
    project.dispose();
  });
});
