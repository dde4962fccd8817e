// No room names a layer or a task beside the registries and the rooms that the compiler keeps complete: a list of names
// elsewhere would compile when a new kind is forgotten in it.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { LAYER_TYPES } from '../../../src/experiment/layers/index.ts';
import { TASK_NAMES } from '../../../src/experiment/tasks/index.ts';

/** Where names may stand, and why. */
const ALLOWED: Readonly<Record<string, string>> = {
  'src/experiment/layers/': 'the registry',
  'src/experiment/tasks/': 'the registry',
  'src/trainer/layers/': 'complete by type, a file a kind',
  'src/trainer/tasks/': 'complete by type, a file a kind',
  'src/trainer/export/pytorch/': 'complete by type, a file a kind',
  'src/trainer/export/onnx/': 'a file a kind, of those that ONNX has',
  'src/trainer/export/keras/': 'a file a kind, of those that Keras has',
  'src/trainer/training/import/': 'what frameworks call their layers',
  'src/trainer/inference/predict/': 'complete by type, a file a kind',
  'src/trainer/inference/try/': 'a file a kind, of those that `tries` names; a test compares the two',
  'src/trainer/engine/': 'names of kernels',
  'src/trainer/bench/': 'the experiments that are measured, each with peers in bench/',
  'src/definitions/': 'what frameworks call their layers',
  'src/extension/definitions/': 'what frameworks call their layers',
  'src/experiment/framework-cell.ts': 'the cells that frameworks have',
  'src/diagnosis/fixes.ts': 'edits that findings propose',
  'src/runs/format-old.ts': 'the words of version 0.1.0',
};

/** Fields, families and plain words too. */
const COMMON = new Set([
  'dropout',
  'embedding',
  'dense',
  'attention',
  'table',
  'tag',
  'copy',
  'reverse',
  'sort',
]);
const NAMES = new Set<string>([...LAYER_TYPES, ...TASK_NAMES].filter(name => !COMMON.has(name)));

/** "file:line: name" of each literal and key that is the name of a kind. */
function namesIn(file: string, text: string): string[] {
  if (![...NAMES].some(name => text.includes(name))) return [];
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const look = (node: ts.Node): void => {
    const isKey = ts.isIdentifier(node) && 'name' in node.parent && node.parent.name === node;
    const isName =
      ts.isStringLiteralLike(node) ||
      (isKey && (ts.isPropertyAssignment(node.parent) || ts.isPropertySignature(node.parent)));
    if (isName && NAMES.has(node.text)) {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart());
      found.push(`${file}:${line + 1}: ${node.text}`);
    }
    node.forEachChild(look);
  };
  look(source);
  return found;
}

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter(file => file.endsWith('.ts'))
  .map(file => join('src', file).replaceAll('\\', '/'));
const foundIn = (file: string) => namesIn(file, readFileSync(file, 'utf8'));

describe('names of layers and tasks', () => {
  it('stand in no room that the compiler does not keep complete', () => {
    const rooms = Object.keys(ALLOWED);
    const found = files.filter(file => !rooms.some(room => file.startsWith(room))).flatMap(foundIn);
    assert.deepEqual(found, []);
  });

  it('do stand wherever they are allowed to: no leave is kept without need', () => {
    for (const room of Object.keys(ALLOWED))
      assert.ok(
        files.some(file => file.startsWith(room) && foundIn(file).length > 0),
        room,
      );
  });

  it('are found as literals, types and keys, and not in prose', () => {
    const text =
      "// lstm\nif (type === 'lstm') say('an lstm');\ntype A = 'gru' | 'b';\nconst n = { rnn: 1, x: 2 };\n";
    assert.deepEqual(namesIn('a.ts', text), ['a.ts:2: lstm', 'a.ts:3: gru', 'a.ts:4: rnn']);
  });
});
