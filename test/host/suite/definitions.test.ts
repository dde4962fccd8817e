// Models in code: lenses, hovers, shapes, conversion and training, in the real extension host.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import {
  adder,
  api,
  clearRuns,
  closeAll,
  lensTitles,
  open,
  quickFixes,
  runFolders,
  runWithFinding,
  statusOf,
  until,
  workspaceFolder,
} from './help.ts';

async function hoverAt(document: vscode.TextDocument, word: string): Promise<string> {
  const at = document.positionAt(document.getText().indexOf(word) + 1);
  const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
    'vscode.executeHoverProvider',
    document.uri,
    at,
  );
  return hovers
    .flatMap(({ contents }) => contents.map(each => (each as vscode.MarkdownString).value))
    .join('\n');
}

describe('models in code', () => {
  before(api);
  afterEach(async () => {
    await closeAll();
    await clearRuns();
  });

  it('have lenses above each model, with counts, in all three frameworks', async () => {
    const wanted: [string, [number, string][]][] = [
      [
        'models/torch_model.py',
        [
          [8, '25,088 params · GRU −25 %'],
          [22, '1,152 params'],
        ],
      ],
      ['models/keras_model.py', [[7, 'params']]],
      ['models/tfjs-model.ts', [[5, '4,352 params · GRU −25 %']]],
    ];
    for (const [name, rows] of wanted) {
      const document = await open(name);
      const lenses = await until(`lenses of ${name}`, async () => {
        const all = await vscode.commands.executeCommand<vscode.CodeLens[]>(
          'vscode.executeCodeLensProvider',
          document.uri,
          50,
        );
        const ours = all.filter(({ command }) => command?.title);
        return ours.length >= rows.length * 3 && ours;
      });
      for (const [line, counts] of rows) {
        const titles = lenses
          .filter(({ range }) => range.start.line === line)
          .map(({ command }) => command!.title);
        assert.deepEqual(titles.slice(0, 2), ['▶ Train', '⇄ Compare RNN · GRU · LSTM'], `${name}:${line}`);
        assert.ok(titles[2]!.includes(counts), `${name}:${line}: ${titles[2]}`);
      }
    }
  });

  it('tell equations, counts in three conventions and costs in a hover', async () => {
    const document = await open('models/torch_model.py');
    const text = await until('the hover', () => hoverAt(document, 'LSTM(32'));
    assert.match(text, /\*\*LSTM\*\* of PyTorch: \[B, T, 32\] → \[B, T, 64\]/);
    assert.match(text, /4·64·\(32 \+ 64 \+ 2\) = 25,088/);
    assert.match(text, /\*\*PyTorch 25,088\*\* · Keras 24,832 · TensorFlow\.js 24,832/);
    assert.match(text, /i f g o/);
    assert.equal(await hoverAt(document, 'Linear('), '');
  });

  it('have shapes behind their layers', async () => {
    const document = await open('models/keras_model.py');
    const whole = new vscode.Range(0, 0, document.lineCount, 0);
    const hints = await until('the shapes', async () => {
      const all = await vscode.commands.executeCommand<vscode.InlayHint[]>(
        'vscode.executeInlayHintProvider',
        document.uri,
        whole,
      );
      return all.length >= 3 && all;
    });
    assert.deepEqual(
      hints.map(({ label }) => label),
      ['[B, T, 32]', '[B, 32]', '[B, 1]'],
    );
  });

  it('are nothing where nothing is', async () => {
    const plain = await open('plain.py', 'import torch\nprint("nn.LSTM(3, 4)")\n');
    assert.deepEqual((await lensTitles(plain)).titles, []);
  });

  it('are read before anybody asks for them, so that their row stands at once', async () => {
    const { services } = await api();
    const settings = vscode.workspace.getConfiguration('unroll');
    for (const name of ['codeLens', 'inlayHints', 'diagnostics'])
      await settings.update(`${name}.enabled`, false, vscode.ConfigurationTarget.Workspace);
    try {
      const document = await open('early.py', adder);
      await until('its models', () => services.code.modelNames(document).includes('Adder'));
    } finally {
      for (const name of ['codeLens', 'inlayHints', 'diagnostics'])
        await settings.update(`${name}.enabled`, undefined, vscode.ConfigurationTarget.Workspace);
    }
  });

  it('stay as dim text while a line makes no sense, and train again when it does', async () => {
    const document = await open('edited.py', adder);
    const { line } = await until('lenses', async () => {
      const row = await lensTitles(document);
      return row.titles.length >= 3 && row;
    });
    const edit = new vscode.WorkspaceEdit();
    edit.insert(document.uri, new vscode.Position(4, 0), '        self.x = nn.LSTM((\n    def broken(:\n');
    await vscode.workspace.applyEdit(edit);
    const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>(
      'vscode.executeCodeLensProvider',
      document.uri,
      20,
    );
    assert.deepEqual(
      lenses.map(({ command, range }) => [range.start.line, command?.title, command?.command]),
      [[line, '288 params · LSTM +33 % · as last read, before the syntax error', '']],
    );
    const { sourceOfModel } = await import('../../../src/extension/definitions/train.ts');
    await assert.rejects(
      sourceOfModel({ uri: document.uri, model: 'Adder' }, (await api()).services),
      /Adder cannot be read: mend the syntax error/,
    );
    await vscode.commands.executeCommand('undo');
    await until('the whole row', async () => (await lensTitles(document)).titles.includes('▶ Train'));
    await vscode.commands.executeCommand('workbench.action.files.revert');
  });

  it('train as they are written, and the lens tells the result', async () => {
    const { services } = await api();
    const document = await open('trained.py', adder);
    await services.context.workspaceState.update('train.definitions.trained.py#Adder', {
      data: { kind: 'generated', task: 'adding' },
    });
    await vscode.commands.executeCommand('unroll.train', { uri: document.uri, model: 'Adder' });
    const [run] = await until('the run', () => runFolders().length === 1 && runFolders());
    const { request } = await until('it is listed', () => services.store.get(run!));
    assert.deepEqual(request.experiment.model.layers[0], {
      type: 'gru',
      units: 8,
      layers: 1,
      dropout: 0,
      recurrentInit: 'default',
      bidirectional: false,
    });
    assert.deepEqual(
      [request.definition?.path, request.definition?.model, request.definition?.line],
      ['trained.py', 'Adder', 2],
    );
    await until('it trains', () => (statusOf(run!)?.step ?? 0) > 5);
    await until('the lens tells', async () =>
      (await lensTitles(document)).titles.some(title => /^(now|last): /.test(title)),
    );
    services.training.control([run!], 'stop');
    await until('it ends', () => ['stopped', 'finished'].includes(statusOf(run!)?.state ?? ''));
  });

  it('say in one sentence what cannot be trained', async () => {
    const { sourceOfModel } = await import('../../../src/extension/definitions/train.ts');
    const { services } = await api();
    const document = await open(
      'loop.py',
      'from torch import nn\nclass Loop(nn.Module):\n    def __init__(self, n):\n        self.all = [nn.GRU(2, 8) for _ in range(n)]\n',
    );
    await assert.rejects(
      sourceOfModel({ uri: document.uri, model: 'Loop' }, services),
      /Line 4: GRU is made in a loop/,
    );
    assert.deepEqual(runFolders(), []);
  });

  it('are underlined where their text alone is wrong, with a fix that edits the code', async () => {
    const document = await open('wrong.py', adder.replace('batch_first=True', 'recurrent_dropout=0.2'));
    const [found] = await until('the squiggle', () => {
      const all = vscode.languages.getDiagnostics(document.uri).filter(({ source }) => source === 'Unroll');
      return all.length > 0 && all;
    });
    assert.equal(found!.severity, vscode.DiagnosticSeverity.Warning);
    assert.match(found!.message, /recurrent_dropout/);
    assert.match(String((found!.code as { target: vscode.Uri }).target), /docs\/lint\.md#/);
    const actions = await quickFixes(document.uri, found!.range);
    const fix = actions.find(({ edit }) => edit);
    await vscode.workspace.applyEdit(fix!.edit!);
    assert.doesNotMatch(document.getText(), /recurrent_dropout/);
    await until('it is gone', () =>
      vscode.languages.getDiagnostics(document.uri).every(({ source }) => source !== 'Unroll'),
    );
    await vscode.commands.executeCommand('workbench.action.files.revert');
  });

  it('are underlined in files with convolutions only, and have no lenses there', async () => {
    const document = await open(
      'convolutions.py',
      'from keras import Sequential, layers\nm = Sequential([layers.Input((64, 2)), layers.Conv1D(8, 3)])\n',
    );
    const [found] = await until('the squiggle', () => {
      const all = vscode.languages.getDiagnostics(document.uri).filter(({ source }) => source === 'Unroll');
      return all.length > 0 && all;
    });
    assert.match(found!.message, /sees 3 time steps of the 64/);
    assert.deepEqual((await lensTitles(document)).titles, []);
  });

  it('are found in the cells of a notebook', async () => {
    const file = path.join(workspaceFolder(), 'lab.ipynb');
    const cell = {
      cell_type: 'code',
      execution_count: null,
      metadata: {},
      outputs: [],
      source: adder.split(/(?<=\n)/),
    };
    const metadata = { language_info: { name: 'python' } };
    writeFileSync(file, JSON.stringify({ cells: [cell], metadata, nbformat: 4, nbformat_minor: 5 }));
    const notebook = await vscode.workspace.openNotebookDocument(vscode.Uri.file(file));
    await vscode.window.showNotebookDocument(notebook);
    const { document } = notebook.cellAt(0);
    const { titles } = await until('lenses of the cell', async () => {
      const found = await lensTitles(document);
      return found.titles.length >= 3 && found;
    });
    assert.equal(titles.filter(title => title === '▶ Train').length, 1);
    assert.match(await hoverAt(document, 'GRU(2'), /\*\*GRU\*\* of PyTorch: \[B, T, 2\] → \[B, T, 8\]/);
  });

  it('are underlined at the layer that a run found fault with, and mended by another cell', async () => {
    const document = await open('found.py', adder.replace('GRU', 'RNN'));
    runWithFinding(
      '{"data":{"task":"adding"},"model":{"layers":[{"type":"rnn","units":8},{"type":"dense"}]}}',
      { path: 'found.py', line: 2, language: 'python', model: 'Adder', text: document.getText() },
      'The gradient vanishes.',
    );
    const [found] = await until('the finding', () => {
      const all = vscode.languages
        .getDiagnostics(document.uri)
        .filter(({ message }) => message === 'The gradient vanishes.');
      return all.length > 0 && all;
    });
    assert.equal(document.getText(found!.range), 'RNN');
    const actions = await quickFixes(document.uri, found!.range);
    const beyond = actions.find(({ title }) => title === 'Not possible here, and train again');
    assert.deepEqual([beyond?.edit, beyond?.command?.command], [undefined, 'unroll.train']);
    await vscode.workspace.applyEdit(actions.find(({ title }) => title === 'Use a GRU')!.edit!);
    assert.match(document.getText(), /nn\.GRU\(2, 8, batch_first=True\)/);
    await until('it is gone with its line', () =>
      vscode.languages
        .getDiagnostics(document.uri)
        .every(({ message }) => message !== 'The gradient vanishes.'),
    );
    await vscode.commands.executeCommand('workbench.action.files.revert');
  });

  it('open as another framework, with the differences named', async () => {
    await open('models/keras_model.py');
    await vscode.commands.executeCommand('unroll.openAsPyTorch');
    const made = await until('the other file', () => {
      const text = vscode.window.activeTextEditor?.document.getText() ?? '';
      return text.includes('nn.Module') && text;
    });
    assert.match(made, /self\.gru = nn\.GRU\(inputs, 32, batch_first=True\)/);
    assert.match(made, /# Differs: PyTorch has two biases/);
  });
});
