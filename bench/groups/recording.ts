// What recording the gradient flow and the gates at every step costs: the same steps with it and without.
import { type Case, nameOf, SHAPES } from '../cases.ts';
import { type Context, Crowd } from '../context.ts';
import type { Participant } from '../participant.ts';
import { oursOf, startOurs } from '../participants.ts';
import { percent, type Section, show } from '../report.ts';
import type { OtherRow } from '../results.ts';
import { type Measured, measureCase, msOf } from '../rounds.ts';
import { geometricMean, median, medianRatio } from '../statistics.ts';

interface RecordingRow extends OtherRow {
  cell: string;
  shape: readonly number[];
  provider: string;
  msOn: number;
  msOff: number;
  /** what recording adds to the median step, as a share of it */
  cost: number;
  /** the same of the mean step */
  costOfMean: number;
}

export async function recording(context: Context): Promise<Section> {
  const crowd = new Crowd();
  // one engine alone: whoever is added takes part
  let [ours] = await crowd.addOurs(context, ['native']);
  if (!ours) [ours] = await crowd.addOurs(context, ['reference']);
  // two processes of one engine, that exchange their parts, so that what sets two processes apart cancels out
  if (ours)
    crowd.add(
      'second',
      startOurs({ ...oursOf(context.threads).find(({ name }) => name === ours.name)!, name: 'second' }),
    );
  const [first, second] = crowd.members;
  const rows: RecordingRow[] = [];
  if (ours && first && second)
    for (const shape of SHAPES.slice(0, ours.name === 'reference' ? 1 : undefined)) {
      const row = await recordingRow({ cell: 'lstm', shape }, ours.name, [first, second], context, crowd);
      if (!row) continue;
      rows.push(row);
      context.say(
        `recording, ${nameOf({ cell: 'lstm', shape })}: ${percent(row.cost)}, of the mean ${percent(row.costOfMean)}`,
      );
    }
  crowd.end();
  const costs = rows.map(({ cost }) => cost);
  return {
    name: 'recording',
    title: 'Recording the gradient flow at every step',
    text: 'The same training with the probes on and off, in two processes that exchange their parts half-way. On: ‖∂L/∂h_t‖ of every t, mean and saturation of every gate, computed and written to the run folder at every step. Both count the probes of the reach, an extra pass over 4 sequences every so many steps (by default about 1 % of the time).',
    columns: ['case', 'provider', 'ms on', 'ms off', 'cost of the median step', 'of the mean step'],
    cells: rows.map(row => [
      nameOf({ cell: row.cell, shape: row.shape as Case['shape'] }),
      row.provider,
      show(row.msOn),
      show(row.msOff),
      percent(row.cost),
      percent(row.costOfMean),
    ]),
    targets:
      rows.length === 0
        ? []
        : [
            {
              name: 'recording: median cost of the median step',
              value: 100 * median(costs),
              target: 1,
              atLeast: false,
              unit: ' %',
            },
            {
              name: 'recording: highest cost of the median step',
              value: 100 * Math.max(...costs),
              target: 1,
              atLeast: false,
              unit: ' %',
            },
          ],
    skipped: crowd.skipped,
    data: rows,
  };
}

async function recordingRow(
  asked: Case,
  provider: string,
  pair: readonly [Participant, Participant],
  { pace }: Context,
  crowd: Crowd,
): Promise<RecordingRow | null> {
  const on: Measured[] = [];
  const off: Measured[] = [];
  for (const recorder of pair) {
    const measured = await measureCase(
      participant => ({ ...asked, recording: participant === recorder }),
      pair,
      pace,
      crowd.refused,
    );
    for (const participant of pair) {
      const entry = measured.get(participant.name);
      if (!entry) return null;
      (participant === recorder ? on : off).push(entry);
    }
  }
  const cost = (of: (measured: Measured) => number[]) =>
    geometricMean(on.map((entry, pass) => medianRatio(of(entry), of(off[pass]!)))) - 1;
  return {
    kind: 'recording',
    cell: asked.cell,
    shape: asked.shape,
    provider,
    msOn: median(on.map(msOf)),
    msOff: median(off.map(msOf)),
    cost: cost(({ ms }) => ms),
    costOfMean: cost(({ means }) => means),
    threads: on[0]!.last.threads,
    isa: on[0]!.last.isa,
  };
}
