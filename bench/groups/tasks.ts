// Whole tasks as people have them, against PyTorch's usual way: texts of unequal lengths, an encoder-decoder with
// attention, and the CTC loss alone.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { randomStream } from '../../src/trainer/random.ts';
import type { Context } from '../context.ts';
import { versions } from '../participant.ts';
import { UNROLL } from '../participants.ts';
import { findPython, PYTORCH } from '../python.ts';
import { type Section, show } from '../report.ts';
import type { OtherRow, Target } from '../results.ts';
import { median, medianRatio } from '../statistics.ts';

const HERE = resolve(import.meta.dirname, '..');
const ROUNDS = 3;
/** The first quarter of them warms up. */
const STEPS = 160;
const CTC = [100, 32, 40, 20] as const;
const CTC_CALLS = 80;

/** Who does what: each answers with the milliseconds of a step. */
interface Contest {
  what: string;
  ours: Readonly<Record<string, () => Promise<number>>>;
  peers: readonly string[];
  data: string;
  calls: number;
  target: number;
}

interface TaskRow extends OtherRow {
  what: string;
  who: string;
  peer: string;
  ms: number;
  msPeer: number;
  times: number;
  /** share of our steps' time in which they waited for their batch; null: nothing of the kind */
  waiting: number | null;
}

/** Of the newest round, by experiment. */
const waits = new Map<string, number>();

export async function tasks(context: Context): Promise<Section> {
  const python = findPython(PYTORCH);
  const skipped = typeof python === 'string' ? [`pytorch: ${python}`] : [];
  const folder = mkdtempSync(join(tmpdir(), 'unroll-tasks-'));
  const rows: TaskRow[] = [];
  const targets: Target[] = [];
  try {
    if (typeof python !== 'string')
      for (const contest of contestsIn(folder, context.threads)) {
        const measured = await rounds(contest, python.python, context.threads);
        const first = Object.keys(contest.ours)[0]!;
        for (const who of Object.keys(contest.ours))
          for (const peer of contest.peers) {
            const [mine, theirs] = [measured.get(who)!, measured.get(peer)!];
            const times = medianRatio(theirs, mine);
            rows.push({
              ...{ kind: 'task', what: contest.what, who, peer },
              ...{ ms: median(mine), msPeer: median(theirs), times, waiting: waits.get(who) ?? null },
            });
            context.say(`${contest.what}, ${who} against ${peer}: ${show(times)}x`);
            if (who === first)
              targets.push({
                ...{
                  name: `${contest.what}: against PyTorch, ${peer}`,
                  value: times,
                  target: contest.target,
                },
                ...{ atLeast: true, unit: 'x' },
              });
          }
      }
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
  return {
    name: 'tasks',
    title: 'Whole tasks',
    text: `Milliseconds a step, means of a run's steps behind the first quarter of ${STEPS} (of ${CTC_CALLS} calls of the loss); median of ${ROUNDS} rounds, in turn, and of the rounds' own ratios. Texts: lognormal lengths, mean 60, longest 400, an embedding of 32, an LSTM of 64 units, two classes, batches of 32; ours puts like lengths together by default ("buckets"), PyTorch draws at random and pads or packs, as does "mixed". Pairs: 30 symbols to 30, embeddings of 64, GRU encoder and decoder of 128 units, additive or general attention, batches of 64; PyTorch's decoder goes a step at a time. CTC: T ${CTC[0]}, B ${CTC[1]}, ${CTC[2]} classes, ${CTC[3]} labels, the loss with its gradient. Both: backward, clipping to norm 1, Adam. Ours through \`unroll train\`, with all that it records; "waiting" is the share of its steps' time in which they waited for their batch.`,
    columns: ['what', 'ours', 'ms', 'waiting', 'PyTorch', 'ms', 'ratio'],
    cells: rows.map(row => [
      row.what,
      row.who,
      show(row.ms),
      row.waiting === null ? '' : `${(100 * row.waiting).toFixed(1)} %`,
      row.peer,
      show(row.msPeer),
      `${show(row.times)}x`,
    ]),
    targets,
    skipped,
    data: rows,
  };
}

function contestsIn(folder: string, threads: number): Contest[] {
  const random = randomStream(1, 'bench-tasks', 0);
  const letters = (length: number) =>
    Array.from({ length }, () => String.fromCharCode(97 + random.int(26))).join('');
  const texts = Array.from({ length: 3000 }, () => {
    // of a lognormal with σ 0.8: the mean is exp(μ + σ²/2)
    const length = Math.round(Math.exp(Math.log(60) - 0.32 + 0.8 * random.normal()));
    const text = letters(Math.min(400, Math.max(2, length)));
    return `${text}\t${text < 'n' ? 'a' : 'b'}`;
  });
  const textFile = join(folder, 'texts.tsv');
  writeFileSync(textFile, ['text\tlabel', ...texts].join('\n'));
  const pairs = Array.from({ length: 3000 }, () => {
    const text = letters(30);
    return `${text}\t${[...text].reverse().join('')}`;
  });
  const pairFile = join(folder, 'pairs.tsv');
  writeFileSync(pairFile, ['source\ttarget', ...pairs].join('\n'));
  const training = { steps: STEPS, validation: { every: STEPS }, checkpoint: { every: STEPS } };
  const classify = (batching: string) => ({
    data: { task: 'classify', path: 'texts.tsv', text: 'text', label: 'label', batching },
    model: { layers: [{ type: 'embedding', dim: 32 }, { type: 'lstm', units: 64 }, { type: 'dense' }] },
    training: { ...training, batchSize: 32 },
  });
  const embedding = { type: 'embedding', dim: 64 };
  const gru = { type: 'gru', units: 128 };
  const seq2seq = (score: string) => ({
    data: { task: 'seq2seq', path: 'pairs.tsv', source: 'source', target: 'target' },
    model: {
      encoder: [embedding, gru],
      layers: [embedding, gru, { type: 'attention', score }, { type: 'dense' }],
    },
    training: { ...training, batchSize: 64 },
  });
  const train = (name: string, experiment: object) => () => trainOurs(folder, name, experiment, threads);
  return [
    {
      what: 'texts of unequal lengths',
      ours: { buckets: train('buckets', classify('buckets')), mixed: train('mixed', classify('mixed')) },
      ...{ peers: ['padded', 'packed'], data: textFile, calls: STEPS, target: 3 },
    },
    ...['additive', 'general'].map(score => ({
      what: `seq2seq with ${score} attention`,
      ours: { [score]: train(score, seq2seq(score)) },
      ...{ peers: [score], data: pairFile, calls: STEPS, target: 2 },
    })),
    {
      what: 'CTC loss',
      ours: {
        native: () =>
          answerOf(process.execPath, ['--import', 'tsx', join(HERE, 'ctc.ts'), ...ctcArguments(threads)]),
      },
      ...{ peers: ['ctc'], data: CTC.join(), calls: CTC_CALLS, target: 2 },
    },
  ];
}

const ctcArguments = (threads: number) => [CTC.join(), `${CTC_CALLS}`, `${threads}`];

async function rounds(
  { ours, peers, data, calls }: Contest,
  python: string,
  threads: number,
): Promise<Map<string, number[]>> {
  const measured = new Map<string, number[]>();
  const takers: [string, () => Promise<number>][] = [
    ...Object.entries(ours),
    ...peers.map((peer): [string, () => Promise<number>] => [
      peer,
      () => answerOf(python, [join(HERE, 'peers/tasks_pytorch.py'), peer, data, `${calls}`, `${threads}`]),
    ]),
  ];
  for (let round = 0; round < ROUNDS; round++)
    for (let turn = 0; turn < takers.length; turn++) {
      const [name, measure] = takers[(turn + round) % takers.length]!;
      measured.set(name, [...(measured.get(name) ?? []), await measure()]);
    }
  return measured;
}

async function trainOurs(folder: string, name: string, experiment: object, threads: number): Promise<number> {
  const file = join(folder, `${name}.rnn.json`);
  writeFileSync(file, JSON.stringify(experiment));
  const out = join(folder, 'runs');
  const args = ['train', file, '--engine', 'native', '--threads', `${threads}`, '--out', out, '--json'];
  const text = await outputOf(process.execPath, [UNROLL, ...args]);
  rmSync(out, { recursive: true, force: true });
  const events = text
    .split('\n')
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line));
  const rows = events.filter(({ kind, ownSeconds }) => kind === 'scalars' && ownSeconds !== undefined);
  const [first, last] = [
    rows.find(({ step }) => step >= STEPS / 4),
    rows.findLast(({ step }) => step < STEPS),
  ];
  const { waiting } = events.findLast(({ values }) => values?.waiting !== undefined)?.values ?? {};
  if (typeof waiting === 'number') waits.set(name, waiting);
  return (1000 * (last.ownSeconds - first.ownSeconds)) / (last.step - first.step);
}

async function answerOf(command: string, args: readonly string[]): Promise<number> {
  const { ms, version } = JSON.parse(await outputOf(command, args)) as { ms: number; version?: string };
  if (version) versions.add(`pytorch ${version}`);
  return ms;
}

function outputOf(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', chunk => {
    text += chunk;
  });
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('close', code =>
      code === 0 ? done(text) : fail(new Error(`${args[0]} ended with ${code}.`)),
    );
  });
}
