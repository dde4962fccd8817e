// The course of one run in pieces of about a step: train, validate, sample, save, and what is found on the way.
import { memory } from '@tensorflow/tfjs-core';
import { Diagnosis } from '../../diagnosis/diagnose.ts';
import { RowReader } from '../../diagnosis/rows.ts';
import { plural } from '../../experiment/words.ts';
import type { EndReason, Finding } from '../../runs/format.ts';
import type { NamedTensor } from '../../runs/safetensors.ts';
import { timeAlone } from '../engine/storage.ts';
import type { Model } from '../layers/model.ts';
import type { DivergedError } from './divergence.ts';
import { type Intervals, intervalsOf, isDue } from './intervals.ts';
import type { Journal } from './journal.ts';
import { type PendingStep, Recorder } from './recorder.ts';
import { Speed } from './speed.ts';
import { scoreTest } from './test-part.ts';
import type { Snapshot, Trainer } from './trainer.ts';
import { figuresOf, scorePart } from './validation.ts';

/**
 * Least time between two checkpoints that nobody asked for: the best so far, and those of the default interval. Each costs up
 * to tens of milliseconds of syncing to the disk. A killed worker makes the steps again, to the same bits.
 */
const LEAST_MILLISECONDS = 2000;

export interface CourseEnd {
  reason: EndReason;
  message: string;
}

export class Course {
  readonly speed = new Speed();
  /** look into the next step, whatever is due */
  probeAsked = false;
  private readonly trainer: Trainer;
  private readonly journal: Journal;
  private readonly intervals: Intervals;
  private readonly diagnosis: Diagnosis;
  private readonly ownSeconds: () => number;
  private readonly recorder: Recorder;
  private readonly rowReader: RowReader;
  private readonly bestWeights: () => ReadonlyMap<string, NamedTensor> | null;
  private isTesting = false;
  private savedStep: number;
  private savedAt = Number.NEGATIVE_INFINITY;
  /** the best so far, not written yet */
  private waiting: Snapshot | null = null;
  /** whose row of scalars is not closed: validation may add to it */
  private newest: PendingStep | null = null;

  /**
   * `savedStep`: of the last checkpoint, -1 if there is none; `found`: findings the run already has; `intervals`:
   * others than the experiment's own
   */
  constructor(
    trainer: Trainer,
    journal: Journal,
    from: {
      savedStep: number;
      found: readonly Pick<Finding, 'id' | 'layer'>[];
      ownSeconds: () => number;
      /** of the best validation; null: the model has them */
      bestWeights?: () => ReadonlyMap<string, NamedTensor> | null;
      intervals?: Intervals;
    },
  ) {
    const { experiment, task, model } = trainer;
    this.trainer = trainer;
    this.journal = journal;
    this.intervals =
      from.intervals ??
      intervalsOf(experiment, {
        extraPass: task.outputs === 'every-step',
        validationBatches: task.validationBatches,
      });
    this.diagnosis = new Diagnosis(
      { experiment, task: task.facts, layers: recurrentFacts(model) },
      from.found,
    );
    this.recorder = new Recorder({ experiment, model, task, intervals: this.intervals });
    this.rowReader = new RowReader(this.recorder.sidecars);
    this.savedStep = from.savedStep;
    this.ownSeconds = from.ownSeconds;
    this.bestWeights = from.bestWeights ?? (() => null);
    journal.openSeries(this.recorder.sidecars);
  }

  /** What is due after a step comes in order, and is told in `trainer.todo`, so that any piece may be the last. */
  *pieces(): Generator<undefined, CourseEnd> {
    const { trainer, intervals } = this;
    for (;;) {
      if (trainer.todo === 'validate') {
        if (this.due(intervals.validation)) yield* this.validate();
        trainer.todo = 'sample';
      }
      const over = this.last || trainer.stopping.exhausted;
      if (trainer.todo === 'sample') {
        if (over) this.writeRow();
        if (this.due(intervals.sample) || over) yield* this.sample();
        trainer.todo = 'step';
        const isBest = trainer.step > 0 && trainer.stopping.state.bestStep === trainer.step;
        if (over || (this.due(intervals.checkpoint) && this.maySave)) this.save();
        else if (isBest) this.saveSoon();
      }
      if (over) {
        if (this.savedStep !== trainer.step) this.save();
        yield* this.test();
        return this.end();
      }
      this.step();
      yield;
    }
  }

  save(): void {
    // the model has its best weights now; its last ones are saved
    if (this.isTesting) return;
    this.writeRow();
    const { step, stopping } = this.trainer;
    if (this.waiting && this.waiting.step < step && this.waiting.step === stopping.state.bestStep)
      this.write(this.waiting);
    this.write(this.trainer.snapshot(this.ownSeconds()));
  }

  /** Whether one that is due is written: always at the interval that an experiment asks for. */
  private get maySave(): boolean {
    if (this.trainer.experiment.training.checkpoint.every !== undefined) return true;
    return performance.now() - this.savedAt >= LEAST_MILLISECONDS;
  }

  private saveSoon(): void {
    this.writeRow();
    this.waiting = null;
    this.waiting = this.trainer.snapshot(this.ownSeconds());
    this.writeWaiting();
  }

  private writeWaiting(): void {
    if (this.waiting && performance.now() - this.savedAt >= LEAST_MILLISECONDS) this.write(this.waiting);
  }

  private write(snapshot: Snapshot): void {
    this.waiting = null;
    this.journal.checkpoint(snapshot);
    this.savedStep = snapshot.step;
    this.savedAt = performance.now();
  }

  /** The last good step is saved; the row of the bad one keeps its NaN. */
  diverge({ step, loss, gradNorm, message, where }: DivergedError): CourseEnd {
    const { trainer, journal } = this;
    this.tell();
    if (this.savedStep !== trainer.step) this.save();
    journal.gather({ trainLoss: loss, gradNorm });
    journal.writeRow(step, { ownSeconds: this.ownSeconds(), tokens: trainer.tokens });
    trainer.trainLoss = loss;
    this.found(step, this.diagnosis.diverged({ step, message, tensor: where }));
    return { reason: 'diverged', message };
  }

  private get last(): boolean {
    return this.trainer.step >= this.trainer.experiment.training.steps;
  }

  private due(every: number): boolean {
    return this.trainer.step > 0 && (this.last || isDue(this.trainer.step, every));
  }

  /** Writes what the steps so far have shown, in one piece; a row that validation belongs to stays open. */
  tell(): void {
    const open = this.trainer.todo === 'validate' && this.due(this.intervals.validation);
    let written: readonly PendingStep[] = [];
    if (!this.recorder.isEmpty || this.newest !== null)
      this.journal.together(() => {
        written = this.settle();
        if (!open) this.closeRow();
      });
    this.giveBack(written);
    this.writeWaiting();
  }

  /** The same, and what was gathered since the last row, due or not. */
  writeRow(): void {
    this.tell();
    this.journal.writeRow(this.trainer.step, {
      ownSeconds: this.ownSeconds(),
      tokens: this.trainer.tokens,
    });
  }

  private step(): void {
    const { trainer } = this;
    const next = trainer.step + 1;
    const look = this.recorder.look(next, this.probeAsked);
    this.probeAsked = false;
    const figures = trainer.advance(look);
    this.recorder.push({
      step: next,
      figures,
      tokens: trainer.tokens,
      waited: trainer.waited,
      stepped: trainer.stepped,
      ownSeconds: this.ownSeconds(),
      time: Date.now() / 1000,
    });
  }

  /** All that was shown goes its ways; the row of the newest step stays open. */
  private settle(): readonly PendingStep[] {
    const steps = this.recorder.take();
    for (const shown of steps) {
      this.closeRow();
      this.show(shown);
      this.newest = shown;
    }
    return steps;
  }

  /** What waits for a full disk keeps its arrays. */
  private giveBack(steps: readonly PendingStep[]): void {
    if (this.journal.outbox.blocked === null) this.recorder.giveBack(steps);
  }

  private closeRow(): void {
    const { newest } = this;
    this.newest = null;
    if (newest && isDue(newest.step, this.intervals.log)) this.journal.writeRow(newest.step, newest);
  }

  private show(shown: PendingStep): void {
    const { step, figures, rows } = shown;
    const { journal } = this;
    journal.gather(figures);
    const { trainLoss, gradNorm } = figures;
    journal.rows(step, rows);
    const { flow = [], gates = [], dead = [] } = this.rowReader.read(rows);
    this.found(step, this.diagnosis.observe({ step, trainLoss, gradNorm, flow, gates, dead }));
    if (this.speed.observe(shown) && this.speed.tokens !== null) {
      const alone = timeAlone();
      journal.figure({
        tokensPerSecond: this.speed.tokens,
        waiting: this.speed.waiting!,
        memoryBytes: process.memoryUsage.rss(),
        tensorBytes: memory().numBytes,
        ...(alone !== null && { timeAlone: alone }),
      });
    }
  }

  private *validate(): Generator<undefined, void> {
    const { trainer, journal } = this;
    this.giveBack(this.settle());
    const open = this.newest;
    this.newest = null; // validation takes several turns, and its figures belong into the row of the step
    const score = yield* scorePart(trainer.model, trainer.task, trainer.task.validation());
    if (!score) {
      this.newest = open;
      return;
    }
    const figures = figuresOf(trainer.task, score);
    const valLoss = figures['valLoss']!;
    const { valLoss: _, ...metrics } = figures;
    trainer.metrics = metrics;
    trainer.observeValidation(valLoss);
    journal.figure(figures);
    this.writeRow();
    this.found(trainer.step, this.diagnosis.observe({ step: trainer.step, valLoss }));
  }

  /** The test part, scored once with the best weights. */
  private *test(): Generator<undefined, void> {
    this.isTesting = true;
    const figures = yield* scoreTest(this.trainer, this.bestWeights());
    this.isTesting = false;
    if (!figures) return;
    this.trainer.tested = figures;
    this.journal.figure(figures);
    this.writeRow();
  }

  private *sample(): Generator<undefined, void> {
    const { trainer, journal } = this;
    this.tell();
    const varied = trainer.augmentedSample;
    if (varied) journal.event(trainer.step, { kind: 'sample', sample: varied });
    const sample = yield* trainer.task.sample(trainer.model, trainer.step);
    if (sample) journal.event(trainer.step, { kind: 'sample', sample });
  }

  private found(step: number, findings: readonly Finding[]): void {
    for (const finding of findings) this.journal.event(step, { kind: 'finding', finding });
  }

  private end(): CourseEnd {
    const { stopping, experiment, step } = this.trainer;
    const { best, bestStep } = stopping.state;
    const testLoss = this.trainer.tested?.['testLoss'];
    const test = testLoss === undefined ? '' : ` Test loss ${testLoss.toPrecision(4)}`;
    const bestWas =
      best === null
        ? test && `${test}.`
        : ` Best validation loss ${best.toPrecision(4)} at step ${show(bestStep)}.${test && `${test} with its weights.`}`;
    if (!stopping.exhausted)
      return { reason: 'finished', message: `Finished ${plural(step, 'step')}.${bestWas}` };
    const { patience } = experiment.training.earlyStopping!;
    return {
      reason: 'early-stopped',
      message: `Validation has not improved ${plural(patience, 'time')} in a row.${bestWas} Its weights are the best checkpoint.`,
    };
  }
}

export function show(step: number): string {
  return step.toLocaleString('en-US');
}

function recurrentFacts({ levels }: Model) {
  return levels.filter(({ family }) => family === 'recurrent').map(({ name, units }) => ({ name, units }));
}
