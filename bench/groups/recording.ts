// What recording the gradient flow and the gates at every step costs: the same steps with it and without.
import { type Case, nameOf, SHAPES } from '../cases.ts';
import { type Context, Crowd } from '../context.ts';
import type { Answer, Participant } from '../participant.ts';
import { percent, type Section, show } from '../report.ts';
import type { OtherRow } from '../results.ts';
import { median, medianInterval } from '../statistics.ts';

interface RecordingRow extends OtherRow {
  cell: string;
  shape: readonly number[];
  provider: string;
  msOn: number;
  msOff: number;
  /** what recording adds to a stretch, as a share of the stretch beside it: the median of all pairs */
  cost: number;
  /** where that median lies with 95 % confidence */
  costInterval: readonly [low: number, high: number];
  pairs: number;
  /** what recording adds to the time of all stretches together */
  costOfMean: number;
}

/** Of the time that others take for their rounds: a difference of a percent needs many pairs. */
const TIMES = 8;
/** Before the first case: compilers are at work for the first thousands of steps. */
const FIRST_WARMUP = 3;

export async function recording(context: Context): Promise<Section> {
  const crowd = new Crowd();
  // one engine alone: whoever is added takes part
  let [ours] = await crowd.addOurs(context, ['native']);
  if (!ours) [ours] = await crowd.addOurs(context, ['reference']);
  const [participant] = crowd.members;
  const rows: RecordingRow[] = [];
  if (ours && participant)
    for (const [index, shape] of SHAPES.slice(0, ours.name === 'reference' ? 1 : undefined).entries()) {
      const asked = { cell: 'lstm', shape };
      const warmup = index === 0 ? FIRST_WARMUP : context.pace.warmup;
      const row = await recordingRow(asked, participant, { ...context.pace, warmup });
      if (typeof row === 'string') {
        crowd.refused.set(participant.name, row);
        continue;
      }
      rows.push(row);
      context.say(
        `recording, ${nameOf(asked)}: ${percent(row.cost)} (${row.costInterval.map(percent).join(' … ')}), of the mean ${percent(row.costOfMean)}`,
      );
    }
  crowd.end();
  const costs = rows.map(({ cost }) => cost);
  return {
    name: 'recording',
    title: 'Recording the gradient flow at every step',
    text: 'The same training with the probes on and off, in one process that holds both and takes turns: stretches of 100 ms, or a step where that is longer, in pairs whose order is turned round each time. On: ‖∂L/∂h_t‖ of every t, mean and saturation of every gate, computed and written to the run folder at every step; and the probe of the reach, an extra pass over 4 sequences every so many steps (by default about 1 % of the time). The cost is the median of the pairs’ own ratios; between the two figures beside it that median lies with 95 % confidence, and what does not leave 0 out is noise. Where a stretch is one step, the steps at which the reach is probed show in the cost of all stretches together only.',
    columns: ['case', 'provider', 'ms on', 'ms off', 'cost', '95 %', 'pairs', 'of all together'],
    cells: rows.map(row => [
      nameOf({ cell: row.cell, shape: row.shape as Case['shape'] }),
      row.provider,
      show(row.msOn),
      show(row.msOff),
      percent(row.cost),
      row.costInterval.map(percent).join(' … '),
      `${row.pairs}`,
      percent(row.costOfMean),
    ]),
    targets:
      rows.length === 0
        ? []
        : [
            {
              name: 'recording: median cost',
              value: 100 * median(costs),
              target: 2,
              atLeast: false,
              unit: ' %',
            },
            {
              name: 'recording: highest cost',
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

/** The row, or why there is none. */
async function recordingRow(
  asked: Case,
  participant: Participant,
  { rounds, seconds, warmup }: Context['pace'],
): Promise<RecordingRow | string> {
  await participant.open([true, false].map(recording => ({ ...asked, recording })));
  await participant.measure({ seconds: warmup });
  const answer = await participant.measure({ seconds: TIMES * rounds * seconds });
  await participant.close();
  if (answer.error) return answer.error;
  const [on, off] = answer['runs'] as [Stretched, Stretched];
  const costs = on.msStretches.map((ms, round) => ms / off.msStretches[round]! - 1);
  return {
    kind: 'recording',
    cell: asked.cell,
    shape: asked.shape,
    provider: participant.name,
    msOn: on.msMedian,
    msOff: off.msMedian,
    cost: median(costs),
    costInterval: medianInterval(costs),
    pairs: costs.length,
    costOfMean: on.msMean / off.msMean - 1,
    threads: on.threads,
    isa: on.isa,
  };
}

type Stretched = Answer & { msStretches: number[]; msMedian: number; msMean: number };
