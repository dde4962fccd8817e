// One run among those that take turns. Between two pieces of its course may come: pause, stop, a full disk, a folder
// that is gone, numbers that are not finite.
import { RunFolderGoneError } from '../../runs/errors.ts';
import type { ControlRequest, Finding } from '../../runs/format.ts';
import { isSystemError, whyOf } from '../../runs/system-errors.ts';
import type { RunWriter } from '../../runs/writer.ts';
import { readCheckpoint } from './checkpoint.ts';
import { Course, type CourseEnd, show } from './course.ts';
import { DivergedError } from './divergence.ts';
import type { Intervals } from './intervals.ts';
import type { Journal } from './journal.ts';
import type { Trainer } from './trainer.ts';

const STATUS_MILLISECONDS = 150;
/** While nothing moves, a sign of life is enough. */
const IDLE_STATUS_MILLISECONDS = 1000;
const DISK_RETRY_MILLISECONDS = 1000;
/**
 * So often at least, or after each step that takes longer, what the steps have shown is written, requests are heard, and
 * the event loop has its turn.
 */
const TURN_MILLISECONDS = 100;

export class Member {
  /** how it ended; null while it goes on */
  end: CourseEnd | null = null;
  private readonly trainer: Trainer;
  private readonly writer: RunWriter;
  private readonly journal: Journal;
  private readonly course: Course;
  private readonly pieces: Generator<undefined, CourseEnd>;
  /** over, but a full disk has not taken all of it yet */
  private ending: CourseEnd | null = null;
  private paused = false;
  private diskFull = false;
  private ownBefore: number;
  private sliceStart: number | null = null;
  private endSeconds: number | null = null;
  private statusAt = 0;
  private retryAt = 0;

  constructor(
    trainer: Trainer,
    writer: RunWriter,
    journal: Journal,
    from: { ownSeconds: number; found: readonly Finding[]; intervals?: Intervals },
  ) {
    this.trainer = trainer;
    this.writer = writer;
    this.journal = journal;
    this.ownBefore = from.ownSeconds;
    this.course = new Course(trainer, journal, {
      savedStep: writer.latestCheckpoint()?.step ?? -1,
      found: from.found,
      ownSeconds: () => this.ownSeconds,
      bestWeights: () => {
        const best = writer.bestCheckpoint();
        return best && best.step !== trainer.step ? readCheckpoint(best.folder).weights : null;
      },
      intervals: from.intervals,
    });
    this.pieces = this.course.pieces();
  }

  get steps(): number {
    return this.trainer.step;
  }

  get losses(): Pick<Trainer, 'trainLoss' | 'valLoss' | 'metrics' | 'tested'> {
    const { trainLoss, valLoss, metrics, tested } = this.trainer;
    return { trainLoss, valLoss, metrics, tested };
  }

  /** own training time: pauses and other members left out */
  get ownSeconds(): number {
    if (this.endSeconds !== null) return this.endSeconds;
    return this.ownBefore + (this.sliceStart === null ? 0 : (performance.now() - this.sliceStart) / 1000);
  }

  /** Has something to compute. */
  get running(): boolean {
    return !this.end && !this.ending && !this.paused && !this.diskFull;
  }

  /** Works for about so long; `turns`: how many take turns, this one counted. */
  async advance(milliseconds: number, turns: number, signal?: AbortSignal): Promise<void> {
    this.sliceStart = performance.now();
    const end = this.sliceStart + milliseconds;
    try {
      do {
        this.attend();
        this.work(Math.min(end, performance.now() + TURN_MILLISECONDS));
        if (!this.end) this.guard(() => this.course.tell());
        this.beat(turns);
        await new Promise(setImmediate);
      } while (this.running && !signal?.aborted && performance.now() < end);
    } finally {
      this.ownBefore = this.ownSeconds;
      this.sliceStart = null;
    }
  }

  /** At least one piece of the course. */
  private work(until: number): void {
    while (this.running) {
      this.guard(() => {
        const { done, value } = this.pieces.next();
        if (done) this.finish(value);
      });
      if (performance.now() >= until) return;
    }
  }

  /** Hears what is asked, and looks whether a full disk has room again. */
  attend(): void {
    if (this.end) return;
    this.guard(() => {
      for (const request of this.writer.takeControl()) if (!this.end) this.obey(request);
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
      if (!this.diskFull) this.course.save();
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
    const left = this.course.speed.secondsFor(experiment.training.steps - step);
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

  private obey(request: ControlRequest): void {
    switch (request) {
      case 'stop':
        this.stop();
        break;
      case 'pause':
        this.pause();
        break;
      case 'resume':
        if (!this.paused) break;
        this.paused = false;
        this.goOn();
        break;
      case 'checkpoint':
        this.course.save();
        break;
      case 'probe':
        this.course.probeAsked = true;
        break;
      default:
        request satisfies never;
    }
  }

  private pause(): void {
    if (this.paused) return;
    this.paused = true;
    // a paused run may be forgotten for days, or end with the machine
    if (!this.diskFull) this.course.save();
    this.journal.event(this.trainer.step, { kind: 'paused', why: 'asked' });
    this.beatNow();
  }

  private goOn(): void {
    const { step } = this.trainer;
    this.journal.event(step, { kind: 'resumed', fromStep: step });
    this.beatNow();
  }

  private beatNow(): void {
    this.statusAt = Number.NEGATIVE_INFINITY;
    this.beat(1);
  }

  private lookAtDisk(): void {
    const { outbox } = this.journal;
    const now = performance.now();
    if (outbox.blocked === null || now < this.retryAt) return;
    this.retryAt = now + DISK_RETRY_MILLISECONDS;
    if (!this.diskFull) {
      this.diskFull = true;
      this.journal.event(this.trainer.step, { kind: 'paused', why: outbox.blocked });
      const message = `${outbox.blocked} Training goes on when there is room.`;
      // the status stands on the same disk
      this.writer.onWarning(message);
      this.journal.status({ message });
      this.beatNow();
    }
    if (!outbox.flush()) return;
    this.diskFull = false;
    this.journal.status({ message: null });
    if (this.ending) this.showEnd(this.ending);
    else this.goOn();
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
    try {
      if (cause instanceof RunFolderGoneError) this.end = { reason: 'failed', message };
      else if (cause instanceof DivergedError) this.finish(this.course.diverge(cause), cause.step);
      else {
        console.error((cause as Error).stack ?? cause);
        const where = `Training failed at step ${show(this.trainer.step)}`;
        const why = isSystemError(cause)
          ? `${cause.path ?? 'a file'} cannot be used, ${whyOf(cause)}.`
          : message;
        this.finish({ reason: 'failed', message: `${where}: ${why}` });
      }
    } catch (second) {
      this.end = { reason: 'failed', message: (second as Error).message };
    }
  }

  private finish(end: CourseEnd, step = this.trainer.step): void {
    this.course.writeRow();
    this.endSeconds = this.ownSeconds;
    this.journal.ended(step, { ...end, ...this.losses }, this.endSeconds);
    if (this.journal.outbox.blocked !== null && end.reason !== 'stopped') this.ending = end;
    else this.showEnd(end);
  }

  private showEnd(end: CourseEnd): void {
    this.journal.status({
      state: end.reason,
      step: this.trainer.step,
      eta: null,
      message: end.reason === 'failed' || end.reason === 'diverged' ? end.message : null,
    });
    this.end = end;
  }
}
