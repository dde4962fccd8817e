// What the machine's multiply-adds can do at most, by vector width and threads: bench/peak.cpp, compiled here.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { peakKey } from './results.ts';

const FLAGS: Readonly<Record<number, readonly string[]>> =
  process.arch === 'x64' ? { 16: ['-mavx512f'], 8: ['-mavx2', '-mfma'], 4: ['-mavx2', '-mfma'] } : { 4: [] };

/** Widths the processor does not have are left out. */
export function measurePeaks(threads: number): { peaks: Map<string, number>; reason: string | null } {
  const peaks = new Map<string, number>();
  const out = join(import.meta.dirname, 'out');
  mkdirSync(out, { recursive: true });
  const compiler = process.env['CXX'] ?? 'g++';
  for (const [floats, flags] of Object.entries(FLAGS)) {
    const program = join(out, `peak-${floats}`);
    const source = join(import.meta.dirname, 'peak.cpp');
    const options = ['-O2', '-std=c++17', '-pthread', '-ffp-contract=fast', ...flags, `-DFLOATS=${floats}`];
    const built = spawnSync(compiler, [...options, source, '-o', program], { encoding: 'utf8' });
    if (built.status !== 0)
      return { peaks, reason: built.error?.message ?? built.stderr.trim().split('\n')[0]! };
    for (const count of new Set([1, threads])) {
      const { status, stdout } = spawnSync(program, [`${count}`], { encoding: 'utf8' });
      if (status === 0) peaks.set(peakKey(Number(floats), count), Number(stdout));
    }
  }
  return { peaks, reason: null };
}
