// What a run tells the world while it trains: events, series, status and checkpoints, in order, disk full or not.
import type { EndReason, JsonNumber, RunEvent, RunStatus, ScalarRange } from '../../runs/format.ts';
import { toJsonNumber } from '../../runs/json.ts';
import type { RunWriter, SeriesWriter } from '../../runs/writer.ts';
import { rectifiedLayers } from '../probes/dead-units.ts';
import { type SeriesRow, sidecarsOf } from '../probes/recorder.ts';
import type { Intervals } from './intervals.ts';
import { Outbox } from './outbox.ts';
import { ScalarLog } from './scalar-log.ts';
import type { Trainer } from './trainer.ts';

export interface Listeners {
  onEvent(event: RunEvent): void;
  onStatus(status: RunStatus): void;
}

type EventBody = RunEvent extends infer E ? (E extends RunEvent ? Omit<E, 'step' | 'time'> : never) : never;

export class Journal {
  readonly outbox = new Outbox();
  /** newest values, for the status */
  readonly last: Record<string, JsonNumber> = {};
  private readonly writer: RunWriter;
  private readonly listeners: Listeners;
  private readonly log = new ScalarLog();
  /** figures of this row that have one value */
  private figures: Record<string, JsonNumber> = {};
  private series = new Map<string, SeriesWriter>();

  constructor(writer: RunWriter, listeners: Listeners) {
    this.writer = writer;
    this.listeners = listeners;
  }

  openSeries({ experiment, model, task }: Trainer, intervals: Intervals): void {
    for (const sidecar of sidecarsOf(model, rectifiedLayers(experiment), task, intervals))
      this.series.set(sidecar.name, this.writer.series(sidecar.name, sidecar));
  }

  event(step: number, body: EventBody): void {
    const event = { step, time: Date.now() / 1000, ...body } as RunEvent;
    this.outbox.write(() => {
      this.writer.event(event);
      this.listeners.onEvent(event);
    });
  }

  rows(step: number, rows: readonly SeriesRow[]): void {
    for (const { name, values } of rows) {
      const series = this.series.get(name);
      if (series) this.outbox.write(() => series.row(step, values));
    }
  }

  /** Scalars of one step, gathered until the row is written. */
  gather(values: object): void {
    for (const [name, value] of Object.entries(values) as [string, number][]) {
      this.log.add(name, value);
      this.last[name] = toJsonNumber(value);
    }
  }

  /** Figures of the row that is being made. */
  figure(values: Readonly<Record<string, number>>): void {
    for (const [name, value] of Object.entries(values))
      this.last[name] = this.figures[name] = toJsonNumber(value);
  }

  /** Writes what was gathered, if anything was. */
  writeRow(step: number, ownSeconds: number, tokens: number): void {
    const values: Record<string, ScalarRange | JsonNumber> = { ...this.log.take(), ...this.figures };
    this.figures = {};
    if (Object.keys(values).length > 0) this.event(step, { kind: 'scalars', values, ownSeconds, tokens });
  }

  checkpoint(trainer: Trainer, ownSeconds: number): void {
    const { step, valLoss, stopping } = trainer;
    const best = step > 0 && stopping.state.bestStep === step;
    const files = trainer.checkpoint(ownSeconds);
    this.outbox.write(() => this.writer.checkpoint(step, files, { best }));
    this.event(step, { kind: 'checkpoint', best, valLoss });
  }

  ended(
    step: number,
    end: { reason: EndReason; message: string; trainLoss: number | null; valLoss: number | null },
    seconds: number,
  ): void {
    const json = (value: number | null) => (value === null ? null : toJsonNumber(value));
    this.event(step, {
      kind: 'ended',
      ...end,
      trainLoss: json(end.trainLoss),
      valLoss: json(end.valLoss),
      seconds,
    });
  }

  status(patch: Partial<Omit<RunStatus, 'heartbeat'>>): void {
    this.writer.status({ ...patch, last: { ...this.last } });
    this.listeners.onStatus(this.writer.lastStatus);
  }
}
