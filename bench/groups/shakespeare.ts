// Time to 1.65 nats a character on tiny Shakespeare: the same model, batches and schedule in ours and in PyTorch.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import type { Context } from '../context.ts';
import { UNROLL } from '../participants.ts';
import { findPython, PYTORCH } from '../python.ts';
import { type Section, show } from '../report.ts';
import type { OtherRow } from '../results.ts';
import { median } from '../statistics.ts';

const HERE = resolve(import.meta.dirname, '..');
const DATA = resolve(HERE, '../../shared/data/samples');
const EXPERIMENT = join(HERE, 'shakespeare-time.rnn.json');
const WANTED = 1.65;
const SEEDS = [1, 2, 3];

interface Trained {
  who: string;
  seed: number;
  /** own training time with validation; NaN: never reached */
  seconds: number;
  steps: number;
  /** validation loss by step */
  curve: [step: number, loss: number][];
}

export async function shakespeare(context: Context): Promise<Section> {
  const skipped: string[] = [];
  const trained: Trained[] = [];
  const python = findPython(PYTORCH);
  if (typeof python === 'string') skipped.push(`pytorch: ${python}`);
  if (!existsSync(join(DATA, 'tinyshakespeare/input.txt')))
    skipped.push('all: the text tinyshakespeare/input.txt is not beside the repository');
  else
    for (const seed of SEEDS) {
      trained.push(await trainOurs(seed, context.threads));
      if (typeof python !== 'string') trained.push(await trainPytorch(python.python, seed, context.threads));
      for (const { who, seconds, steps } of trained.slice(-2))
        context.say(`${who}, seed ${seed}: ${show(seconds)} s, ${steps} steps`);
    }
  const rows: OtherRow[] = trained.map(run => ({ kind: 'shakespeare', ...run }));
  const secondsOf = (name: string) => trained.filter(({ who }) => who === name).map(({ seconds }) => seconds);
  const sooner = median(secondsOf('pytorch')) / median(secondsOf('native'));
  return {
    name: 'shakespeare',
    title: `Tiny Shakespeare to ${WANTED} nats`,
    text: `LSTM 128, embedding 64, batch 32, 64 characters, Adam 0.004, clipping to 1, state carried along; validation on 20 batches every 100 steps, which counts in both. Each from initial values of its own seed. The loss at step 1000 tells whether the curves are within what the seed does.`,
    columns: ['who', 'seed', 'seconds', 'steps', 'validation loss at step 500', 'at step 1000'],
    cells: trained.map(({ who, seed, seconds, steps, curve }) => [
      who,
      `${seed}`,
      show(seconds),
      `${steps}`,
      ...[500, 1000].map(step => show(curve.find(([at]) => at === step)?.[1] ?? Number.NaN)),
    ]),
    targets: Number.isFinite(sooner)
      ? [
          {
            name: `native: sooner at ${WANTED} nats than PyTorch`,
            value: sooner,
            target: 1.8,
            atLeast: true,
            unit: 'x',
          },
        ]
      : [],
    skipped,
    data: rows,
  };
}

/** unroll train, stopped when the loss has been reached. */
async function trainOurs(seed: number, threads: number): Promise<Trained> {
  const out = mkdtempSync(join(tmpdir(), 'unroll-shakespeare-'));
  const path = join(DATA, 'tinyshakespeare/input.txt');
  const sets = [`training.seed=${seed}`, `data.path=${JSON.stringify(path)}`].flatMap(set => ['--set', set]);
  const options = [
    '--engine',
    'native',
    '--threads',
    `${threads}`,
    '--out',
    out,
    '--allow-path',
    DATA,
    '--json',
  ];
  const child = spawn(process.execPath, [UNROLL, 'train', EXPERIMENT, ...options, ...sets], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const run: Trained = { who: 'native', seed, seconds: Number.NaN, steps: 0, curve: [] };
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line);
    const loss = event.kind === 'scalars' ? event.values.valLoss : undefined;
    if (typeof loss !== 'number') continue;
    run.curve.push([event.step, loss]);
    if (Number.isNaN(run.seconds) && loss <= WANTED)
      Object.assign(run, { seconds: event.ownSeconds, steps: event.step });
    if (!Number.isNaN(run.seconds) && event.step >= 1000) child.kill('SIGINT');
  }
  rmSync(out, { recursive: true, force: true });
  return run;
}

async function trainPytorch(python: string, seed: number, threads: number): Promise<Trained> {
  const script = join(HERE, 'peers/shakespeare_pytorch.py');
  const args = [
    script,
    EXPERIMENT,
    join(DATA, 'tinyshakespeare/input.txt'),
    `${seed}`,
    `${threads}`,
    `${WANTED}`,
  ];
  const child = spawn(python, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  for await (const chunk of child.stdout) text += chunk;
  const { seconds, steps, curve } = JSON.parse(text);
  return { who: 'pytorch', seed, seconds: seconds ?? Number.NaN, steps, curve };
}
