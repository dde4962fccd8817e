// Squiggles: one clear message a fault, at its place; what a run found, at its layer, with a fix that edits.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import {
  api,
  clearRuns,
  closeAll,
  diagnosticsOf,
  open,
  quickFixes,
  runWithFinding,
  until,
  workspaceFolder,
} from './help.ts';

const valid =
  '{\n  "data": { "task": "adding" },\n  "model": { "layers": [{ "type": "rnn", "units": 8 }, { "type": "dense" }] }\n}\n';

describe('squiggles', () => {
  before(api);
  afterEach(closeAll);
  after(clearRuns);

  it('are not there without a fault', async () => {
    const document = await open('emma.rnn.json');
    // one with a fault, which is looked at after it
    const faulty = await open('faulty.rnn.json', valid.replace('8 }', '0 }'));
    await until('the fault is shown', () => diagnosticsOf(faulty.uri).length > 0);
    assert.deepEqual(diagnosticsOf(document.uri), []);
  });

  it('follow the typing, at the place of the fault', async () => {
    const document = await open('typed.rnn.json', valid);
    const at = document.getText().indexOf('8 }');
    const edit = new vscode.WorkspaceEdit();
    edit.replace(document.uri, new vscode.Range(document.positionAt(at), document.positionAt(at + 1)), '0');
    await vscode.workspace.applyEdit(edit);
    const all = await until('the fault is shown', () => {
      const found = vscode.languages.getDiagnostics(document.uri);
      return found.length > 0 && found;
    });
    assert.equal(all[0]!.range.start.line, 2);
    // another source would say the same a moment later
    const other = await open('other.rnn.json', valid.replace('8 }', '0 }'));
    await until('the next fault is shown', () => diagnosticsOf(other.uri).length > 0);
    await vscode.window.showTextDocument(document);
    const found = vscode.languages.getDiagnostics(document.uri);
    assert.match(found[0]!.message, /`units` must be a whole number of at least 1, found 0/);
    assert.equal(found.length, 1, found.map(({ message, source }) => `${source}: ${message}`).join('\n'));
    await vscode.commands.executeCommand('workbench.action.files.revert');
    await until('it is gone', () => vscode.languages.getDiagnostics(document.uri).length === 0);
  });

  it('check data of our own samples, which a copy of a run on them names by their whole path', async () => {
    const { services } = await api();
    const data = path.join(services.context.extensionPath, 'samples/data/co2-concentration.csv');
    const text = valid.replace('{ "task": "adding" }', () =>
      JSON.stringify({ task: 'forecast', path: data, target: 'nope' }),
    );
    const document = await open('own-sample.rnn.json', text);
    const [message] = await until('its data were checked', () => {
      const found = diagnosticsOf(document.uri).map(each => each.message);
      return found.length > 0 && found;
    });
    assert.match(message!, /nope/);
  });

  it('say what the last run found, at the layer, until the line changes; a fix edits the file', async () => {
    const file = 'found.rnn.json';
    const document = await open(file, valid);
    const message = 'The gradient at step 1 is 4e-6 of that at the last step.';
    runWithFinding(valid, { path: file, line: 3, language: 'rnn-json', text: valid }, message);
    const [found] = await until('the finding is shown', () => {
      const all = diagnosticsOf(document.uri);
      return all.length > 0 && all;
    });
    assert.equal(found!.message, message);
    assert.equal(found!.range.start.line, 2);
    const actions = await quickFixes(document.uri, found!.range);
    assert.deepEqual(
      actions.map(({ title }) => title),
      ['Use a GRU'],
    );
    await vscode.workspace.applyEdit(actions[0]!.edit!);
    assert.equal(document.getText(), valid.replace('"rnn"', '"gru"'));
    assert.equal(readFileSync(path.join(workspaceFolder(), file), 'utf8'), valid, 'nothing is saved unasked');
    await until('the finding is gone with its line', () => diagnosticsOf(document.uri).length === 0);
    await vscode.commands.executeCommand('workbench.action.files.revert');
  });
});
