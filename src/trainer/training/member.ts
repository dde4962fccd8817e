// One run in training, in pieces of about a step: the work itself as a generator, and around it what may come
// between two pieces: pause, stop, a full disk, a folder that is gone, numbers that are not finite.
import { memory } from '@tensorflow/tfjs-core';
import { RunFolderGoneError } from '../../runs/errors.ts';
import type { ControlRequest, EndReason } from '../../runs/format.ts';
import type { RunWriter } from '../../runs/writer.ts';
import { watchStep } from '../probes/recorder.ts';
import { DivergedError } from './divergence.ts';
import { type Intervals, intervalsOf, isDue } from './intervals.ts';
import type { Journal } from './journal.ts';
import { Speed } from './speed.ts';
import type { Trainer } from './trainer.ts';
import { figuresOf, scorePart } from './validation.ts';

const STATUS_MILLISECONDS = 150;
/** While nothing moves, a sign of life is enough. */
const IDLE_STATUS_MILLISECONDS = 1000;
const DISK_RETRY_MILLISECONDS = 1000;
/** The event loop gets its turn at least this often: signals and timers are heard. */
const YIELD_MILLISECONDS = 10;

export interface MemberEnd {
  reason: EndReason;
  message: string;
}

export class Member {
  /** how it ended; null while it goes on */
  end: MemberEnd | null = null;
  /** over, but a full disk has not taken all of it yet */
  private ending: MemberEnd | null = null;
  private readonly trainer: Trainer;
  private readonly writer: RunWriter;
  private readonly journal: Journal;
  private readonly intervals: Intervals;
  private readonly speed = new Speed();
  private pieces: Generator<undefined, void>;
  private ownBefore: number;
  private sliceStart: number | null = null;
  private endSeconds: number | null = null;
  private paused = false;
  private blockedSince: number | null = null;
  private probeAsked = false;
  private savedStep: number;
  private statusAt = 0;
  private retryAt = 0;

  constructor(trainer: Trainer, writer: RunWriter, journal: Journal, ownSeconds: number) {
    this.trainer = trainer;
    this.writer = writer;
    this.journal = journal;
    const { outputs, validationBatches } = trainer.task;
    const extraPass = outputs === 'every-step';
    this.intervals = intervalsOf(trainer.experiment, { extraPass, validationBatches });
    this.ownBefore = ownSeconds;
    this.savedStep = writer.latestCheckpoint()?.step ?? -1;
    journal.openSeries(trainer, this.intervals);
    this.pieces = this.train();
  }

  get steps(): number {
    return this.trainer.step;
  }

  get losses(): { trainLoss: number | null; valLoss: number | null } {
    const { trainLoss, valLoss } = this.trainer;
    return { trainLoss, valLoss };
  }

  /** own training time: pauses and other members left out */
  get ownSeconds(): number {
    if (this.endSeconds !== null) return this.endSeconds;
    return this.ownBefore + (this.sliceStart === null ? 0 : (performance.now() - this.sliceStart) / 1000);
  }

  /** Has something to compute. */
  get running(): boolean {
    return !this.end && !this.ending && !this.paused && this.blockedSince === null;
  }

  /** Works for about so long; `turns`: how many take turns, this one counted. */
  async advance(milliseconds: number, turns: number, signal?: AbortSignal): Promise<void> {
    this.sliceStart = performance.now();
    let yielded = this.sliceStart;
    try {
      while (this.running && !signal?.aborted && performance.now() - this.sliceStart < milliseconds) {
        this.attend();
        if (!this.running) break;
        this.guard(() => this.pieces.next());
        this.beat(turns);
        if (performance.now() - yielded < YIELD_MILLISECONDS) continue;
        await new Promise(setImmediate);
        yielded = performance.now();
      }
    } finally {
      this.ownBefore = this.ownSeconds;
      this.sliceStart = null;
    }
  }

  /** Hears what is asked, and looks whether a full disk has room again. */
  attend(): void {
    if (this.end) return;
    this.guard(() => {
      for (const request of this.writer.takeControl()) this.obey(request);
      this.lookAtDisk();
    });
  }

  /** Ends with a checkpoint, from which it can go on. */
  stop(): void {
    if (this.end) return;
    if (this.ending) {
      this.end = this.ending;
      return;
    }
    this.guard(() => {
      if (this.blockedSince === null) this.save();
      this.finish({ reason: 'stopped', message: `Stopped at step ${show(this.trainer.step)}.` });
    });
  }

  /** A sign of life, if the last one is old enough. */
  beat(turns: number): void {
    const now = performance.now();
    if (this.end || now - this.statusAt < (this.running ? STATUS_MILLISECONDS : IDLE_STATUS_MILLISECONDS))
      return;
    this.statusAt = now;
    const { step, experiment } = this.trainer;
    const left = this.speed.secondsFor(experiment.training.steps - step);
    this.guard(() => {
      this.journal.status({
        state: this.running ? 'training' : 'paused',
        step,
        steps: experiment.training.steps,
        eta: left === null || !this.running ? null : left * turns,
      });
    });
  }

  dispose(): void {
    this.trainer.dispose();
  }

  // ---------------------------------------------------------------- the work

  private *train(): Generator<undefined, void> {
    const { trainer, intervals } = this;
    const { steps } = trainer.experiment.training;
    for (;;) {
      const last = trainer.step >= steps;
      const due = (every: number) => trainer.step > 0 && (last || isDue(trainer.step, every));
      if (trainer.todo === 'validate') {
        if (due(intervals.validation)) yield* this.validate();
        trainer.todo = 'sample';
      }
      const { bestStep } = trainer.stopping.state;
      const over = last || trainer.stopping.exhausted;
      if (trainer.todo === 'sample') {
        if (isDue(trainer.step, intervals.log) || over) this.writeRow();
        if (due(intervals.sample) || over) yield* this.sample();
        trainer.todo = 'step';
        const isBest = bestStep === trainer.step && trainer.step > 0;
        if (due(intervals.checkpoint) || isBest || over) this.save();
      }
      if (over) {
        if (this.savedStep !== trainer.step) this.save();
        this.finish(this.endOf());
        return;
      }
      this.step();
      yield;
    }
  }

  private step(): void {
    const { trainer, journal, intervals } = this;
    const next = trainer.step + 1;
    const { seqLen } = trainer.task.facts;
    const { watch, rows } = watchStep(next, trainer.model, trainer.task, intervals, {
      window: trainer.experiment.training.bptt.window ?? seqLen,
      asked: this.probeAsked,
    });
    this.probeAsked = false;
    journal.gather(trainer.advance(watch));
    journal.rows(next, rows());
    if (this.speed.observe(this.ownSeconds, trainer.step, trainer.tokens) && this.speed.tokens !== null)
      journal.figure({
        tokensPerSecond: this.speed.tokens,
        memoryBytes: process.memoryUsage.rss(),
        tensorBytes: memory().numBytes,
      });
  }

  private *validate(): Generator<undefined, void> {
    const { trainer, journal } = this;
    const score = yield* scorePart(trainer.model, trainer.task, trainer.task.validation());
    if (!score) return;
    const figures = figuresOf(trainer.task, score);
    trainer.valLoss = figures['valLoss']!;
    trainer.stopping.observe(trainer.step, trainer.valLoss);
    journal.figure(figures);
    this.writeRow();
  }

  private *sample(): Generator<undefined, void> {
    const { trainer, journal } = this;
    const sample = yield* trainer.task.sample(trainer.model, trainer.step);
    if (sample) journal.event(trainer.step, { kind: 'sample', sample });
  }

  private writeRow(): void {
    this.journal.writeRow(this.trainer.step, this.ownSeconds, this.trainer.tokens);
  }

  private save(): void {
    this.writeRow();
    this.journal.checkpoint(this.trainer, this.ownSeconds);
    this.savedStep = this.trainer.step;
  }

  private endOf(): MemberEnd {
    const { stopping, experiment, step } = this.trainer;
    const { best, bestStep } = stopping.state;
    const bestWas =
      best === null ? '' : ` Best validation loss ${best.toPrecision(4)} at step ${show(bestStep)}.`;
    if (stopping.exhausted)
      return {
        reason: 'early-stopped',
        message: `Validation has not improved ${experiment.training.earlyStopping!.patience} times in a row.${bestWas} Its weights are the best checkpoint.`,
      };
    return { reason: 'finished', message: `Finished ${show(step)} steps.${bestWas}` };
  }

  // ---------------------------------------------------------------- what comes between

  private obey(request: ControlRequest): void {
    const { step } = this.trainer;
    switch (request) {
      case 'stop':
        this.stop();
        break;
      case 'pause':
        if (this.paused) break;
        this.paused = true;
        if (this.blockedSince === null) this.save();
        this.journal.event(step, { kind: 'paused', why: 'asked' });
        this.showNow();
        break;
      case 'resume':
        if (!this.paused) break;
        this.paused = false;
        this.journal.event(step, { kind: 'resumed', fromStep: step });
        this.showNow();
        break;
      case 'checkpoint':
        this.save();
        break;
      case 'probe':
        this.probeAsked = true;
        break;
      default:
        request satisfies never;
    }
  }

  private showNow(): void {
    this.statusAt = 0;
    this.beat(1);
  }

  private lookAtDisk(): void {
    const { outbox } = this.journal;
    const now = performance.now();
    if (outbox.blocked === null || now < this.retryAt) return;
    this.retryAt = now + DISK_RETRY_MILLISECONDS;
    const { step } = this.trainer;
    if (this.blockedSince === null) {
      this.blockedSince = now;
      this.journal.event(step, { kind: 'paused', why: outbox.blocked });
      this.journal.status({ message: `${outbox.blocked} Training goes on when there is room.` });
      this.showNow();
    }
    if (!outbox.flush()) return;
    this.blockedSince = null;
    if (this.ending) {
      this.showEnd(this.ending);
      return;
    }
    this.journal.event(step, { kind: 'resumed', fromStep: step });
    this.journal.status({ message: null });
    this.showNow();
  }

  /** Failures end this run and no other. */
  private guard(work: () => void): void {
    try {
      work();
    } catch (cause) {
      this.fail(cause);
    }
  }

  private fail(cause: unknown): void {
    const message = (cause as Error).message ?? String(cause);
    if (cause instanceof RunFolderGoneError) {
      this.end = { reason: 'failed', message };
      return;
    }
    try {
      if (cause instanceof DivergedError) this.diverge(cause);
      else {
        console.error((cause as Error).stack ?? cause);
        this.finish({
          reason: 'failed',
          message: `Training failed at step ${show(this.trainer.step)}: ${message}`,
        });
      }
    } catch (second) {
      this.end = { reason: 'failed', message: (second as Error).message };
    }
  }

  /** The last good step is saved; the row of the bad one keeps its NaN. */
  private diverge(cause: DivergedError): void {
    const { trainer, journal } = this;
    if (this.savedStep !== trainer.step) this.save();
    journal.gather({ trainLoss: cause.loss, gradNorm: cause.gradNorm });
    journal.writeRow(cause.step, this.ownSeconds, trainer.tokens);
    trainer.trainLoss = cause.loss;
    this.finish({ reason: 'diverged', message: cause.message }, cause.step);
  }

  private finish(end: MemberEnd, step = this.trainer.step): void {
    this.writeRow();
    this.endSeconds = this.ownSeconds;
    this.journal.ended(step, { ...end, ...this.losses }, this.ownSeconds);
    if (this.journal.outbox.blocked !== null && end.reason !== 'stopped') this.ending = end;
    else this.showEnd(end);
  }

  private showEnd(end: MemberEnd): void {
    this.journal.status({
      state: end.reason,
      step: this.trainer.step,
      eta: null,
      message: end.reason === 'failed' || end.reason === 'diverged' ? end.message : null,
    });
    this.end = end;
  }
}

function show(step: number): string {
  return step.toLocaleString('en-US');
}
