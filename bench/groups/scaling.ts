// How the time of a step grows with steps, sequences, units and threads; and memory with truncated BPTT.
import type { Case, Shape } from '../cases.ts';
import { type Context, Crowd } from '../context.ts';
import { benchOnce } from '../once.ts';
import { oursOf } from '../participants.ts';
import { type Section, show } from '../report.ts';
import type { OtherRow, Target } from '../results.ts';
import { measureCase, msOf } from '../rounds.ts';

interface ScalingRow extends OtherRow {
  along: string;
  value: number;
  provider: string;
  ms: number;
  msPeer: number | null;
  megabytes: number | null;
}

/** One number a step, so that the data themselves take no memory worth speaking of. */
const LONG = (T: number): Shape => [1, 64, T, 8, 10];
const WINDOW = 100;
/** In all, whatever T is: the collector of Node lets memory grow with what has been done. */
const WINDOWS = 2000;

const ALONG: Readonly<Record<string, readonly Case[]>> = {
  T: [100, 1000, 10_000].map(T => ({ cell: 'lstm', shape: LONG(T), window: WINDOW })),
  B: [1, 4, 16, 64, 256].map(B => ({ cell: 'lstm', shape: [64, 128, 64, B, 65] })),
  H: [32, 64, 128, 256, 512].map(H => ({ cell: 'lstm', shape: [64, H, 64, 32, 65] })),
};
const PLACE: Readonly<Record<string, number>> = { H: 1, T: 2, B: 3 };

export async function scaling(context: Context): Promise<Section> {
  const rows: ScalingRow[] = [];
  const crowd = new Crowd();
  const [ours] = await crowd.addOurs(context, ['native']);
  crowd.addPytorch(['pytorch'], context.threads);
  const add = (along: string, value: number, ms: number, msPeer: number | null, megabytes: number | null) => {
    rows.push({ kind: 'scaling', along, value, provider: 'native', ms, msPeer, megabytes });
    context.say(`${along} = ${value}: ${show(ms)} ms, PyTorch ${msPeer === null ? '–' : show(msPeer)} ms`);
  };
  for (const [along, list] of Object.entries(ours ? ALONG : {}))
    for (const asked of list) {
      const measured = await measureCase(asked, crowd.members, { ...context.pace, rounds: 3 }, crowd.refused);
      const [mine, theirs] = [measured.get('native'), measured.get('pytorch')];
      const peak = along === 'T' ? await peakOf(asked, context) : null;
      if (mine) add(along, asked.shape[PLACE[along]!]!, msOf(mine), theirs ? msOf(theirs) : null, peak);
    }
  crowd.end();
  for (const threads of ours ? new Set([1, context.threads]) : []) {
    const few = new Crowd();
    await few.addOurs({ ...context, threads }, ['native']);
    few.addPytorch(['pytorch'], threads);
    const measured = await measureCase(
      { cell: 'lstm', shape: [64, 128, 64, 32, 65] },
      few.members,
      context.pace,
      few.refused,
    );
    few.end();
    const [mine, theirs] = [measured.get('native'), measured.get('pytorch')];
    if (mine) add('threads', threads, msOf(mine), theirs ? msOf(theirs) : null, null);
  }
  return {
    name: 'scaling',
    title: 'Scaling',
    text: `An LSTM. Along T: I H B O 1 64 8 10, the gradient cut every ${WINDOW} steps in both, peak memory of a process of its own that trains ${WINDOWS} such parts. Along B and H: 64 H 64 B 65, 128 units or 32 sequences where they do not change. Threads: 64 128 64 32 65.`,
    columns: ['along', 'value', 'ms', 'PyTorch ms', 'ratio', 'peak memory'],
    cells: rows.map(row => [
      row.along,
      `${row.value}`,
      show(row.ms),
      row.msPeer === null ? '–' : show(row.msPeer),
      row.msPeer === null ? '–' : `${show(row.msPeer / row.ms)}x`,
      row.megabytes === null ? '' : `${row.megabytes.toFixed(0)} MB`,
    ]),
    targets: flatness(rows),
    skipped: crowd.skipped,
    data: rows,
  };
}

async function peakOf({ shape, window }: Case, context: Context): Promise<number | null> {
  const ours = oursOf(context.threads).find(({ name }) => name === 'native')!;
  const { error, peakMemoryBytes } = await benchOnce(ours, [
    ...['--shape', shape.join(','), '--window', `${window}`, '--steps', `${WINDOWS / (shape[2] / WINDOW)}`],
  ]);
  return error ? null : peakMemoryBytes / 1e6;
}

function flatness(rows: readonly ScalingRow[]): Target[] {
  const long = rows.filter(({ along, megabytes }) => along === 'T' && megabytes !== null);
  const [first, last] = [long[0], long.at(-1)];
  if (!first || !last || first === last) return [];
  const name = `memory at T = ${last.value} over T = ${first.value}, truncated BPTT`;
  return [{ name, value: last.megabytes! / first.megabytes!, target: 1.1, atLeast: false, unit: 'x' }];
}
