// The row above a model, and the hover over a layer.
import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { api, clearRuns, closeAll, lensTitles, open, until } from './help.ts';

describe('lenses', () => {
  before(api);
  after(async () => {
    await closeAll();
    await clearRuns();
  });

  it('stand above the model of every sample, with counts before any run', async () => {
    const expected: [string, number, string, string][] = [
      ['emma.rnn.json', 3, '▶ Train 3 runs', 'LSTM 82,944 · GRU 62,208 (−25 %, PyTorch count)'],
      ['adding.rnn.json', 3, '▶ Train 3 runs', 'GRU 13,056 · LSTM 17,408 (+33 %, PyTorch count)'],
      ['co2.rnn.json', 3, '▶ Train', 'LSTM 4,480 · GRU 3,360 (−25 %, PyTorch count)'],
    ];
    for (const [file, line, train, counts] of expected) {
      const document = await open(file);
      const found = await lensTitles(document);
      assert.equal(found.line, line, file);
      assert.deepEqual(found.titles, [train, '⇄ Compare RNN · GRU · LSTM', counts]);
    }
  });

  it('stay while the file is broken', async () => {
    const document = await open('emma.rnn.json');
    const before = await lensTitles(document);
    const edit = new vscode.WorkspaceEdit();
    edit.insert(document.uri, document.positionAt(document.getText().length - 2), '"');
    await vscode.workspace.applyEdit(edit);
    const broken = await lensTitles(document);
    assert.equal(broken.line, before.line);
    assert.deepEqual(broken.titles, before.titles);
    await vscode.commands.executeCommand('workbench.action.files.revert');
  });

  it('can be switched off', async () => {
    const settings = vscode.workspace.getConfiguration('unroll');
    await settings.update('codeLens.enabled', false, vscode.ConfigurationTarget.Global);
    try {
      const document = await open('emma.rnn.json');
      await until(
        'the lenses are gone',
        async () => (await lensTitles(document)).titles.filter(title => /Train/.test(title)).length === 0,
      );
    } finally {
      await settings.update('codeLens.enabled', undefined, vscode.ConfigurationTarget.Global);
    }
  });

  it('have a hover beside them with the formula', async () => {
    const document = await open('emma.rnn.json');
    const place = document.positionAt(document.getText().indexOf('"lstm"') + 2);
    const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
      'vscode.executeHoverProvider',
      document.uri,
      place,
    );
    const text = hovers.flatMap(({ contents }) =>
      contents.map(part => (part as vscode.MarkdownString).value),
    );
    assert.ok(
      text.some(part => part.includes('4·128·(32 + 128 + 2) = 82,944')),
      text.join('\n'),
    );
  });
});
