// Constructors as the frameworks rule files know them, against the signatures that PyTorch and Keras have
// (test/golden/signatures.py); and how far code is followed before a size is left open.
import assert from 'node:assert/strict';
import path from 'node:path';
import { Syntax } from '../../../src/definitions/code/syntax.ts';
import type { FrameworkRules } from '../../../src/definitions/frameworks/framework.ts';
import { keras } from '../../../src/definitions/frameworks/keras.ts';
import { torch } from '../../../src/definitions/frameworks/torch.ts';
import { grammarsIn } from '../../../src/definitions/node-files.ts';
import { readGolden } from '../trainer/engine/golden.ts';
import { layersOf } from './find.ts';

interface Signature {
  parameters: string[];
  defaults: Record<string, string | number | boolean>;
}

const golden = readGolden('signatures') as unknown as Record<'torch' | 'keras', Record<string, Signature>>;

function agrees(rules: FrameworkRules, qualified: string, { parameters, defaults }: Signature): void {
  const known = rules.recognise(qualified, true);
  assert.ok(known, qualified);
  // kinds of one family share a list: what one of them has not cannot be given
  const positional = known.positional.filter(name => parameters.includes(name));
  assert.deepEqual(positional, parameters.slice(0, positional.length), `${qualified}: order`);
  for (const [name, value] of Object.entries(known.defaults))
    if (parameters.includes(name)) assert.equal(value, defaults[name], `${qualified}: ${name}`);
}

describe('constructors', () => {
  it("have PyTorch's parameters and defaults", () => {
    for (const [name, signature] of Object.entries(golden.torch))
      agrees(torch, `torch.nn.${name}`, signature);
  });

  it("have Keras's parameters and defaults", () => {
    for (const [name, signature] of Object.entries(golden.keras))
      agrees(keras, name === 'Sequential' ? 'keras.Sequential' : `keras.layers.${name}`, signature);
  });
});

describe('what code is followed through', () => {
  const listed = (count: number) => Array.from({ length: count }, () => 7).join(', ');

  it('are loops over up to 64 written items', async () => {
    for (const [count, units] of [
      [64, 7],
      [65, null],
    ] as const) {
      const [layer] = await layersOf(
        'python',
        `from torch import nn\nfor h in [${listed(count)}]:\n    rnn = nn.GRU(3, h)\n`,
      );
      assert.equal(layer!.units, units, `${count} items`);
    }
  });

  it('are up to 24 calls of the function that makes a layer; beyond, nothing is taken from any', async () => {
    for (const [count, units] of [
      [24, 7],
      [25, null],
    ] as const) {
      const calls = Array.from({ length: count }, () => 'make(7)').join('\n');
      const [layer] = await layersOf(
        'python',
        `from torch import nn\ndef make(hidden):\n    return nn.GRU(3, hidden)\n${calls}\n`,
      );
      assert.equal(layer!.units, units, `${count} calls`);
    }
  });

  it('is text of a language that was loaded, once it was loaded', async () => {
    const modules = path.resolve(import.meta.dirname, '../../../node_modules/@vscode/tree-sitter-wasm/wasm');
    const syntax = new Syntax(grammarsIn(modules));
    assert.equal(syntax.parseNow('x = 1', 'python'), null);
    await syntax.load('python');
    const tree = syntax.parseNow('x = 1', 'python');
    assert.equal(tree?.rootNode.hasError, false);
    tree!.delete();
    assert.equal(syntax.parseNow('let x = 1', 'javascript'), null);
  });
});
