// Memory: the peak of a run against what is predicted before it, and whether it grows while it trains.
import { CASES, nameOf } from '../cases.ts';
import { type Context, Crowd } from '../context.ts';
import { benchOnce } from '../once.ts';
import { type Section, show } from '../report.ts';
import type { OtherRow, Target } from '../results.ts';

const STEPS = 10_000;
const SMALL = [32, 32, 100, 32, 10] as const;

interface MemoryRow extends OtherRow {
  case: string;
  provider: string;
  peak: number;
  predicted: number;
}

export async function memory(context: Context): Promise<Section> {
  const crowd = new Crowd();
  const ours = await crowd.addOurs(context, ['native', 'wasm']);
  const rows: MemoryRow[] = [];
  const targets: Target[] = [];
  for (const one of ours) {
    for (const asked of CASES) {
      context.say(`memory, ${one.name}, ${nameOf(asked)}`);
      const once = await benchOnce(one, [
        '--cell',
        asked.cell,
        '--shape',
        asked.shape.join(','),
        '--steps',
        '30',
      ]);
      if (once.error) crowd.refused.set(`${one.name}, ${nameOf(asked)}`, once.error);
      else
        rows.push({
          kind: 'memory',
          case: nameOf(asked),
          provider: one.name,
          peak: once.peakMemoryBytes / 1e6,
          predicted: once.predictedMemoryBytes / 1e6,
        });
    }
    const own = rows.filter(({ provider }) => provider === one.name);
    if (own.length === 0) continue;
    const worst = own.reduce((most, row) =>
      row.peak / row.predicted > most.peak / most.predicted ? row : most,
    );
    targets.push({
      name: `${one.name}: highest peak over predicted (${worst.case})`,
      value: worst.peak / worst.predicted,
      target: 1.3,
      atLeast: false,
      unit: 'x',
    });
    targets.push(...(await growth(one.name, crowd)));
  }
  crowd.end();
  return {
    name: 'memory',
    title: 'Memory',
    text: `Peak resident memory of a process that trains the case, against the figure that is shown before a run. Growth: resident memory and living tensors after ${STEPS} steps of an LSTM ${SMALL.join(' ')}, and after ${STEPS} more; 5 % more is taken for none, since the collector of Node comes when it likes.`,
    columns: ['case', 'provider', 'peak MB', 'predicted MB', 'peak / predicted'],
    cells: rows.map(row => [
      row.case,
      row.provider,
      show(row.peak),
      show(row.predicted),
      `${show(row.peak / row.predicted)}x`,
    ]),
    targets,
    skipped: crowd.skipped,
    data: rows,
  };
}

async function growth(name: string, crowd: Crowd): Promise<Target[]> {
  const member = crowd.members.find(participant => participant.name === name)!;
  await member.open({ cell: 'lstm', shape: SMALL });
  const first = await member.measure({ steps: STEPS });
  const second = await member.measure({ steps: STEPS });
  await member.close();
  const error = first.error ?? second.error;
  if (error) {
    crowd.refused.set(`${name}, ${STEPS} steps`, error);
    return [];
  }
  const after = (answer: typeof first, what: string) => (answer[what] as [number, number])[1];
  const share = (what: string) => after(second, what) / after(first, what);
  return [
    {
      name: `${name}: memory after ${STEPS} more steps`,
      value: share('rssBytes'),
      target: 1.05,
      atLeast: false,
      unit: 'x',
    },
    {
      name: `${name}: tensors after ${STEPS} more steps`,
      value: share('tensors'),
      target: 1,
      atLeast: false,
      unit: 'x',
    },
  ];
}
