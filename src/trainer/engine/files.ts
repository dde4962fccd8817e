// Where the engine's binaries stand: beside its bundle, whose parts are a folder deeper; from sources, those last built.
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export function engineFile(name: string): string {
  const here = path.dirname(fileURLToPath(import.meta.url));
  if (path.basename(here) === 'parts') return path.join(here, '..', name);
  if (path.basename(path.dirname(here)) !== 'trainer') return path.join(here, name);
  return path.resolve(here, '../../../dist/engine', name);
}
