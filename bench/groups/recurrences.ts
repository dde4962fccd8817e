// Layers of linear and exponential recurrences against each form that they have in PyTorch, and variants of the LSTM
// against PyTorch's own: the fastest form counts.
import { LSTM_VARIANTS, MODEL_SHAPE, RECURRENCE_SHAPE, type Shape } from '../cases.ts';
import { type Context, Crowd } from '../context.ts';
import type { Participant } from '../participant.ts';
import { startPytorch } from '../participants.ts';
import { type Section, show } from '../report.ts';
import type { OtherRow } from '../results.ts';
import { type Measured, measureCase, msOf } from '../rounds.ts';
import { median, medianRatio } from '../statistics.ts';

/** Seconds before the first round of each layer: a layer runs code of its own, which is compiled on the way. */
const WARMUP = 3;
const WANTED = 3;
const WANTED_OF_VARIANTS = 1.5;

interface RecurrenceRow extends OtherRow {
  layer: string;
  shape: Shape;
  ms: number;
  /** PyTorch's fastest form */
  form: string;
  msPeer: number;
  timesAsFast: number;
  /** the same of processor time, which other programs change less */
  msProcessor: number;
  msPeerProcessor: number;
  timesByProcessor: number;
  /** milliseconds of all forms */
  forms: Record<string, number>;
}

/** A layer with its models in PyTorch. */
interface Contest {
  layer: string;
  shape: Shape;
  peers: readonly string[];
  wanted: number;
}

export async function recurrences(context: Context): Promise<Section> {
  const crowd = new Crowd();
  const [ours] = await crowd.addOurs(context, ['native']);
  const mine = crowd.members[0];
  const peers: Participant[] = [];
  const rows: RecurrenceRow[] = [];
  const targets: Section['targets'] = [];
  /** One process for each form, so that all of a layer take part in the same rounds. */
  const peersFor = (count: number) => {
    while (peers.length < count) {
      const started = startPytorch('pytorch', context.threads, `pytorch ${peers.length + 1}`);
      if (typeof started === 'string') return null;
      peers.push(started);
      crowd.members.push(started);
    }
    return peers.slice(0, count);
  };
  const asked = peersFor(1);
  const all = ours && mine && asked ? contestsOf((await asked[0]!.ask({ forms: true }))['forms']) : [];
  const contests = all.filter(({ layer }) => context.layers?.includes(layer) ?? true);
  if (!asked) crowd.skipped.push('pytorch: it cannot be started');
  for (const contest of contests) {
    const taking = peersFor(contest.peers.length)!;
    const refused = new Map<string, string>();
    const measured = await measureCase(
      participant => ({
        cell: participant === mine ? contest.layer : contest.peers[taking.indexOf(participant)]!,
        shape: contest.shape,
      }),
      [mine!, ...taking],
      { ...context.pace, warmup: Math.max(context.pace.warmup, WARMUP) },
      refused,
    );
    for (const [name, reason] of refused) crowd.skipped.push(`${contest.layer}, ${name}: ${reason}`);
    const own = measured.get(mine!.name);
    const forms = taking.flatMap((participant, index): [string, Measured][] => {
      const of = measured.get(participant.name);
      return of ? [[contest.peers[index]!, of]] : [];
    });
    if (!own || forms.length === 0) continue;
    const row = rowOf(contest, own, forms);
    rows.push(row);
    targets.push({
      name: `${contest.layer} against PyTorch, ${row.form}`,
      value: row.timesAsFast,
      target: contest.wanted,
      atLeast: true,
      unit: 'x',
    });
    context.say(
      `${contest.layer}: ${show(row.ms)} ms, ${show(row.timesAsFast)}x as fast as ${row.form} (${show(row.timesByProcessor)}x by processor time)`,
    );
  }
  crowd.end();
  return {
    name: 'recurrences',
    title: 'Linear and exponential recurrences, and variants of the LSTM',
    text: `At I H T B O ${RECURRENCE_SHAPE.join(' ')}, the variants at ${MODEL_SHAPE.join(' ')}. PyTorch has each layer in the forms that people run (\`peers/pytorch_recurrences.py\`): the loop over time, and the parallel ones; the variants stand beside its own LSTM without them. Median times, the median of the ratios of the same rounds, and the same of the processor time of all threads.`,
    columns: ['layer', 'ms', 'fastest form', 'ms', 'ratio', 'by processor time', 'all forms, ms'],
    cells: rows.map(row => [
      row.layer,
      show(row.ms),
      row.form,
      show(row.msPeer),
      `${show(row.timesAsFast)}x`,
      `${show(row.timesByProcessor)}x`,
      Object.entries(row.forms)
        .map(([form, ms]) => `${form} ${show(ms)}`)
        .join(', '),
    ]),
    targets,
    skipped: crowd.skipped,
    data: rows,
  };
}

function contestsOf(forms: unknown): Contest[] {
  const ofLayers = Object.entries(forms as Record<string, string[]>).map(([layer, own]) => ({
    layer,
    shape: RECURRENCE_SHAPE,
    peers: own.map(form => `${layer}/${form}`),
    wanted: WANTED,
  }));
  const ofVariants = LSTM_VARIANTS.map(layer => ({
    layer,
    shape: MODEL_SHAPE,
    peers: ['lstm'],
    wanted: WANTED_OF_VARIANTS,
  }));
  return [...ofLayers, ...ofVariants];
}

function rowOf(contest: Contest, own: Measured, forms: readonly [string, Measured][]): RecurrenceRow {
  const fastestBy = (timeOf: (measured: Measured) => number) =>
    forms.reduce((fastest, next) => (timeOf(next[1]) < timeOf(fastest[1]) ? next : fastest));
  const [form, peer] = fastestBy(msOf);
  // which form is the fastest may differ by this time
  const [, byProcessor] = fastestBy(({ processor }) => median(processor));
  return {
    kind: 'recurrence',
    layer: contest.layer,
    shape: contest.shape,
    ms: msOf(own),
    form: form.split('/').at(-1)!,
    msPeer: msOf(peer),
    timesAsFast: medianRatio(peer.ms, own.ms),
    msProcessor: median(own.processor),
    msPeerProcessor: median(byProcessor.processor),
    timesByProcessor: medianRatio(byProcessor.processor, own.processor),
    forms: Object.fromEntries(forms.map(([name, of]) => [name.split('/').at(-1)!, msOf(of)])),
  };
}
