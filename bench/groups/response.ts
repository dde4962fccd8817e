// How soon a run obeys: from the request to the state in status.json, as a button of the dashboard or a command does it.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { requestControl } from '../../src/runs/control.ts';
import type { Context } from '../context.ts';
import { UNROLL } from '../participants.ts';
import { type Section, show } from '../report.ts';
import type { OtherRow, Target } from '../results.ts';

const ROUNDS = 5;
const LONGEST = 1000;
const ORDERS = [
  ['pause', 'paused'],
  ['resume', 'training'],
  ['stop', 'stopped'],
] as const;

/** Steps of about a millisecond, without end. */
const EXPERIMENT = {
  data: { task: 'adding', length: 50 },
  model: { layers: [{ type: 'lstm', units: 32 }, { type: 'dense' }] },
  training: { batchSize: 32, steps: 1_000_000 },
};

export async function response(context: Context): Promise<Section> {
  const times = new Map<string, number[]>(ORDERS.map(([order]) => [order, []]));
  for (let round = 0; round < ROUNDS; round++) {
    context.say(`response, round ${round + 1} of ${ROUNDS}`);
    const folder = mkdtempSync(join(tmpdir(), 'unroll-response-'));
    const child = startRun(folder);
    try {
      await obey(folder, times);
    } finally {
      if (child.exitCode === null) child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  }
  const rows: OtherRow[] = [...times].map(([order, list]) => ({
    kind: 'response',
    order,
    ms: Math.max(...list),
  }));
  const targets: Target[] = rows.map(({ order, ms }) => ({
    name: `${order}: longest`,
    value: ms as number,
    target: LONGEST,
    atLeast: false,
    unit: ' ms',
  }));
  return {
    name: 'response',
    title: 'Response',
    text: `From the request to the state in status.json, of a run that trains in its own process; longest of ${ROUNDS}.`,
    columns: ['request', 'ms'],
    cells: rows.map(({ order, ms }) => [`${order}`, show(ms as number)]),
    targets,
    skipped: [],
    data: rows,
  };
}

function startRun(folder: string): ChildProcess {
  const file = join(folder, 'endless.rnn.json');
  writeFileSync(file, JSON.stringify(EXPERIMENT));
  return spawn(process.execPath, [UNROLL, 'train', file, '--out', join(folder, 'runs')], { stdio: 'ignore' });
}

async function obey(folder: string, times: Map<string, number[]>): Promise<void> {
  const run = await until(() => {
    const [name] = readdirSync(join(folder, 'runs'));
    return name ? join(folder, 'runs', name) : null;
  });
  const status = () =>
    JSON.parse(readFileSync(join(run, 'status.json'), 'utf8')) as { state: string; step: number };
  await until(() => status().step > 50 || null);
  for (const [order, state] of ORDERS) {
    const began = performance.now();
    requestControl(run, order);
    await until(() => status().state === state || null);
    times.get(order)!.push(performance.now() - began);
  }
}

/** Looks every two milliseconds; what is not there yet throws. */
async function until<T>(probe: () => T | null): Promise<T> {
  for (;;) {
    try {
      const found = probe();
      if (found !== null) return found;
    } catch {
      // not there yet, or being replaced
    }
    await wait(2);
  }
}
