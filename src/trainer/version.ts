// The version of Unroll: set by the build, since the engine also runs from a folder without a manifest.
import { readFileSync } from 'node:fs';

declare const UNROLL_VERSION: string | undefined;

export function unrollVersion(): string {
  if (typeof UNROLL_VERSION === 'string') return UNROLL_VERSION;
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;
}
