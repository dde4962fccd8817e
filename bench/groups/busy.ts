// On a machine that has other work: one thread against two, with nothing beside them and with two endless loops.
import { type ChildProcess, spawn } from 'node:child_process';
import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { type Case, nameOf } from '../cases.ts';
import { type Context, Crowd } from '../context.ts';
import { startOurs, startPytorch } from '../participants.ts';
import { type Section, show } from '../report.ts';
import type { OtherRow, Target } from '../results.ts';
import { type Measured, measureCase } from '../rounds.ts';
import { median, medianRatio } from '../statistics.ts';

const LOOPS = 2;
/** Until the loops have their share of the processors. */
const SETTLING = 300;

/** Slabs of a batch; units shared out among threads, for large weights and for a single sequence. */
const MEASURED: readonly Case[] = [
  { cell: 'lstm', shape: [32, 64, 64, 16, 10] },
  { cell: 'lstm', shape: [256, 512, 35, 20, 1000] },
  { cell: 'lstm', shape: [64, 128, 64, 1, 65] },
];

interface BusyRow extends OtherRow {
  case: string;
  beside: string;
  who: string;
  msOne: number;
  msTwo: number;
  /** median over rounds of the time with one thread over that with two, of the same round */
  gain: number;
}

export async function busy(context: Context): Promise<Section> {
  const crowd = new Crowd();
  const who = ['native', 'wasm'].filter(name => context.engines?.includes(name) ?? true);
  for (const engine of who)
    for (const threads of [1, 2]) {
      const participant = startOurs({ name: `${engine} ${threads}`, engine, threads, peer: 'pytorch' });
      const { error } = await participant.close();
      crowd.add(participant.name, error ?? participant);
    }
  for (const threads of [1, 2])
    crowd.add(`pytorch ${threads}`, startPytorch('pytorch', threads, `pytorch ${threads}`));
  const rows: BusyRow[] = [];
  for (const loops of [0, LOOPS])
    for (const asked of MEASURED)
      for (const [name, [one, two]] of await measureBeside(loops, asked, crowd, context)) {
        const row: BusyRow = {
          kind: 'busy',
          case: nameOf(asked),
          beside: loops === 0 ? 'nothing' : `${loops} loops`,
          who: name,
          msOne: median(one.means),
          msTwo: median(two.means),
          gain: medianRatio(one.means, two.means),
        };
        rows.push(row);
        context.say(
          `busy, ${row.case} beside ${row.beside}, ${name}: ${show(row.msOne)} ms, ${show(row.msTwo)} ms`,
        );
      }
  crowd.end();
  return {
    name: 'busy',
    title: 'On a busy machine',
    text: `A train step with one thread and with two, beside nothing and beside ${LOOPS} endless loops in processes of their own. Means of stretches, which count the time without a processor; median over ${context.pace.rounds} interleaved rounds, and of the rounds' own ratios.`,
    columns: ['case', 'beside', 'who', 'ms, 1 thread', 'ms, 2 threads', 'as fast with 2'],
    cells: rows.map(row => [
      row.case,
      row.beside,
      row.who,
      show(row.msOne),
      show(row.msTwo),
      `${show(row.gain)}x`,
    ]),
    targets: targetsOf(rows),
    skipped: crowd.skipped,
    data: rows,
  };
}

async function measureBeside(
  loops: number,
  asked: Case,
  crowd: Crowd,
  context: Context,
): Promise<[string, [Measured, Measured]][]> {
  const beside: ChildProcess[] = [];
  try {
    for (let i = 0; i < loops; i++)
      beside.push(spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }));
    if (loops > 0) await wait(SETTLING);
    const measured = await measureCase(asked, crowd.members, context.pace, crowd.refused);
    return ['native', 'wasm', 'pytorch'].flatMap(name => {
      const [one, two] = [measured.get(`${name} 1`), measured.get(`${name} 2`)];
      return one && two ? [[name, [one, two]] satisfies [string, [Measured, Measured]]] : [];
    });
  } finally {
    for (const loop of beside) loop.kill('SIGKILL');
  }
}

function targetsOf(rows: readonly BusyRow[]): Target[] {
  const ours = rows.filter(({ who }) => who === 'native');
  if (ours.length === 0) return [];
  const worst = ours.reduce((least, row) => (row.gain < least.gain ? row : least));
  return [
    {
      name: `native: least gain of a second thread (${worst.case} beside ${worst.beside})`,
      value: worst.gain,
      target: 1,
      atLeast: true,
      unit: 'x',
    },
  ];
}
