// What the frame adds: the trainer's step against the same kernels called bare.
import { CASES, nameOf, type Shape } from '../cases.ts';
import { type Context, Crowd } from '../context.ts';
import { percent, type Section, show } from '../report.ts';
import type { OtherRow, Target } from '../results.ts';
import { measureCase, msOf } from '../rounds.ts';
import { median } from '../statistics.ts';

interface FrameRow extends OtherRow {
  cell: string;
  shape: Shape;
  provider: string;
  msTrainer: number;
  msBare: number;
  msAdded: number;
  /** of the bare step */
  added: number;
}

export async function frame(context: Context): Promise<Section> {
  const crowd = new Crowd();
  const ours = await crowd.addOurs(context, ['native', 'wasm']);
  for (const one of ours) crowd.addBare(one);
  const rows: FrameRow[] = [];
  for (const asked of CASES) {
    const measured = await measureCase(asked, crowd.members, context.pace, crowd.refused);
    for (const { name } of ours) {
      const [trainer, bare] = [measured.get(name), measured.get(`${name}-bare`)];
      if (!trainer || !bare) continue;
      const msAdded = median(trainer.ms.map((ms, round) => ms - bare.ms[round]!));
      const msBare = msOf(bare);
      rows.push({
        kind: 'frame',
        cell: asked.cell,
        shape: asked.shape,
        provider: name,
        msTrainer: msOf(trainer),
        msBare,
        msAdded,
        added: msAdded / msBare,
      });
      context.say(`frame, ${nameOf(asked)}, ${name}: ${show(msAdded)} ms, ${percent(msAdded / msBare)}`);
    }
  }
  crowd.end();
  return {
    name: 'frame',
    title: 'What the frame adds',
    text: 'The step of the trainer against the same kernels called one after the other on arrays that stay (bench/bare.ts), which report the same norms and gates but write nothing.',
    columns: ['case', 'provider', 'trainer ms', 'bare ms', 'added ms', 'added'],
    cells: rows.map(row => [
      nameOf(row),
      row.provider,
      show(row.msTrainer),
      show(row.msBare),
      show(row.msAdded),
      percent(row.added),
    ]),
    targets: targetsOf(rows.filter(({ provider }) => provider === 'native')),
    skipped: crowd.skipped,
    data: rows,
  };
}

function targetsOf(rows: readonly FrameRow[]): Target[] {
  const small = rows.filter(({ shape }) => shape[1] < 64).map(row => ({ row, value: row.msAdded }));
  const large = rows.filter(({ shape }) => shape[1] >= 64).map(row => ({ row, value: 100 * row.added }));
  const worst = (list: typeof small) => list.reduce((most, one) => (one.value > most.value ? one : most));
  const targets: Target[] = [];
  if (large.length > 0) {
    const { row, value } = worst(large);
    const name = `frame: most added at H ≥ 64 (${nameOf(row)})`;
    targets.push({ name, value, target: 5, atLeast: false, unit: ' %' });
  }
  if (small.length > 0) {
    const { row, value } = worst(small);
    const name = `frame: most added at H = 32 (${nameOf(row)})`;
    targets.push({ name, value, target: 0.3, atLeast: false, unit: ' ms' });
  }
  return targets;
}
