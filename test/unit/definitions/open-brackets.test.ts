// A bracket that is still open before the next statement costs its own line only, not what stands below.
import assert from 'node:assert/strict';
import { closeBrackets } from '../../../src/definitions/code/open-brackets.ts';
import { find, layersOf, syntax } from './find.ts';

const HEAD = 'import torch.nn as nn\n';

describe('Python in mid-edit', () => {
  it('keeps the row of an open call, and those below', async () => {
    const text = `${HEAD}
class A(nn.Module):
    def __init__(self):
        self.rnn = nn.LSTM(10,
    def forward(self, x):
        return self.rnn(x)

class B(nn.Module):
    def __init__(self):
        self.first = nn.GRU(10, 20)
        self.seq = nn.Sequential(nn.LSTM(20, # units to come
        self.fc = nn.Linear(3, 4)

class C(nn.Module):
    def __init__(self):
        self.rnn = nn.LSTM(10, 30)
`;
    const layers = await layersOf('python', text);
    assert.deepEqual(
      layers.map(({ line, cell, units, parameters }) => [line, cell, units, parameters]),
      [
        [5, 'LSTM', null, null],
        [11, 'GRU', 20, 1920],
        [12, 'LSTM', null, null],
        [17, 'LSTM', 30, 5040],
      ],
    );
    const { models, hasErrors } = await find('python', text);
    assert.deepEqual(
      models.map(({ name, isBroken, range }) => [name, isBroken, range.line]),
      [
        ['A', true, 3],
        ['B', true, 9],
        ['C', false, 15],
      ],
    );
    assert.equal(hasErrors, true);
    // places are those of the text as it stands
    const { range } = models[2]!.layers[0]!;
    assert.equal(text.slice(range.offset, range.offset + range.length), 'LSTM');
  });

  it('leaves whole brackets as they are, however they are laid out', () => {
    const texts = [
      'f(\na,\nb=3,\n)\ndef g():\n    return 1\n',
      "s = '''(\ndef not_code():\n'''\n",
      "# (\ndef f():\n  x = '('\n  return x\n",
      'y = [\n  v\n  for v in z\n  if v\n]\nreturn_value = (a\n  @ b)\n',
    ];
    for (const text of texts) assert.equal(closeBrackets(text), null, text);
  });

  it('closes all that is open, before a remark and after a string', () => {
    assert.equal(closeBrackets("f([{'a': '('\ndef g(): pass\n")?.text, "f([{'a': '('}])\ndef g(): pass\n");
    assert.equal(closeBrackets('f(1, # two\nclass A: pass\n')?.text, 'f(1,) # two\nclass A: pass\n');
  });

  it('is parsed on from the tree before, as anew', async () => {
    const whole = `${HEAD}class A(nn.Module):\n    def __init__(self):\n        self.a = nn.GRU(2, 3)\n    def forward(self):\n        pass\n`;
    const open = whole.replace('3)', '3');
    const first = await syntax.parse(whole, 'python');
    const second = await syntax.parse(open, 'python', first);
    const anew = await syntax.parse(open, 'python');
    const third = await syntax.parse(whole, 'python', second);
    assert.equal(second.rootNode.toString(), anew.rootNode.toString());
    assert.equal(third.rootNode.toString(), first.rootNode.toString());
    for (const tree of [first, second, anew, third]) tree.delete();
  });
});
