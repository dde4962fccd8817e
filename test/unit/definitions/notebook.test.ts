// Notebooks as files: their cells as one text, and the lines that things stand on in the file.
import assert from 'node:assert/strict';
import { applyTextFix } from '../../../src/definitions/lint/finding.ts';
import { notebookCode } from '../../../src/definitions/notebook.ts';
import { boundBefore, inCell } from '../../../src/definitions/notebook-cells.ts';
import { layersOf } from './find.ts';
import { linted } from './lint/linted.ts';

const cell = (source: string | string[], cell_type = 'code') => ({
  cell_type,
  metadata: {},
  source,
  outputs: [],
});
const notebook = (cells: object[], metadata: object = {}) =>
  JSON.stringify({ cells, metadata, nbformat: 4, nbformat_minor: 5 }, null, 1);

async function found(file: string): Promise<[number, string | null, number | null][]> {
  const { text, language, lines } = notebookCode(file)!;
  return (await layersOf(language, text)).map(({ line, cell, units }) => [lines[line - 1]!, cell, units]);
}

const lineOf = (file: string, text: string) => file.slice(0, file.indexOf(text)).split('\n').length;

describe('notebooks', () => {
  it('are read as one text, with the lines of the file', async () => {
    const file = notebook([
      cell(['# LSTM(1)\n', 'Prose about `nn.GRU(2, 3)`'], 'markdown'),
      cell(['%matplotlib inline\n', 'import torch.nn as nn\n', 'hidden = 24']),
      cell(['%%bash\n', 'echo "nn.LSTM(1, 2)"']),
      cell(['%%writefile net.py\n', 'own = nn.LSTM(7, 8)']),
      cell([
        '%%time\n',
        'if hidden:\n',
        '    !pip install torch\n',
        'net = nn.LSTM(\n',
        '    3, hidden)\n',
        'cell = nn.GRUCell(3, 5)',
      ]),
    ]);
    assert.deepEqual(await found(file), [
      [lineOf(file, 'net = nn.LSTM('), 'LSTM', 24],
      [lineOf(file, 'cell = nn.GRUCell'), 'GRU', 5],
    ]);
  });

  it('may hold a cell in one string, be of the third format, and be written in one line', async () => {
    const whole = notebook([cell('from keras.layers import GRU\nx = GRU(6)\n')]);
    assert.deepEqual(await found(whole), [[lineOf(whole, 'from keras'), 'GRU', 6]]);
    const old = JSON.stringify({
      metadata: {},
      worksheets: [
        {
          cells: [
            { cell_type: 'code', input: ['from keras.layers import GRU\n', 'GRU(7)'], language: 'python' },
          ],
        },
      ],
    });
    assert.deepEqual(await found(old), [[1, 'GRU', 7]]);
  });

  it('of other languages are none, and what is no notebook neither', async () => {
    const r = notebook([cell('layer_lstm(units = 4)')], { kernelspec: { language: 'R', name: 'ir' } });
    assert.equal(notebookCode(r), null);
    assert.equal(notebookCode('{"a": 1}'), null);
    assert.equal(notebookCode('not JSON'), null);
    const deno = notebook([cell("const tf = require('@tensorflow/tfjs');\ntf.layers.lstm({units: 3});")], {
      language_info: { name: 'typescript' },
    });
    assert.deepEqual(
      (await found(deno)).map(([, kind, units]) => [kind, units]),
      [['LSTM', 3]],
    );
  });

  it('lend a cell what the cells before it bind, without moving it', async () => {
    const before = [
      '%matplotlib inline\nimport torch\nfrom torch import nn as net  # the layers\nH = 4\nW = 9\ny = model(x)\n',
      'if True:\n    H = 7\nH = 2 * 8  # wider\n!pip install torch\n',
    ];
    const own = 'W = 3\nrnn = net.GRU(W, H)\n';
    const lent = boundBefore(before, own);
    assert.equal(lent, '\nimport torch\nfrom torch import nn as net\nH = 2 * 8\n');
    const [found] = await layersOf('python', own + lent);
    assert.deepEqual([found?.line, found?.units, found?.parameters], [2, 16, 3 * 16 * (3 + 16 + 2)]);
    assert.equal(boundBefore(['print("x")\n'], own), '');
  });

  it('are told of faults in the cell, with fixes that stay in it', async () => {
    const before = ['import torch\nfrom torch import nn\nfrom keras import Sequential\n'];
    const imports = ['from keras.layers import LSTM, Dense, Conv2D\n', ...before];
    const widths =
      'class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n' +
      '        self.rnn = nn.GRU(3, 4)\n        self.head = nn.Linear(5, 2)\n' +
      '    def forward(self, x):\n        out, h = self.rnn(x)\n        return self.head(h[-1])\n';
    const [found, ...more] = inCell(
      await linted('python', widths + boundBefore(before, widths)),
      widths.length,
    );
    assert.deepEqual([found?.id, found?.range.line, more.length], ['torch-width', 5, 0]);
    assert.equal(applyTextFix(widths, found!.fixes[0]!), widths.replace('Linear(5', 'Linear(4'));
    // the fix would import a layer in the cell before
    const pictures = 'm = Sequential([Conv2D(8, 3, input_shape=(9, 9, 1)), LSTM(4)])\n';
    const all = await linted('python', pictures + boundBefore(imports, pictures));
    assert.deepEqual(
      all.map(({ id, fixes }) => [id, fixes.length]),
      [['recurrent-four-dimensions', 1]],
    );
    assert.deepEqual(
      inCell(all, pictures.length).map(({ id, fixes }) => [id, fixes.length]),
      [['recurrent-four-dimensions', 0]],
    );
  });
});
