// From starting the process to its first training step.
import { type Context, Crowd } from '../context.ts';
import { benchOnce } from '../once.ts';
import { oursOf, startPytorch } from '../participants.ts';
import { type Section, show } from '../report.ts';
import type { OtherRow } from '../results.ts';
import { median } from '../statistics.ts';

const ROUNDS = 7;
const SHAPE = [64, 128, 64, 32, 65] as const;

export async function startUp(context: Context): Promise<Section> {
  const crowd = new Crowd();
  const names = (await crowd.addOurs(context, ['native', 'wasm', 'reference'])).map(({ name }) => name);
  crowd.end();
  const times = new Map<string, number[]>();
  const note = (name: string, ms: number) => times.set(name, [...(times.get(name) ?? []), ms]);
  for (let round = 0; round < ROUNDS; round++) {
    for (const ours of oursOf(context.threads).filter(({ name }) => names.includes(name))) {
      const once = await benchOnce(ours, ['--shape', SHAPE.join(','), '--steps', '1']);
      if (!once.error) note(ours.name, once.firstStepAt - once.started);
    }
    const pytorch = startPytorch('pytorch', context.threads);
    const began = performance.now();
    if (typeof pytorch === 'string') continue;
    await pytorch.open({ cell: 'lstm', shape: SHAPE });
    await pytorch.measure({ steps: 1 });
    note('pytorch', performance.now() - began);
    pytorch.end();
  }
  const rows: OtherRow[] = [...times].map(([who, list]) => ({ kind: 'start-up', who, ms: median(list) }));
  return {
    name: 'start-up',
    title: 'Start-up',
    text: `From starting the process to the end of its first training step (LSTM ${SHAPE.join(' ')}): for ours with engine, run folder and model, for PyTorch with its import. Median of ${ROUNDS}, in turn.`,
    columns: ['who', 'ms'],
    cells: rows.map(({ who, ms }) => [`${who}`, show(ms as number)]),
    targets: [],
    skipped: crowd.skipped,
    data: rows,
  };
}
