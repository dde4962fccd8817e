// What each part of a train step takes, beside what the machine could do: bench/phases.cpp on one thread, and the frame
// around it from the trainer's own step.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { CASES, type Cell, gateBlocksOf, nameOf, type Shape } from '../cases.ts';
import { type Context, Crowd } from '../context.ts';
import { percent, type Section, show } from '../report.ts';
import { type OtherRow, peakKey } from '../results.ts';
import { measureCase, msOf } from '../rounds.ts';

const HERE = resolve(import.meta.dirname, '..');
const KERNELS = resolve(HERE, '../kernels');

/** As the addon is compiled (scripts/build-native.mjs). */
const FLAGS =
  '-O3 -std=c++20 -ffp-contract=fast -fno-math-errno -fno-trapping-math -fno-signed-zeros -fno-exceptions -fno-rtti -w -pthread'.split(
    ' ',
  );
const SETS = { avx512: { march: 'x86-64-v4', floats: 16 }, avx2: { march: 'x86-64-v3', floats: 8 } } as const;

/** Multiply-adds and bytes of a part: every weight once a step of the sequence, every activation once. */
interface Work {
  products: number;
  bytes: number;
}

type Part = (typeof PARTS)[number][0];

const PARTS = [
  ['INPUT', 'input product'],
  ['RECURRENT', 'recurrent product'],
  ['GATES', 'gates'],
  ['RECURRENT_BACK', 'recurrent product back'],
  ['GATES_BACK', 'gates back'],
  ['WEIGHTS', 'weight gradients'],
  ['INPUT_BACK', 'input gradient'],
  ['HEAD', 'head and loss'],
  ['OPTIMIZER', 'optimizer'],
  ['REST', 'packing and the rest'],
] as const;

function workOf(part: Part, cell: Cell, [I, H, T, B, O]: Shape): Work {
  const rows = T * B;
  const G = gateBlocksOf(cell) * H;
  const of = (products: number, floats: number): Work => ({ products, bytes: 4 * floats });
  switch (part) {
    case 'INPUT':
    case 'INPUT_BACK':
      return of(rows * G * I, T * G * I + rows * (I + G));
    case 'RECURRENT':
    case 'RECURRENT_BACK':
      return of(rows * G * H, T * G * H + rows * (H + G));
    case 'GATES':
    case 'GATES_BACK':
      return of(0, 2 * rows * (G + 2 * H));
    case 'WEIGHTS':
      return of(rows * G * (I + H), rows * (G + I + H) + G * (I + H));
    case 'HEAD':
      return of(3 * rows * H * O, 3 * rows * (H + O) + 3 * H * O);
    case 'OPTIMIZER':
      return of(0, 7 * (G * (I + H + 2) + O * (H + 1)));
    case 'REST':
      return of(0, 4 * G * (I + H));
    default:
      return part satisfies never;
  }
}

interface Answer {
  step: number;
  /** bytes a second from the L2 cache */
  l2: number;
  parts: Record<Part, number>;
}

interface PhaseRow extends OtherRow {
  cell: string;
  shape: Shape;
  isa: string;
  part: string;
  ms: number;
  gigaflops: number;
  megabytes: number;
  /** of what one core's multiply-adds can do; null: no product */
  ofPeak: number | null;
  /** milliseconds that the products or the bytes take at least */
  limit: number;
}

export async function phases(context: Context): Promise<Section> {
  const skipped: string[] = [];
  const rows: PhaseRow[] = [];
  const { peaks } = context.peaks();
  const crowd = new Crowd();
  const [trainer] = await crowd.addOurs({ ...context, threads: 1 }, ['native']);
  for (const [isa, { march, floats }] of Object.entries(SETS)) {
    const peak = peaks.get(peakKey(floats, 1));
    const program = peak === undefined ? 'this processor does not have it' : compiled(isa, march);
    if (typeof program === 'string') {
      skipped.push(`${isa}: ${program}`);
      continue;
    }
    for (const asked of CASES) {
      const cell = asked.cell as Cell;
      const answer = run(program.file, cell, asked.shape, context.pace.seconds, false);
      const withDx = run(program.file, cell, asked.shape, context.pace.seconds, true);
      const add = (part: string, ms: number, { products, bytes }: Work) =>
        rows.push({
          ...{ kind: 'phase', cell, shape: asked.shape, isa, part, ms },
          ...{ gigaflops: (2 * products) / 1e9, megabytes: bytes / 1e6 },
          ofPeak: products === 0 ? null : (2 * products) / (ms / 1000) / peak!,
          limit: 1000 * Math.max((2 * products) / peak!, bytes / answer.l2),
        });
      for (const [part, title] of PARTS) {
        const isInput = part === 'INPUT_BACK';
        add(title, (isInput ? withDx : answer).parts[part], workOf(part, cell, asked.shape));
      }
      if (trainer && isa === bestSet(peaks)) {
        const measured = await measureCase(
          asked,
          crowd.members,
          { ...context.pace, rounds: 3 },
          crowd.refused,
        );
        const step = measured.get('native');
        if (step) add('frame', Math.max(0, msOf(step) - answer.step), { products: 0, bytes: 0 });
      }
      context.say(`phases, ${nameOf(asked)}, ${isa}: ${show(answer.step)} ms`);
    }
  }
  crowd.end();
  return {
    name: 'phases',
    title: 'The parts of a step',
    text: 'One thread, the kernels in the order of the trainer’s step, told apart by time stamps (bench/phases.cpp); of each part the least of its times, since what others do to the machine is not the kernels’. The limit is the longer of its multiply-adds at the peak of one core and its bytes at the bandwidth of the L2 cache, weights counted once a step of the sequence and activations once; gates count no operations. The gradient of the input is not asked for by the step and measured beside it. Frame: the trainer’s step with one thread, median, less the kernels’.',
    columns: ['case', 'set', 'part', 'ms', 'GFLOP', 'MB', 'of peak', 'limit, ms', 'of limit'],
    cells: rows.map(row => [
      nameOf(row),
      row.isa,
      row.part,
      show(row.ms),
      show(row.gigaflops),
      show(row.megabytes),
      percent(row.ofPeak),
      show(row.limit),
      row.limit === 0 || row.ms === 0 ? '–' : percent(row.limit / row.ms),
    ]),
    targets: [],
    skipped: [...skipped, ...crowd.skipped],
    data: rows,
  };
}

/** The set that the trainer takes here. */
function bestSet(peaks: ReadonlyMap<string, number>): string | undefined {
  return Object.entries(SETS).find(([, { floats }]) => peaks.has(peakKey(floats, 1)))?.[0];
}

function compiled(isa: string, march: string): { file: string } | string {
  const out = join(HERE, 'out');
  mkdirSync(out, { recursive: true });
  const file = join(out, `phases-${isa}`);
  const args = [...FLAGS, `-march=${march}`, '-I', KERNELS, join(HERE, 'phases.cpp'), '-o', file];
  const built = spawnSync(process.env['CXX'] ?? 'g++', args, { encoding: 'utf8' });
  return built.status === 0 ? { file } : (built.error?.message ?? built.stderr.trim().split('\n')[0]!);
}

function run(program: string, cell: Cell, shape: Shape, seconds: number, dx: boolean): Answer {
  const args = [cell, ...shape.map(String), `${seconds}`, ...(dx ? ['dx'] : [])];
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`phases ended with ${status}: ${stderr}`);
  return JSON.parse(stdout);
}
