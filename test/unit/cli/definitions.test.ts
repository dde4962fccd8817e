// unroll definitions: files around the one that is named, files that cannot be read, notebooks.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { unroll } from './unroll.ts';

let folder: string;

function write(name: string, text: string | Buffer): string {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

const gru = (inputs: number, units: number) => 3 * units * (inputs + units + 2);
const notebook = (cells: [string, string][]) =>
  JSON.stringify(
    {
      cells: cells.map(([cell_type, source]) => ({
        cell_type,
        metadata: {},
        source: source.split(/(?<=\n)/),
      })),
      metadata: {},
      nbformat: 4,
      nbformat_minor: 5,
    },
    null,
    1,
  );

describe('unroll definitions', () => {
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'unroll-definitions-'));
    mkdirSync(path.join(folder, '.git'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('reads what the file imports, what calls its classes and what configures them', () => {
    write(
      'sizes.py',
      'from dataclasses import dataclass\nHIDDEN = 48\n@dataclass\nclass Config:\n    hidden: int = 96\n',
    );
    write('own/layers.py', 'from torch import nn\nclass Own(nn.LSTM):\n    pass\n');
    write('own/__init__.py', 'from .layers import Own\n');
    write(
      'main.py',
      'import hydra\nfrom model import Net, Enc\n@hydra.main(config_path="conf", config_name="config")\ndef main(cfg):\n    net = Net(cfg)\n    enc = Enc(21)\n',
    );
    write('conf/config.yaml', 'defaults:\n  - model: gru\n  - _self_\nlr: 0.1\n');
    write(
      'conf/model/gru.yaml',
      'hidden_size: 128  # wide\ninputs: 7\nmade:\n  _target_: model.Made\n  size: 11\n',
    );
    write('conf/model/lstm.yaml', 'hidden_size: 512\ninputs: 9\n');
    const model = write(
      'model.py',
      `import torch.nn as nn
import sizes
from sizes import HIDDEN, Config
from own import Own
class Net(nn.Module):
    def __init__(self, cfg):
        self.a = nn.GRU(cfg.model.inputs, cfg.model.hidden_size)
        self.b = nn.GRU(3, HIDDEN)
        self.c = Own(3, 4)
        self.d = nn.GRU(3, sizes.HIDDEN * 2)
class Enc(nn.Module):
    def __init__(self, n):
        self.rnn = nn.GRU(2, n)
class Typed(nn.Module):
    def __init__(self, c: Config):
        self.rnn = nn.GRU(2, c.hidden)
class Made(nn.Module):
    def __init__(self, size):
        self.rnn = nn.GRU(2, size)
`,
    );
    assert.match(
      unroll(['definitions', model]).stdout,
      /GRU · 128 units by default · [\d,]+ parameters by default · from \S*gru\.yaml:1\n/,
    );
    const { code, stdout } = unroll(['definitions', model, '--json']);
    assert.equal(code, 0);
    const rows = (JSON.parse(stdout) as Record<string, unknown>[]).map(row => {
      const { units, unitsDefault, parameters, parametersDefault } = row;
      const from = row['from'] as { file: string; line: number } | undefined;
      return [
        units,
        unitsDefault,
        parameters ?? parametersDefault,
        from && `${path.relative(folder, from.file)}:${from.line}`,
      ];
    });
    assert.deepEqual(rows, [
      [null, 128, gru(7, 128), 'conf/model/gru.yaml:1'],
      [48, undefined, gru(3, 48), 'sizes.py:2'],
      [4, undefined, 4 * 4 * (3 + 4 + 2), undefined],
      [96, undefined, gru(3, 96), 'sizes.py:2'],
      [21, undefined, gru(2, 21), 'main.py:6'],
      [null, 96, gru(2, 96), 'sizes.py:5'],
      [null, 11, gru(2, 11), 'conf/model/gru.yaml:5'],
    ]);
  });

  it('says which files cannot be read, and loses none of the others', () => {
    const good = write('good.py', 'from torch import nn\nnn.GRU(3, 4)\n');
    const broken = write('broken.ipynb', '{"cells": [\n{"cell_type": "code",,}\n');
    const none = write('none.ipynb', '{"a": 1}');
    const wide = write('wide.py', Buffer.from('\uFEFFfrom torch import nn\nnn.GRU(3, 4)\n', 'utf16le'));
    const bytes = write('bytes.py', Buffer.from([80, 75, 3, 4, 0, 0]));
    const missing = path.join(folder, 'missing.py');
    const { code, stdout, stderr } = unroll([
      'definitions',
      broken,
      good,
      none,
      wide,
      bytes,
      missing,
      '--json',
    ]);
    assert.equal(code, 2);
    assert.deepEqual(
      (JSON.parse(stdout) as { file: string }[]).map(({ file }) => file),
      [good],
    );
    const lines = stderr.trim().split('\n');
    assert.equal(lines.length, 5, stderr);
    assert.match(lines[0]!, /broken\.ipynb: it is no notebook, since its JSON is broken in line 2\.$/);
    assert.match(lines[1]!, /none\.ipynb: it is no notebook, since it has no list of cells\.$/);
    assert.match(lines[2]!, /wide\.py: it is written in UTF-16/);
    assert.match(lines[3]!, /bytes\.py: it is no text/);
    assert.match(lines[4]!, /missing\.py: there is no such file\.$/);
  });

  it('says that nothing was found', () => {
    const file = write('plain.py', 'print("LSTM")\n');
    const { code, stdout, stderr } = unroll(['definitions', file, '--json']);
    assert.deepEqual([code, stdout, stderr], [0, '[]\n', 'No sequence layer was found in 1 file.\n']);
  });

  it('tells cell and line of a notebook', () => {
    const file = write(
      'two.ipynb',
      notebook([
        ['markdown', '# Two models'],
        [
          'code',
          'import torch.nn as nn\nclass A(nn.Module):\n    def __init__(self, n):\n        self.rnn = nn.GRU(3, n)\n',
        ],
        ['code', '%time\na = A(5)\nb = nn.LSTM(3, 7)'],
      ]),
    );
    const { stdout } = unroll(['definitions', file, '--json']);
    assert.deepEqual(
      (JSON.parse(stdout) as Record<string, unknown>[]).map(({ notebookCell, cellLine, units }) => [
        notebookCell,
        cellLine,
        units,
      ]),
      [
        [2, 4, 5],
        [3, 3, 7],
      ],
    );
    assert.match(
      unroll(['definitions', file]).stdout,
      /two\.ipynb:\d+ \(cell 3, line 3\): torch LSTM · 7 units/,
    );
  });
});
