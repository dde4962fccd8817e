// unroll bench: how long a training step takes here, measured through the trainer itself.
import process from 'node:process';
import { createInterface } from 'node:readline';
import { formatBytes, plural } from '../../experiment/words.ts';
import type { RunFile } from '../../runs/format.ts';
import type { BenchRun, BenchSpec, Measurement, measure as measureRuns } from '../bench/measure.ts';
import { BENCH_MODELS } from '../bench/models.ts';
import { type Arguments, type Command, JSON_OPTION } from './command.ts';
import { ENGINES, engineOf } from './engine.ts';
import { CommandError, EXIT, type ExitCode, explain } from './exit.ts';
import { screenOf, wrap } from './terminal.ts';

const SECONDS = 3;

export const command: Command = {
  name: 'bench',
  operands: '',
  count: [0, 0],
  summary: 'Measure how long a training step takes on this machine.',
  details:
    'A model of one kind of layer and a dense layer reads random numbers and says a class at every step. It is trained as every run is, in a temporary folder, with the gradient flow recorded at every step. A step is: forward, mean cross-entropy over all steps, backward, clipping to norm 1, Adam.',
  options: {
    cell: { value: 'NAME', help: `One of ${BENCH_MODELS.join(', ')}; default: lstm.` },
    shape: {
      value: 'I,H,T,B,O',
      help: 'Input features, hidden units, steps, sequences in a batch, classes; default: 64,128,64,32,65.',
    },
    engine: { value: 'NAME', help: `One of ${ENGINES.join(', ')}; default: auto.` },
    threads: { value: 'N', help: 'Threads to compute with; default: the physical cores.' },
    seconds: {
      value: 'S',
      help: `Measure for so long; default: ${SECONDS}. A third of it comes before, to warm up.`,
    },
    steps: { value: 'N', help: 'Measure at least so many steps instead.' },
    window: { value: 'N', help: 'Cut the gradient every N steps (truncated BPTT).' },
    seed: { value: 'N', help: 'Of the weights and the numbers; default: 1.' },
    'no-recording': { help: 'Record neither gradient flow nor gates.' },
    serve: {
      help: 'Read orders from stdin, one JSON line each, and answer each with one: {"open": {"cell", "shape", "recording", "window"}}, {"measure": {"seconds"}} or {"measure": {"steps"}}, {"close": true}. So rounds can be interleaved with another program’s. "open" also takes a list: its runs take turns of 100 ms, and "measure" is answered with {"runs": […]}, of each the figures and "msStretches".',
    },
    ...JSON_OPTION,
  },
  examples: [
    'unroll bench --cell lstm --shape 64,128,64,32,65',
    'unroll bench --cell gru --shape 32,32,100,32,10 --engine native --threads 1 --seconds 3 --json',
  ],
  async run(args) {
    const spec = specOf(args);
    const goal = goalOf(args);
    const bench = await import('../bench/measure.ts');
    const { startEngine } = await import('../engine/start.ts');
    const engineUsed = await startEngine(spec.engine, spec.threads);
    const open = (changed: BenchSpec) => new bench.BenchRun(changed, engineUsed);
    if (args.flag('serve')) return serve(spec, open, bench.measure, engineUsed);
    const run = open(spec);
    stopOnSignals(run);
    try {
      if ('seconds' in goal) await bench.measure([run], { seconds: goal.seconds / 3 });
      else await bench.measure([run], { steps: Math.min(goal.steps, 10) });
      const [measurement] = await bench.measure([run], goal);
      const facts = factsOf(spec, engineUsed, run, measurement!);
      process.stdout.write(args.flag('json') ? `${JSON.stringify(facts)}\n` : describe(facts));
      return EXIT.done;
    } finally {
      run.close();
    }
  },
};

// ---------------------------------------------------------------- what is asked

function specOf(args: Arguments): BenchSpec {
  return {
    model: modelOf(args.text('cell') ?? BENCH_MODELS[0]!),
    shape: shapeOf(args.text('shape') ?? '64,128,64,32,65'),
    recording: !args.flag('no-recording'),
    window: args.number('window', { min: 1, whole: true }),
    seed: args.number('seed', { min: 0, max: 0xffff_ffff, whole: true }) ?? 1,
    engine: engineOf(args),
    threads: args.number('threads', { min: 1, max: 1024, whole: true }) ?? null,
  };
}

function goalOf(args: Arguments): { seconds: number } | { steps: number } {
  const steps = args.number('steps', { min: 1, whole: true });
  if (steps !== undefined) return { steps };
  return { seconds: args.number('seconds', { min: 0.01, max: 86_400 }) ?? SECONDS };
}

function modelOf(name: unknown): string {
  const known = BENCH_MODELS.find(model => model === name);
  if (known) return known;
  throw new CommandError(`--cell must be one of ${BENCH_MODELS.join(', ')}, found ${JSON.stringify(name)}.`);
}

function shapeOf(text: string): BenchSpec['shape'] {
  const sizes = text.split(',').map(part => (/^\s*\d{1,9}\s*$/.test(part) ? Number(part) : 0));
  if (sizes.length !== 5 || sizes.some(size => size < 1))
    throw new CommandError(
      `--shape must be five whole numbers of at least 1, I,H,T,B,O, found ${JSON.stringify(text)}.`,
    );
  const [inputSize, units, seqLen, batch, outputs] = sizes as [number, number, number, number, number];
  return { inputSize, units, seqLen, batch, outputs };
}

// ---------------------------------------------------------------- what is said

function factsOf(
  { model, shape, recording, window }: BenchSpec,
  engineUsed: RunFile['engineUsed'],
  run: BenchRun,
  measurement: Measurement,
) {
  const { inputSize, units, seqLen, batch, outputs } = shape;
  return {
    cell: model,
    shape: [inputSize, units, seqLen, batch, outputs],
    engine: engineUsed.provider,
    isa: engineUsed.instructionSet,
    threads: engineUsed.threads,
    engineUsed,
    recording,
    ...(window !== undefined && { window }),
    ...measurement,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    predictedMemoryBytes: run.predictedBytes,
    msToFirstStep: run.firstStepAt,
    /** milliseconds since 1970, for those who know when they started this */
    firstStepAt: performance.timeOrigin + run.firstStepAt,
  };
}

function describe(facts: ReturnType<typeof factsOf>): string {
  const { cell, shape, engineUsed, threads, isa, steps } = facts;
  const ms = (value: number) => `${value.toPrecision(4)} ms`;
  const lines = [
    `${cell} ${shape.join(' ')} · ${engineUsed.provider} (${isa}, ${plural(threads, 'thread')})${facts.recording ? '' : ', nothing recorded'}`,
    `${ms(facts.msMedian)} a step, in the median of stretches of 100 ms; ${plural(steps, 'step')}, mean ${ms(facts.msMean)}, eight in ten between ${ms(facts.ms10)} and ${ms(facts.ms90)}`,
    `loss ${facts.firstLoss.toPrecision(4)} → ${facts.loss.toPrecision(4)}, memory at most ${formatBytes(facts.peakMemoryBytes)} (${formatBytes(facts.predictedMemoryBytes)} predicted), first step after ${facts.msToFirstStep.toFixed(0)} ms`,
  ];
  const { textColumns } = screenOf();
  return `${lines.map(line => wrap(line, textColumns, 2)).join('\n')}\n`;
}

// ---------------------------------------------------------------- by orders

type Open = (spec: BenchSpec) => BenchRun;
type Opened = { spec: BenchSpec; run: BenchRun };

/** One run at a time, or several that take turns; an order that cannot be done is answered with its error. */
async function serve(
  spec: BenchSpec,
  open: Open,
  measure: typeof measureRuns,
  engineUsed: RunFile['engineUsed'],
): Promise<ExitCode> {
  const current: Opened[] = [];
  /** whether a list was opened, and is answered with one */
  let several = false;
  const close = () => {
    for (const { run } of current.splice(0)) run.close();
  };
  process.once('exit', () => {
    for (const { run } of current) run.discard();
  });
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(name, () => process.exit(EXIT.stopped));
  for await (const line of createInterface({ input: process.stdin })) {
    let answer: object;
    try {
      const order = JSON.parse(line);
      if (order.open) {
        close();
        several = Array.isArray(order.open);
        const specs = (several ? order.open : [order.open]).map((asked: Asked) => openedSpec(spec, asked));
        try {
          for (const changed of specs) current.push({ spec: changed, run: open(changed) });
        } catch (cause) {
          close();
          throw cause;
        }
        answer = { opened: true };
      } else if (order.measure && current.length > 0) {
        const runs = current.map(({ run }) => run);
        const measured = await measure(runs, order.measure);
        const facts = current.map(({ spec, run }, index) => factsOf(spec, engineUsed, run, measured[index]!));
        answer = several ? { runs: facts } : facts[0]!;
      } else if (order.close) {
        close();
        answer = { closed: true };
      } else answer = { error: `There is nothing to do for ${line}: open first, then measure, then close.` };
    } catch (error) {
      answer = { error: explain(error, false).message };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
  close();
  return EXIT.done;
}

interface Asked {
  cell: string;
  shape: number[];
  recording?: boolean;
  window?: number;
}

function openedSpec(spec: BenchSpec, asked: Asked): BenchSpec {
  const { recording = spec.recording, window } = asked;
  return { ...spec, model: modelOf(asked.cell), shape: shapeOf(asked.shape.join(',')), recording, window };
}

function stopOnSignals(run: BenchRun): void {
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(name, () => {
      run.discard();
      process.exit(EXIT.stopped);
    });
}
