// Models in code where it is awkward: findings while the code is edited, settings, bad input, no file, and deletion.
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import { parseExperiment } from '../../../src/experiment/parse.ts';
import type { DefinitionSource } from '../../../src/runs/format.ts';
import {
  adder,
  api,
  clearRuns,
  closeAll,
  diagnosticsOf,
  lensTitles,
  open,
  quickFixes,
  runFolders,
  runWithFinding,
  statusOf,
  until,
  workspaceFolder,
} from './help.ts';

const revert = () => vscode.commands.executeCommand('workbench.action.files.revert');

async function replace(document: vscode.TextDocument, before: string, after: string): Promise<void> {
  const at = document.getText().indexOf(before);
  assert.ok(at >= 0, `${before} is not there`);
  const edit = new vscode.WorkspaceEdit();
  const range = new vscode.Range(document.positionAt(at), document.positionAt(at + before.length));
  edit.replace(document.uri, range, after);
  await vscode.workspace.applyEdit(edit);
}

function inlays(document: vscode.TextDocument): Thenable<vscode.InlayHint[]> {
  const whole = new vscode.Range(0, 0, document.lineCount, 0);
  return vscode.commands.executeCommand('vscode.executeInlayHintProvider', document.uri, whole);
}

const torch = `${adder.replace('GRU', 'RNN').replace('from torch', 'import torch\nfrom torch')}
model = Adder()
optimizer = torch.optim.Adam(model.parameters())
for x, y in data:
    loss = f(model(x), y)
    loss.backward()
    torch.nn.utils.clip_grad_value_(model.parameters(), 5)
    optimizer.step()
`;
const keras = `import keras
from keras import layers
model = keras.Sequential([
    keras.Input(shape=(24, 1)),
    layers.LSTM(
        8,
        recurrent_initializer="glorot_uniform",
        unit_forget_bias=False,
    ),
    layers.Dense(1),
])
model.compile(optimizer="adam", loss="mse")
`;
const tfjs = `import * as tf from '@tensorflow/tfjs';
const model = tf.sequential();
model.add(tf.layers.lstm({ units: 8, inputShape: [24, 1], unitForgetBias: false, recurrentActivation: 'sigmoid' }));
model.add(tf.layers.dense({ units: 1 }));
`;

const layer = (field: string, value: unknown) => ({ path: ['model', 'layers', 0, field], value });
const FIXES = [
  // what is removed has no value in the run folder
  { title: 'Use a GRU', edits: [layer('type', 'gru'), layer('activation', undefined)] },
  { title: 'Begin orthogonal', edits: [layer('recurrentInit', 'orthogonal')] },
  { title: 'Open the forget gate', edits: [layer('forgetBias', 1)] },
  { title: 'Clip', edits: [{ path: ['training', 'clipNorm'], value: 1 }] },
  { title: 'Shorter window', edits: [{ path: ['training', 'bptt', 'window'], value: 16 }] },
];

interface Case {
  file: string;
  text: string;
  language: DefinitionSource['language'];
  model: string;
  /** the layer as the run had it, which is the code's own */
  trained: object;
  at: string;
  /** what the code says after each fix; null: another run with it */
  after: Record<string, string | null>;
  /** an edit of the layer itself */
  change: [string, string];
}

const CASES: Case[] = [
  {
    file: 'found_torch.py',
    text: torch.replace('    torch.nn.utils.clip_grad_value_(model.parameters(), 5)\n', ''),
    language: 'python',
    model: 'Adder',
    trained: { type: 'rnn', units: 8 },
    at: 'RNN',
    after: {
      'Use a GRU': 'nn.GRU(2, 8',
      'Begin orthogonal': 'nn.init.orthogonal_(self.rnn.weight_hh_l0)',
      Clip: 'clip_grad_norm_(model.parameters(), 1.0)',
      'Shorter window': null,
    },
    change: ['nn.RNN(2, 8', 'nn.RNN(2, 9'],
  },
  {
    file: 'found_keras.py',
    text: keras,
    language: 'python',
    model: 'model',
    trained: { type: 'lstm', units: 8, recurrentInit: 'glorot-uniform', forgetBias: 0 },
    at: 'LSTM',
    after: {
      'Use a GRU': null,
      'Begin orthogonal': 'recurrent_initializer="orthogonal"',
      'Open the forget gate': 'unit_forget_bias=True',
      Clip: 'keras.optimizers.Adam(clipnorm=1.0)',
      'Shorter window': null,
    },
    // not on the line of its name
    change: ['        8,', '        9,'],
  },
  {
    file: 'found-tfjs.ts',
    text: tfjs,
    language: 'typescript',
    model: 'model',
    trained: { type: 'lstm', units: 8, forgetBias: 0 },
    at: 'lstm',
    after: {
      'Begin orthogonal': "recurrentInitializer: 'orthogonal'",
      'Open the forget gate': 'unitForgetBias: true',
      Clip: null,
    },
    change: ['units: 8', 'units: 9'],
  },
];

describe('findings of runs in code', () => {
  before(api);
  afterEach(async () => {
    await closeAll();
    await clearRuns();
  });

  for (const { file, text, language, model, trained, at, after, change } of CASES)
    it(`stay with their layer until it changes, and are mended in the code: ${file}`, async () => {
      const document = await open(file, text);
      const message = 'The gradient vanishes here.';
      runWithFinding(
        JSON.stringify({ data: { task: 'adding' }, model: { layers: [trained, { type: 'dense' }] } }),
        { path: file, line: 2, language, model, text },
        message,
        FIXES,
      );
      const finding = () => diagnosticsOf(document.uri).find(found => found.message === message);
      const found = await until('the finding', finding);
      assert.equal(document.getText(found.range), at);

      const actions = await quickFixes(document.uri, found.range);
      for (const [title, wanted] of Object.entries(after)) {
        if (wanted === null) {
          const again = actions.find(action => action.title === `${title}, and train again`);
          assert.deepEqual([again?.edit, again?.command?.command], [undefined, 'unroll.train'], title);
          continue;
        }
        const fix = actions.find(action => action.title === title);
        assert.ok(fix?.edit, `${title} is no edit: ${actions.map(action => action.title).join('; ')}`);
        await vscode.workspace.applyEdit(fix.edit);
        assert.ok(document.getText().includes(wanted), document.getText());
        await revert();
        assert.equal(document.getText(), text);
      }

      // lines above it come and go; it is told anew after each edit
      const edit = new vscode.WorkspaceEdit();
      edit.insert(document.uri, new vscode.Position(0, 0), '\n\n');
      await vscode.workspace.applyEdit(edit);
      const isMoved = () => finding()?.range.start.line === found.range.start.line + 2;
      await until('the finding with the lines above', isMoved);
      const moved = finding()!;
      assert.equal(document.getText(moved.range), at);

      await replace(document, ...change);
      await until('it is gone with what it was about', () => !finding());
      await revert();
    });
});

describe('settings of models in code', () => {
  before(api);
  afterEach(async () => {
    await closeAll();
    await clearRuns();
  });

  it('switch lenses, shapes and diagnostics off and on, each alone, without a reload', async () => {
    const document = await open('settings.py', adder.replace('batch_first=True', 'recurrent_dropout=0.2'));
    const seen: Record<string, () => Promise<boolean>> = {
      codeLens: async () => (await lensTitles(document)).titles.includes('▶ Train'),
      inlayHints: async () => (await inlays(document)).length > 0,
      diagnostics: async () => diagnosticsOf(document.uri).length > 0,
    };
    const names = Object.keys(seen);
    const settings = vscode.workspace.getConfiguration('unroll');
    const set = (name: string, value: boolean | undefined) =>
      settings.update(`${name}.enabled`, value, vscode.ConfigurationTarget.Workspace);
    for (const name of names) await until(`${name} at first`, seen[name]!);
    for (const name of names)
      try {
        await set(name, false);
        await until(`no ${name}`, async () => !(await seen[name]!()));
        for (const other of names) if (other !== name) await until(`${other} without ${name}`, seen[other]!);
      } finally {
        await set(name, undefined);
        await until(`${name} again`, seen[name]!);
      }
  });
});

describe('awkward code', () => {
  before(api);
  afterEach(async () => {
    await closeAll();
    await clearRuns();
  });

  it('is read whatever its bytes, tabs, dialect and decorators', async () => {
    const latin = Buffer.concat([
      Buffer.from('# -*- coding: latin-1 -*-\n# gr'),
      Buffer.from([0xfc, 0xdf, 0xff, 0x80]),
      Buffer.from(`\n${adder}`),
    ]);
    const cases: [string, string | Uint8Array, string][] = [
      ['latin.py', latin, '288 params'],
      [
        'tabs.py',
        adder.replace('        self.rnn', '\tself.rnn').replaceAll('    def', '    def'),
        '288 params',
      ],
      ['old.py', `${adder}\nprint "done", Adder\nexec "x = 1"\n`, '288 params'],
      ['decorated.py', adder.replace('class', '@register("adder")\n@final\nclass'), '288 params'],
      ['returns.py', adder.replaceAll('\n', '\r\n'), '288 params'],
      [
        'View.tsx',
        `import * as tf from '@tensorflow/tfjs';\nexport function View() {\n  const model = tf.sequential();\n  model.add(tf.layers.gru({ units: 4, inputShape: [9, 2] }));\n  return <p title="gru">{model.name}</p>;\n}\n`,
        '84 params',
      ],
      [
        'View.jsx',
        `import * as tf from '@tensorflow/tfjs';\nexport const View = () => {\n  const model = tf.sequential({ layers: [tf.layers.gru({ units: 4, inputShape: [9, 2] })] });\n  return <p>{model.name}</p>;\n};\n`,
        '84 params',
      ],
    ];
    for (const [name, text, counts] of cases) {
      const document = await open(name, text);
      const titles = await until(`lenses of ${name}`, async () => {
        const row = await lensTitles(document);
        return row.titles.length >= 3 && row.titles;
      });
      assert.ok(titles.includes('▶ Train'), `${name}: ${titles.join(' | ')}`);
      assert.ok(
        titles.some(title => title.includes(counts)),
        `${name}: ${titles.join(' | ')}`,
      );
    }
  });

  it('is skipped with a line in the log where it is huge or minified', async () => {
    const { services } = await api();
    const call = 'tf.layers.lstm({units:3});';
    for (const [name, text, why] of [
      ['minified.js', call.repeat(400), 'minified'],
      ['huge.py', `${adder}${'x = 1  # a long file\n'.repeat(110_000)}`, 'million characters'],
    ] as const) {
      const document = await open(name, text);
      assert.deepEqual((await lensTitles(document)).titles, [], name);
      assert.deepEqual(diagnosticsOf(document.uri), [], name);
      const folder = services.context.logUri.fsPath;
      await until(`the log tells of ${name}`, () =>
        readdirSync(folder).some(file =>
          new RegExp(`${name} is skipped: .*${why}`).test(readFileSync(path.join(folder, file), 'utf8')),
        ),
      );
    }
  });

  it('without a file shows counts, and says in one sentence that it cannot train', async () => {
    const { sourceOfModel } = await import('../../../src/extension/definitions/train.ts');
    const { services } = await api();
    const provider = vscode.workspace.registerTextDocumentContentProvider('elsewhere', {
      provideTextDocumentContent: () => adder,
    });
    try {
      for (const document of [
        await vscode.workspace.openTextDocument({ language: 'python', content: adder }),
        await vscode.workspace.openTextDocument(vscode.Uri.parse('elsewhere:/repository/model.py')),
      ]) {
        await vscode.window.showTextDocument(document);
        const { titles } = await until('lenses', async () => {
          const row = await lensTitles(document);
          return row.titles.length >= 3 && row;
        });
        assert.ok(titles.some(title => title.startsWith('288 params')));
        await assert.rejects(
          sourceOfModel({ uri: document.uri, model: 'Adder' }, services),
          /^Error: \S+ is not saved in an open folder, and runs are written into one\.$/,
        );
      }
    } finally {
      provider.dispose();
    }
    assert.deepEqual(runFolders(), []);
  });

  it('that is deleted while it trains leaves its run going, listed and shown', async () => {
    const { services } = await api();
    const document = await open('deleted.py', adder);
    await services.context.workspaceState.update('train.definitions.deleted.py#Adder', {
      data: { kind: 'generated', task: 'adding' },
    });
    await vscode.commands.executeCommand('unroll.train', { uri: document.uri, model: 'Adder' });
    const [run] = await until('the run', () => runFolders().length === 1 && runFolders());
    await until('it trains', () => (statusOf(run!)?.step ?? 0) > 5);
    await replace(document, document.getText(), 'import torch\n');
    await document.save();
    await until('no lens is left', async () => (await lensTitles(document)).titles.length === 0);
    await closeAll();
    await vscode.workspace.fs.delete(document.uri);
    const step = statusOf(run!)?.step ?? 0;
    await until('it goes on', () => (statusOf(run!)?.step ?? 0) > step + 5);
    assert.equal((await until('it is listed', () => services.store.get(run!))).name, 'Adder');
    await vscode.commands.executeCommand('unroll.openDashboard', [run!]);
    await vscode.commands.executeCommand('unroll.openExperiment', run!);
    assert.match(vscode.window.activeTextEditor?.document.getText() ?? '', /class Adder/);
    const { sourceOfModel } = await import('../../../src/extension/definitions/train.ts');
    await assert.rejects(sourceOfModel({ uri: document.uri, model: 'Adder' }, services));
    services.training.control([run!], 'stop');
    await until('it ends', () => ['stopped', 'finished'].includes(statusOf(run!)?.state ?? ''));
  });
});

describe('several documents on one configuration', () => {
  before(api);
  afterEach(async () => {
    await closeAll();
    for (const name of ['main.py', 'config.yaml', 'a.py', 'b.py', 'c.py', 'd.py', 'e.py'])
      rmSync(path.join(workspaceFolder(), 'models', name), { force: true });
  });

  it('each have its sizes, whenever it is written', async () => {
    const names = ['A', 'B', 'C', 'D', 'E'];
    const imports = names.map(name => `from ${name.toLowerCase()} import Net${name}\n`).join('');
    const calls = names.map(name => `    Net${name}(cfg)\n`).join('');
    const main = '@hydra.main(config_path=".", config_name="config")\ndef main(cfg):\n';
    await open('models/main.py', `import hydra\n${imports}\n${main}${calls}`);
    const init = 'def __init__(self, cfg):\n        self.rnn = nn.GRU(cfg.inputs, cfg.hidden)\n';
    const documents: vscode.TextDocument[] = [];
    for (const name of names) {
      const text = `from torch import nn\n\nclass Net${name}(nn.Module):\n    ${init}`;
      documents.push(await open(`models/${name.toLowerCase()}.py`, text, false));
    }
    for (let hidden = 100; hidden < 120; hidden++) {
      writeFileSync(path.join(workspaceFolder(), 'models/config.yaml'), `inputs: 7\nhidden: ${hidden}\n`);
      for (const document of documents)
        await until(`${path.basename(document.fileName)} has ${hidden} units`, async () =>
          (await lensTitles(document)).titles.some(title => title.includes(`${hidden} units by default`)),
        );
    }
  });
});

describe('a configuration in a folder of its own', () => {
  before(api);
  const folder = () => path.join(workspaceFolder(), 'models', 'settings');
  afterEach(async () => {
    await closeAll();
    rmSync(folder(), { recursive: true, force: true });
    for (const name of ['main.py', 'net.py'])
      rmSync(path.join(workspaceFolder(), 'models', name), { force: true });
  });

  it('is found when the folder is made, and gone with it', async () => {
    const main = '@hydra.main(config_path="settings", config_name="config")\ndef main(cfg):\n    Net(cfg)\n';
    await open('models/main.py', `import hydra\nfrom net import Net\n\n${main}`);
    const init = 'def __init__(self, cfg):\n        self.rnn = nn.GRU(cfg.inputs, cfg.hidden)\n';
    const document = await open(
      'models/net.py',
      `from torch import nn\n\nclass Net(nn.Module):\n    ${init}`,
    );
    const says = (text: string) =>
      until(`it says ${text}`, async () =>
        (await lensTitles(document)).titles.some(title => title.includes(text)),
      );
    await says('units from outside');
    mkdirSync(folder());
    writeFileSync(path.join(folder(), 'config.yaml'), 'inputs: 7\nhidden: 130\n');
    await says('130 units by default');
    rmSync(folder(), { recursive: true });
    await says('units from outside');
  });
});

describe('a table that a program reads', () => {
  before(api);
  afterEach(async () => {
    await closeAll();
    for (const name of ['wide.csv', 'reads.py'])
      rmSync(path.join(workspaceFolder(), 'models', name), { force: true });
  });

  it('tells the width of the input, and another one when it is written anew', async () => {
    const table = path.join(workspaceFolder(), 'models', 'wide.csv');
    const document = await open(
      'models/reads.py',
      'import pandas as pd\nfrom torch import nn\n\nframe = pd.read_csv("wide.csv")\nrnn = nn.GRU(frame.shape[1], 8)\n',
    );
    const says = (parameters: number | null) =>
      until(`${parameters} parameters`, async () => {
        const { services } = await api();
        const [layer] = (await services.code.read(document)).layers;
        return layer?.recurrent?.parametersDefault === parameters;
      });
    await says(null);
    writeFileSync(table, 'day,open,close\n1,2,3\n');
    await says(3 * 8 * (3 + 8 + 2));
    writeFileSync(table, 'day,open,close,volume,high\n1,2,3,4,5\n');
    await says(3 * 8 * (5 + 8 + 2));
  });
});

describe('what a text tells to be wrong', () => {
  before(api);
  afterEach(closeAll);

  it('is told once nobody types, and of the text as it then is', async () => {
    const { services } = await api();
    const wrong = (size: number) =>
      `from torch import nn\n\nclass Net(nn.Module):\n    def __init__(self):\n        self.rnn = nn.LSTM(3, ${size}, dropout=0.5)\n`;
    const document = await open('typed.py', wrong(4));
    await until('its finding', () =>
      diagnosticsOf(document.uri).some(({ message }) => /dropout/.test(message)),
    );
    await replace(document, ', dropout=0.5', '');
    const asked = services.code.findings(document);
    // typing goes on while it is waited for
    await replace(document, 'nn.LSTM(3, 4)', 'nn.LSTM(3, -4)');
    const ids = (await asked).map(({ id }) => id);
    assert.ok(!ids.includes('torch-dropout-one-layer') && ids.length === 1, `found ${ids}`);
    await replace(document, 'nn.LSTM(3, -4)', 'nn.LSTM(3, 4)');
    assert.deepEqual(await services.code.findings(document), []);
    await revert();
  });
});

describe('Convert to Experiment', () => {
  before(api);
  afterEach(async () => {
    await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
    await closeAll();
  });

  for (const [file, model, layers] of [
    ['models/torch_model.py', 'Adder', ['rnn', 'dense']],
    ['models/keras_model.py', 'forecaster', ['gru', 'dropout', 'lstm', 'dense']],
    ['models/tfjs-model.ts', 'buildForecaster', ['lstm', 'dense']],
  ] as const)
    it(`opens a valid experiment beside the code, with its own lenses: ${file}`, async () => {
      const { services } = await api();
      const uri = vscode.Uri.file(path.join(workspaceFolder(), file));
      const document = await vscode.workspace.openTextDocument(uri);
      const editor = await vscode.window.showTextDocument(document);
      const at = document.positionAt(document.getText().indexOf(model) + 1);
      editor.selection = new vscode.Selection(at, at);
      await services.context.workspaceState.update(`train.definitions.${file}#${model}`, {
        data: { kind: 'generated', task: 'adding' },
      });
      await vscode.commands.executeCommand('unroll.convertToExperiment');
      const made = vscode.window.activeTextEditor!.document;
      assert.match(made.uri.path, /\.rnn\.json$/);
      const { experiment, problems } = parseExperiment(made.getText());
      assert.deepEqual(problems, []);
      assert.deepEqual(
        experiment?.model.layers.map(({ type }) => type),
        layers,
      );
      await until('its lenses', async () =>
        (await lensTitles(made)).titles.some(title => /Train/.test(title)),
      );
      assert.deepEqual(diagnosticsOf(made.uri), []);
    });
});

describe('notebooks in the editor', () => {
  before(api);
  afterEach(async () => {
    await closeAll();
    await clearRuns();
  });

  it('have counts, hovers and diagnostics in a cell whose imports and numbers stand in others, and train', async () => {
    const { services } = await api();
    const file = path.join(workspaceFolder(), 'course.ipynb');
    const cell = (text: string) => ({
      cell_type: 'code',
      execution_count: null,
      metadata: {},
      outputs: [],
      source: text.split(/(?<=\n)/),
    });
    const model = adder.slice(adder.indexOf('class')).replaceAll('8', 'HIDDEN');
    const cells = [
      cell('%matplotlib inline\nfrom torch import nn\nHIDDEN = 8\n'),
      cell(model.replace('batch_first=True', 'dropout=0.5')),
    ];
    const metadata = { language_info: { name: 'python' } };
    writeFileSync(file, JSON.stringify({ cells, metadata, nbformat: 4, nbformat_minor: 5 }));
    const notebook = await vscode.workspace.openNotebookDocument(vscode.Uri.file(file));
    await vscode.window.showNotebookDocument(notebook);
    const { document } = notebook.cellAt(1);
    const { titles, line } = await until('lenses of the cell', async () => {
      const found = await lensTitles(document);
      return found.titles.length >= 3 && found;
    });
    assert.equal(line, 0);
    assert.ok(
      titles.some(title => title.startsWith('288 params')),
      titles.join(' | '),
    );
    const found = await until('the squiggle', () => diagnosticsOf(document.uri)[0]);
    assert.match(found.message, /dropout/);
    assert.equal(found.range.start.line, 3);
    await services.context.workspaceState.update('train.definitions.course.ipynb#Adder', {
      data: { kind: 'generated', task: 'adding' },
    });
    await vscode.commands.executeCommand('unroll.train', { uri: document.uri, model: 'Adder' });
    const [run] = await until('the run', () => runFolders().length === 1 && runFolders());
    await until('it trains', () => (statusOf(run!)?.step ?? 0) > 5);
    await until('the lens tells', async () =>
      (await lensTitles(document)).titles.some(title => /^(now|last): /.test(title)),
    );
    const at = document.positionAt(document.getText().indexOf('GRU(') + 1);
    await until('the hover tells how far back the gradient reached', async () => {
      const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
        'vscode.executeHoverProvider',
        document.uri,
        at,
      );
      const text = hovers.flatMap(({ contents }) => contents.map(part => (part as { value: string }).value));
      // a line of the cell itself is none of theirs
      assert.match(text.join('\n'), /`HIDDEN` is 8, in an earlier cell/);
      return /gradients(?:&nbsp;|\s)+reach(?:&nbsp;|\s)+(?:all(?:&nbsp;|\s)+)?\d+/i.test(text.join('\n'));
    });
    services.training.control([run!], 'stop');
    await until('it ends', () => ['stopped', 'finished'].includes(statusOf(run!)?.state ?? ''));
  });
});
