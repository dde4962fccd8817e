// Times training steps where they happen: a run in a temporary folder, trained by the same parts as every run, in
// stretches as long as those after which a run writes what its steps have shown.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { memory } from '@tensorflow/tfjs-core';
import { checkMemory } from '../../experiment/check.ts';
import { machineMemory, predictMemory } from '../../experiment/resources.ts';
import type { Experiment } from '../../experiment/schema.ts';
import { createRun } from '../../runs/create.ts';
import type { EngineName, RunEvent, RunFile } from '../../runs/format.ts';
import { RunWriter } from '../../runs/writer.ts';
import { type Intervals, intervalsOf } from '../training/intervals.ts';
import { Journal } from '../training/journal.ts';
import { Member } from '../training/member.ts';
import { describeRun, InputError, makeTrainer } from '../training/prepare.ts';
import { type BenchShape, benchExperiment, benchSizes } from './models.ts';
import { benchTask } from './source.ts';

/** As often as a run writes what its steps have shown, or a step: a sample has its share of all that belongs to steps. */
const SLICE_MILLISECONDS = 100;
/** A run of this length keeps a row of every series for every step. */
const RECORDED_STEPS = 2000;
/** However short the time is. */
const FEWEST_STEPS = 3;

export interface BenchSpec {
  model: string;
  shape: BenchShape;
  recording: boolean;
  /** of truncated BPTT; undefined: all steps */
  window?: number;
  seed: number;
  engine: EngineName;
  threads: number | null;
}

export interface Measurement {
  steps: number;
  msMedian: number;
  msMean: number;
  /** a tenth of the samples are faster, a tenth are slower */
  ms10: number;
  ms90: number;
  /** processor time a step, of all threads: what other programs take does not count; where runs took turns it is of all */
  msProcessor: number;
  /** milliseconds a step of each stretch, where runs took turns: those of one round have the same index */
  msStretches?: number[];
  /** of the first step and of the last */
  firstLoss: number;
  loss: number;
  /** resident memory before and after these steps */
  rssBytes: [before: number, after: number];
  /** tensors alive before and after these steps */
  tensors: [before: number, after: number];
}

export class BenchRun {
  readonly predictedBytes: number;
  /** `performance.now()` after the first step: milliseconds since the process began */
  firstStepAt = Number.NaN;
  private readonly folder: string;
  private readonly writer: RunWriter;
  private readonly member: Member;
  private firstLoss = Number.NaN;
  private loss = Number.NaN;

  /** The engine has been started. @throws InputError for what does not fit into memory */
  constructor(spec: BenchSpec, engineUsed: RunFile['engineUsed']) {
    const experiment = benchExperiment(spec.model, spec.shape, spec);
    const sizes = benchSizes(spec.shape);
    const [fault] = checkMemory(experiment, sizes, machineMemory());
    if (fault) throw new InputError(fault.message);
    this.predictedBytes = predictMemory(experiment, sizes).bytes;
    this.folder = mkdtempSync(join(tmpdir(), 'unroll-bench-'));
    try {
      this.writer = RunWriter.open(createRun({ out: this.folder }, requestOf(spec, experiment, this.folder)));
      const journal = new Journal(this.writer, { onEvent: event => this.observe(event), onStatus() {} });
      const task = benchTask(spec.shape, spec.seed);
      const { trainer } = makeTrainer(this.writer, task);
      describeRun(this.writer, { task, files: [], notes: [] }, engineUsed);
      this.member = new Member(trainer, this.writer, journal, {
        ownSeconds: 0,
        found: [],
        intervals: benchIntervals(experiment),
      });
    } catch (cause) {
      rmSync(this.folder, { recursive: true, force: true });
      throw cause;
    }
  }

  get steps(): number {
    return this.member.steps;
  }

  get losses(): Pick<Measurement, 'firstLoss' | 'loss'> {
    const { firstLoss, loss } = this;
    return { firstLoss, loss };
  }

  /** What comes before the first step belongs to no step. */
  async begin(): Promise<void> {
    if (this.steps === 0) await this.member.advance(0, 1);
  }

  async stretch(): Promise<StepSample> {
    const before = this.steps;
    const began = performance.now();
    await this.member.advance(SLICE_MILLISECONDS, 1);
    if (this.member.end) throw new Error(this.member.end.message);
    return { steps: this.steps - before, milliseconds: performance.now() - began };
  }

  close(): void {
    this.member.dispose();
    this.writer.close();
    this.discard();
  }

  /** Only the folder: for a process that is told to end. */
  discard(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private observe(event: RunEvent): void {
    if (event.kind !== 'scalars') return;
    const { trainLoss } = event.values;
    this.loss = typeof trainLoss === 'number' ? trainLoss : Number.NaN;
    if (!Number.isNaN(this.firstStepAt)) return;
    this.firstStepAt = performance.now();
    this.firstLoss = this.loss;
  }
}

function requestOf({ engine, threads }: BenchSpec, experiment: Experiment, folder: string) {
  return {
    name: 'bench',
    experiment,
    definition: null,
    group: null,
    engine,
    threads,
    base: folder,
    workspace: folder,
    allowedPaths: [],
  };
}

/** Everything that is recorded at every step, and nothing that comes now and then but the probe of the reach. */
function benchIntervals(experiment: Experiment): Intervals {
  const short = { ...experiment, training: { ...experiment.training, steps: RECORDED_STEPS } };
  const intervals = intervalsOf(short, { extraPass: true, validationBatches: 0 });
  return { ...intervals, validation: 0, checkpoint: 0, sample: 0 };
}

/** Steps that were made and written together. */
export interface StepSample {
  steps: number;
  milliseconds: number;
}

/**
 * Runs in turn, a stretch each, for so long or until each has made so many steps. Every round goes the other way about
 * than the last, so that neither what changes with time nor who comes after whom is taken for a difference of theirs.
 * @returns the samples of each run, those of one round in one place
 */
async function inTurns(
  runs: readonly BenchRun[],
  goal: { seconds: number } | { steps: number },
): Promise<StepSample[][]> {
  for (const run of runs) await run.begin();
  const first = runs.map(({ steps }) => steps);
  const samples = runs.map((): StepSample[] => []);
  const began = performance.now();
  const enough = () => {
    const fewest = Math.min(...runs.map(({ steps }, index) => steps - first[index]!));
    if ('steps' in goal) return fewest >= goal.steps;
    return fewest >= FEWEST_STEPS && performance.now() - began >= goal.seconds * 1000;
  };
  for (let order = runs.map((_, index) => index); !enough(); order = order.toReversed())
    for (const index of order) samples[index]!.push(await runs[index]!.stretch());
  return samples;
}

/** For so long in all, or so many steps of each. */
export async function measure(
  runs: readonly BenchRun[],
  goal: { seconds: number } | { steps: number },
): Promise<Measurement[]> {
  const rss = process.memoryUsage.rss();
  const { numTensors } = memory();
  const before = process.cpuUsage();
  const samples = await inTurns(runs, goal);
  const { user, system } = process.cpuUsage(before);
  const stepsOfAll = samples.flat().reduce((sum, { steps }) => sum + steps, 0);
  const msProcessor = (user + system) / 1000 / stepsOfAll;
  return runs.map((run, index) => ({
    ...statisticsOf(samples[index]!),
    ...(runs.length > 1 && { msStretches: samples[index]!.map(msOf) }),
    ...run.losses,
    msProcessor,
    rssBytes: [rss, process.memoryUsage.rss()],
    tensors: [numTensors, memory().numTensors],
  }));
}

function msOf({ steps, milliseconds }: StepSample): number {
  return milliseconds / steps;
}

/** Of the time of a step, as the means of the samples. */
export function statisticsOf(
  samples: readonly StepSample[],
): Pick<Measurement, 'steps' | 'msMedian' | 'msMean' | 'ms10' | 'ms90'> {
  const sorted = samples.map(msOf).sort((a, b) => a - b);
  const at = (share: number) => {
    const place = share * (sorted.length - 1);
    const low = sorted[Math.floor(place)]!;
    return low + (sorted[Math.ceil(place)]! - low) * (place % 1);
  };
  const steps = samples.reduce((sum, sample) => sum + sample.steps, 0);
  const sum = samples.reduce((total, { milliseconds }) => total + milliseconds, 0);
  return { steps, msMedian: at(0.5), msMean: sum / steps, ms10: at(0.1), ms90: at(0.9) };
}
