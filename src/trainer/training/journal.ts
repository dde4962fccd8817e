// What a run tells the world while it trains: events, series, status and checkpoints, in order, disk full or not.

import type { ScalarColumn } from '../../runs/columns.ts';
import type {
  EndReason,
  JsonNumber,
  RunEvent,
  RunStatus,
  ScalarRange,
  SeriesSidecar,
} from '../../runs/format.ts';
import { toJsonNumber } from '../../runs/json.ts';
import type { RunWriter, SeriesRowAt, SeriesWriter } from '../../runs/writer.ts';
import { Outbox } from './outbox.ts';
import { ScalarLog } from './scalar-log.ts';
import type { Snapshot, Trainer } from './trainer.ts';

export interface Listeners {
  onEvent(event: RunEvent): void;
  onStatus(status: RunStatus): void;
}

type EventBody = RunEvent extends infer E ? (E extends RunEvent ? Omit<E, 'step' | 'time'> : never) : never;

/** By "valAccuracy" and, where the test part was scored, "testAccuracy" …; null where there are none. */
export function metricsAtEnd({
  metrics,
  tested,
}: Pick<Trainer, 'metrics' | 'tested'>): Record<string, JsonNumber> | null {
  const entries = [
    ...Object.entries(metrics ?? {}).map(([name, value]): [string, number] => [
      `val${name[0]!.toUpperCase()}${name.slice(1)}`,
      value,
    ]),
    ...Object.entries(tested ?? {}),
  ];
  if (entries.length === 0) return null;
  return Object.fromEntries(entries.map(([name, value]) => [name, toJsonNumber(value)]));
}

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
  /** what is written at once when `together` ends; null: each thing by itself */
  private batch: { events: RunEvent[]; rows: Map<SeriesWriter, SeriesRowAt[]> } | null = null;

  constructor(writer: RunWriter, listeners: Listeners) {
    this.writer = writer;
    this.listeners = listeners;
  }

  openSeries(sidecars: readonly SeriesSidecar[]): void {
    for (const sidecar of sidecars) this.series.set(sidecar.name, this.writer.series(sidecar.name, sidecar));
  }

  /** `time`: seconds since 1970 */
  event(step: number, body: EventBody, time = Date.now() / 1000): void {
    const event = { step, time, ...body } as RunEvent;
    if (this.batch) this.batch.events.push(event);
    else this.writeEvents([event]);
  }

  /** By the name of the series. */
  rows(step: number, rows: ReadonlyMap<string, Float32Array>): void {
    for (const [name, values] of rows) {
      const series = this.series.get(name);
      if (!series) continue;
      const waiting = this.batch?.rows.get(series);
      if (waiting) waiting.push({ step, values });
      else if (this.batch) this.batch.rows.set(series, [{ step, values }]);
      else this.outbox.write(() => series.row(step, values));
    }
  }

  /** What `work` writes of events and rows goes to each file in one piece. */
  together(work: () => void): void {
    const batch = (this.batch = { events: [], rows: new Map<SeriesWriter, SeriesRowAt[]>() });
    try {
      work();
    } finally {
      this.batch = null;
      for (const [series, rows] of batch.rows) this.outbox.write(() => series.rows(rows));
      this.writeEvents(batch.events);
    }
  }

  /** Scalars of one step, gathered until the row is written. */
  gather(values: object): void {
    for (const name in values) {
      const value = (values as Record<string, number>)[name]!;
      this.log.add(name, value);
      this.last[name] = toJsonNumber(value);
    }
  }

  private noteBest(valLoss: number): void {
    const best = this.last['bestValLoss'];
    if (Number.isFinite(valLoss) && (typeof best !== 'number' || valLoss < best))
      this.last['bestValLoss'] = valLoss;
  }

  /** Of a run that goes on: what lists say of it stays until there is something newer. */
  resumeFrom(scalars: ReadonlyMap<string, Pick<ScalarColumn, 'length' | 'mean'>>): void {
    for (const [name, { length, mean }] of scalars)
      if (length > 0) this.last[name] = toJsonNumber(mean.at(length - 1));
    const validations = scalars.get('valLoss');
    for (let row = 0; row < (validations?.length ?? 0); row++) this.noteBest(validations!.mean.at(row));
  }

  /** Figures of the row that is being made. */
  figure(values: Readonly<Record<string, number>>): void {
    for (const [name, value] of Object.entries(values)) {
      this.last[name] = this.figures[name] = toJsonNumber(value);
      if (name === 'valLoss') this.noteBest(value);
    }
  }

  /** Writes what was gathered, if anything was. */
  writeRow(
    step: number,
    { ownSeconds, tokens, time }: { ownSeconds: number; tokens: number; time?: number },
  ): void {
    const values: Record<string, ScalarRange | JsonNumber> = { ...this.log.take(), ...this.figures };
    this.figures = {};
    if (Object.keys(values).length > 0)
      this.event(step, { kind: 'scalars', values, ownSeconds, tokens }, time);
  }

  checkpoint({ step, valLoss, best, files }: Snapshot): void {
    this.outbox.write(() => this.writer.checkpoint(step, files, { best }));
    this.event(step, { kind: 'checkpoint', best, valLoss });
  }

  ended(
    step: number,
    end: {
      reason: EndReason;
      message: string;
      trainLoss: number | null;
      valLoss: number | null;
      metrics: Trainer['metrics'];
      tested: Trainer['tested'];
    },
    seconds: number,
  ): void {
    const json = (value: number | null) => (value === null ? null : toJsonNumber(value));
    this.event(step, {
      kind: 'ended',
      reason: end.reason,
      message: end.message,
      trainLoss: json(end.trainLoss),
      valLoss: json(end.valLoss),
      metrics: metricsAtEnd(end),
      seconds,
    });
  }

  status(patch: Partial<Omit<RunStatus, 'heartbeat'>>): void {
    this.writer.status({ ...patch, last: { ...this.last } });
    this.listeners.onStatus(this.writer.lastStatus);
  }

  private writeEvents(events: readonly RunEvent[]): void {
    if (events.length === 0) return;
    this.outbox.write(() => {
      this.writer.event(...events);
      for (const event of events) this.listeners.onEvent(event);
    });
  }
}
