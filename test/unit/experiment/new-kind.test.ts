// A layer or task that is in the registry and nowhere else does not compile, and the compiler names each room that lacks
// it: no room has a list of names of its own that could be forgotten.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/**
 * Files of `src` in which tsc misses a key (2741, or 1360 of `satisfies`) when these texts are replaced. Errors that only
 * follow from a missing key are left out.
 */
function complaints(edits: Record<string, [from: string, to: string][]>): string[] {
  // inside the checkout, so that node_modules is found
  const folder = mkdtempSync(join(resolve('test'), '.new-kind-'));
  try {
    cpSync('src', join(folder, 'src'), { recursive: true });
    cpSync('tsconfig.json', join(folder, 'tsconfig.json'));
    symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
    for (const [file, replacements] of Object.entries(edits)) {
      let text = readFileSync(join(folder, file), 'utf8');
      for (const [from, to] of replacements) {
        assert.ok(text.includes(from), `${file} holds ${from}`);
        text = text.replace(from, to);
      }
      writeFileSync(join(folder, file), text);
    }
    const { stdout } = spawnSync(resolve('node_modules/.bin/tsc'), ['--noEmit', '--pretty', 'false'], {
      cwd: folder,
      encoding: 'utf8',
    });
    return [
      ...new Set([...stdout.matchAll(/^(src\/[^(]+)\(.*error TS(?:2741|1360):/gm)].map(match => match[1]!)),
    ].sort();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const of = (interfaceName: string, key: string) =>
  `  'made-up': {} as ${interfaceName}<z.ZodObject<{ ${key}: z.ZodLiteral<'made-up'> }>>,\n} as const;`;

describe('a new kind', () => {
  it('of layer or task is asked for by every room that must know it', () => {
    const files = complaints({
      'src/experiment/layers/index.ts': [['} as const;', of('LayerKind', 'type')]],
      'src/experiment/tasks/index.ts': [['} as const;', of('TaskKind', 'task')]],
    });
    assert.deepEqual(files, [
      'src/trainer/export/pytorch/index.ts',
      'src/trainer/inference/predict/index.ts',
      'src/trainer/layers/build.ts',
      'src/trainer/tasks/index.ts',
    ]);
  });
});
