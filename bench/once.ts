// unroll bench as one process of its own, for what a process has once: its start and its memory.
import { spawn } from 'node:child_process';
import process from 'node:process';
import { type Ours, UNROLL } from './participants.ts';

export interface Once {
  error?: string;
  /** when it was started, milliseconds since 1970 */
  started: number;
  firstStepAt: number;
  msMedian: number;
  peakMemoryBytes: number;
  predictedMemoryBytes: number;
  rssBytes: [number, number];
  tensors: [number, number];
  loss: number;
}

export function benchOnce(ours: Ours, args: readonly string[]): Promise<Once> {
  const { engine, threads, isa } = ours;
  const options = ['--engine', engine, '--threads', `${threads}`, '--json', ...args];
  const started = performance.timeOrigin + performance.now();
  const child = spawn(process.execPath, [UNROLL, 'bench', ...options], {
    env: { ...process.env, ...(isa && { UNROLL_ISA: isa }) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let errors = '';
  child.stdout.on('data', chunk => {
    out += chunk;
  });
  child.stderr.on('data', chunk => {
    errors += chunk;
  });
  return new Promise(resolve =>
    child.once('close', code =>
      resolve(
        code === 0 ? { started, ...JSON.parse(out) } : { started, error: errors.trim() || `exit ${code}` },
      ),
    ),
  );
}
