// Which tests can see a file: those that import it, themselves or by what they import, and those that start a file which
// does. The nearest stand first, since they know most of it.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** A file that is named in full, imported or started, in quotes. */
const NAMED = /['"`]([^'"`\n]+\.(?:ts|mjs|cjs))['"`]/g;

const isCode = name => /\.(ts|mjs|cjs)$/.test(name);

/** Of each file in these folders of `root`, the files that name it. */
function namingFiles(root, folders) {
  const files = folders.flatMap(folder =>
    readdirSync(path.join(root, folder), { recursive: true })
      .filter(isCode)
      .map(name => path.join(folder, name)),
  );
  const naming = new Map();
  for (const file of files)
    for (const [, name] of readFileSync(path.join(root, file), 'utf8').matchAll(NAMED)) {
      const candidates = [path.join(path.dirname(file), name), path.normalize(name)];
      const named = candidates.find(candidate => existsSync(path.join(root, candidate)));
      if (!named || named === file) continue;
      if (!naming.has(named)) naming.set(named, new Set());
      naming.get(named).add(file);
    }
  return naming;
}

/** The returned function gives, nearest first, the tests of test/unit that see a file. */
export function testsByFile(root) {
  const naming = namingFiles(root, ['src', 'test/unit', 'test/webview', 'bench']);
  return file => {
    const seen = new Set([file]);
    // the set grows while it is walked: breadth first
    for (const each of seen) for (const by of naming.get(each) ?? []) seen.add(by);
    return [...seen].filter(name => name.startsWith('test/unit/') && name.endsWith('.test.ts'));
  };
}
