// One run as the dashboard shows it, kept up to date from a reader at the cost of what is new.
import { sinceThen, stillHolds } from '../../diagnosis/since.ts';
import { triesOf } from '../../experiment/tasks/index.ts';
import type { Curve, CurveName, RunPatch, RunView, ShownState } from '../../protocol/messages.ts';
import { contentionOf } from '../../runs/contention.ts';
import { seedlessKey } from '../../runs/differences.ts';
import type { Finding, RunFile, RunRequest, RunStatus, Sample } from '../../runs/format.ts';
import type { MatrixPlace } from '../../runs/matrix.ts';
import { metricsOf } from '../../runs/metrics.ts';
import { seenUnitOf } from '../../runs/seen-unit.ts';
import { originLines, originTitle } from '../../runs/weights-origin.ts';
import { cellOf } from '../cells.ts';
import { type CurveSource, curveRange, DecimatedCurve } from './decimate.ts';
import { parametersView } from './parameters.ts';
import { ShownSeries } from './views/index.ts';
import type { RowsSource } from './views/projection.ts';

/** What of a RunReader is shown; the fake stream makes one without a disk. */
export interface RunSource {
  readonly request: RunRequest | null;
  readonly run: RunFile | null;
  readonly status: RunStatus | null;
  readonly scalars: ReadonlyMap<string, CurveSource>;
  readonly series: ReadonlyMap<string, RowsSource>;
  readonly samples: readonly { step: number; sample: Sample }[];
  readonly findings: readonly (Finding & { step: number })[];
  readonly checkpoints: readonly { step: number }[];
  readonly ended: { reason: RunView['end']; message: string } | null;
  readonly problems: readonly string[];
}

export interface Life {
  state: ShownState;
  heartbeatAge: number;
}

export interface Place {
  label: string;
  variant: number;
  matrix: MatrixPlace | null;
}

const MAX_POINTS = 1000;
const SHOWN_SAMPLES = 20;
/** taken in at once where others wait for their turn: one or two milliseconds */
const BRIEF_POINTS = 5000;
const BRIEF_ROWS = 100;

export class RunProjection {
  readonly id: string;
  private readonly curves = {
    trainLoss: new DecimatedCurve(MAX_POINTS),
    valLoss: new DecimatedCurve(MAX_POINTS),
  };
  /** of the task's metrics, once they are recorded */
  private readonly metrics = new Map<string, DecimatedCurve>();
  private readonly series = new ShownSeries();
  private readonly sent = new Map<string, unknown>();
  private source: RunSource | null = null;
  private smoothing = 0;

  constructor(id: string) {
    this.id = id;
  }

  /** Takes in what the source has more than before. @returns whether that was all */
  follow(source: RunSource, smoothing: number, isBrief = false): boolean {
    this.source = source;
    this.smoothing = smoothing;
    const [points, rows] = isBrief ? [BRIEF_POINTS, BRIEF_ROWS] : [undefined, undefined];
    return [
      this.curves.trainLoss.follow(source.scalars.get('trainLoss'), smoothing, points),
      this.curves.valLoss.follow(source.scalars.get('valLoss'), 0, points),
      ...this.followMetrics(source, points),
      this.series.follow(source.series, rows),
    ].every(Boolean);
  }

  private followMetrics(source: RunSource, points: number | undefined): boolean[] {
    const request = source.run ?? source.request;
    return (request ? metricsOf(request) : []).map(({ name }) => {
      const column = source.scalars.get(name);
      if (!column) return true;
      let curve = this.metrics.get(name);
      if (!curve) this.metrics.set(name, (curve = new DecimatedCurve(MAX_POINTS)));
      return curve.follow(column, 0, points);
    });
  }

  /** Everything, and remembers that it was sent. */
  whole(source: RunSource, life: Life, place: Place, smoothing: number): RunView {
    this.sent.clear();
    return this.changes(source, life, place, smoothing) as RunView;
  }

  /** What is another than at the last call; null if nothing is. */
  changes(source: RunSource, life: Life, place: Place, smoothing: number): RunPatch | null {
    this.follow(source, smoothing);
    const patch: RunPatch = { id: this.id };
    for (const [field, value] of Object.entries(this.small(source, life, place)))
      if (this.isNew(field, JSON.stringify(value))) Object.assign(patch, { [field]: value });
    for (const name of ['trainLoss', 'valLoss'] as const)
      if (this.isNew(name, this.curves[name].version)) patch[name] = this.curves[name].curve();
    const versions = [...this.metrics].map(([name, { version }]) => `${name} ${version}`);
    if (this.isNew('metrics', versions.join()))
      patch.metrics = Object.fromEntries([...this.metrics].map(([name, curve]) => [name, curve.curve()]));
    if (this.isNew('series', this.series.version)) patch.series = this.series.views();
    return Object.keys(patch).length > 1 ? patch : null;
  }

  range(curve: CurveName, from: number, to: number, points: number): Curve {
    const column = this.source?.scalars.get(curve);
    if (!column) return new DecimatedCurve(1).curve();
    return curveRange(column, from, to, points, curve === 'trainLoss' ? this.smoothing : 0);
  }

  private isNew(field: string, stamp: unknown): boolean {
    if (this.sent.has(field) && this.sent.get(field) === stamp) return false;
    this.sent.set(field, stamp);
    return true;
  }

  private small(source: RunSource, life: Life, place: Place): Partial<RunView> {
    const { run, status } = source;
    const request = run ?? source.request;
    const experiment = request?.experiment;
    const isQuiet = life.state === 'crashed' || life.state === 'silent';
    return {
      label: place.label,
      variant: place.variant,
      matrix: place.matrix,
      cell: experiment ? cellOf(experiment) : null,
      state: life.state,
      step: status?.step ?? 0,
      steps: status?.steps ?? experiment?.training.steps ?? 0,
      elapsed: elapsedOf(source),
      eta: status?.eta ?? null,
      message: status?.message ?? source.ended?.message ?? null,
      end: source.ended?.reason ?? null,
      engine: run ? engineOf(run) : '',
      engineWhy: run?.engineUsed.why ?? '',
      contention: run && contentionOf(status?.last['timeAlone'], run.engineUsed.threads),
      began: request?.weightsFrom
        ? { title: originTitle(request.weightsFrom), lines: originLines(request.weightsFrom) }
        : null,
      last: status?.last ?? {},
      task: run ? { ...run.task, metrics: [...metricsOf(run)] } : null,
      seen: experiment ? seenUnitOf(experiment, run?.task ?? null) : 'time steps',
      seed: experiment?.training.seed ?? 0,
      window: experiment?.training.bptt.window ?? null,
      seedKey: experiment ? seedlessKey(experiment) : '',
      parameters: experiment ? parametersView(experiment, run) : null,
      samples: source.samples.slice(-SHOWN_SAMPLES),
      findings: findingsOf(source),
      lastCheckpoint: source.checkpoints.at(-1)?.step ?? null,
      tryForm: experiment && source.checkpoints.length > 0 ? triesOf(experiment.data) : null,
      heartbeatAge: isQuiet ? Math.round(life.heartbeatAge) : null,
      problems: [...source.problems],
    };
  }
}

/** What still holds, each followed by what came after it. */
function findingsOf({ findings, status }: RunSource): RunView['findings'] {
  const newest = { step: status?.step ?? 0, last: status?.last ?? {} };
  return findings
    .filter(finding => stillHolds(finding, newest))
    .map(finding => {
      const since = sinceThen(finding, newest);
      return since ? { ...finding, message: `${finding.message} ${since}` } : finding;
    });
}

function engineOf({ engineUsed }: RunFile): string {
  const { provider, instructionSet, threads } = engineUsed;
  return [provider, instructionSet, `${threads} thread${threads === 1 ? '' : 's'}`]
    .filter(part => part !== '' && part !== 'none')
    .join(' · ');
}

function elapsedOf({ scalars }: RunSource): number {
  let latest = 0;
  for (const column of scalars.values())
    if (column.length > 0) latest = Math.max(latest, column.seconds.at(column.length - 1));
  return latest;
}
