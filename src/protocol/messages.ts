// The conversation between extension and dashboard: two maps, one a direction. Names are stable strings;
// every entry tells its effect. Curves cross as columns that the host has already decimated (min/max).
import type { TryForm } from '../experiment/tasks/kind.ts';
import type {
  EndReason,
  Finding,
  Fix,
  JsonNumber,
  LayerCount,
  RunState,
  Sample,
  SeriesLevel,
  TaskFacts,
} from '../runs/format.ts';
import type { MatrixPlace } from '../runs/matrix.ts';
import type { SeenUnit } from '../runs/seen-unit.ts';
import type { Tried } from '../runs/tried.ts';

export type { TryForm } from '../experiment/tasks/kind.ts';
export type { Finding, Fix, JsonNumber, Metric, Sample, SeriesLevel } from '../runs/format.ts';

export type { Tried, TriedStates } from '../runs/tried.ts';

/** What a reader makes of a run: its own state, or that its writer is gone. */
export type ShownState = RunState | 'crashed' | 'silent';

/** The name of a scalar: "trainLoss", "valLoss", or a metric of the task. */
export type CurveName = string;

/**
 * A curve, decimated to at most a few points per pixel; columns of equal length. Every point stands for
 * `rowsPerPoint` written rows: their mean and extremes (NaN: none of them was finite) and, at its end, the
 * smoothed value.
 */
export interface Curve {
  step: Float64Array;
  /** own training seconds and tokens seen at that step, for the other x axes */
  seconds: Float64Array;
  tokens: Float64Array;
  mean: Float32Array;
  min: Float32Array;
  max: Float32Array;
  /** bias-corrected exponential mean of all written rows up to here, of the asked smoothing */
  smooth: Float32Array;
  rowsPerPoint: number;
  /** the first steps at which the value was NaN or infinite */
  broken: Float64Array;
}

/** One picture of the gradient over time step × training step, as ratios to the value at the last time step. */
export interface FlowView {
  /** of the series: "gradient-flow" is ∂L_T/∂h_t of the loss at the last step alone, "gradient-flow-full" of the training loss */
  name: string;
  layers: SeriesLevel[];
  /** for people: "LSTM 1", "LSTM 2", "dense" */
  titles: string[];
  /** the one to show first: an index into `layers` */
  main: number;
  seqLen: number;
  /** step of each row, oldest first; several recorded rows are pooled into one by their largest value */
  steps: Float64Array;
  /** [row][layer][t], NaN where the gradient was not finite */
  ratios: Float32Array;
  /** [row][layer]: steps back that stay above 1 %, median of 9 rows; NaN: none */
  contour: Float32Array;
  /** per layer, median over the newest ten rows before any divergence; null before the first row */
  reach: (number | null)[];
  /** the profile of the same ten rows: median ratio, [layer][t] */
  profile: Float32Array;
}

export interface GatesView {
  /** of the series: "gates" */
  name: string;
  layers: SeriesLevel[];
  seqLen: number;
  step: number;
  /** `layer` is an index into `layers` */
  gates: { layer: number; name: string }[];
  /** newest row: mean over units and batch, [gate][t] */
  mean: Float32Array;
  /** per layer with memory: the gate that keeps, its mean over t, and ln ½ / ln of that mean (null: never) */
  halfLife: { layer: number; gate: number; mean: number; steps: number | null }[];
}

/** What recurrent matrices do to lengths, over training. */
export interface SpectrumView {
  /** of the series: "spectrum" */
  name: string;
  /** "layers.1.0", of gates "layers.1.0 f" */
  maps: string[];
  /** step of each row, oldest first */
  steps: Float64Array;
  /** [row][map][3]: spectral radius, largest singular value, largest by smallest singular value */
  figures: Float32Array;
}

/** What is drawn of a run's series, by the view that their sidecars name. */
export interface SeriesViews {
  'time-map': FlowView[];
  gates: GatesView[];
  spectrum: SpectrumView[];
}
export type ViewName = keyof SeriesViews;

/** A layer kind as screens show it. */
export interface CellView {
  type: string;
  title: string;
  /** of the theme colour `unroll.…`: its own where everyone knows the cell, else its family's */
  hue: string;
  /** place among the cells that everyone knows, from 0; null: its family has the marker */
  classic: number | null;
  hasGates: boolean;
}

export interface ParameterView {
  cell: CellView;
  /** null: as many as its input is wide */
  units: number | null;
  total: number;
  /** weights of the input, of the previous state, and biases; null for a layer that is not made of these */
  parts: { input: number; recurrent: number; bias: number } | null;
  formula: string;
  /** the same layer as tfjs and textbooks count it: one bias per gate */
  oneBias: number;
}

export interface ParametersView {
  convention: string;
  note: string;
  /** name of the layer that is compared, e.g. "layers.1"; null: none that reads across steps has a known input */
  layer: string | null;
  /** the layer and the cells that everyone knows in its place; empty without one */
  equalUnits: ParameterView[];
  /** units chosen so that no cell exceeds the largest count */
  equalParameters: ParameterView[];
  layers: LayerCount[];
  total: number;
}

export interface RunView {
  id: string;
  label: string;
  /** of the first layer that reads across steps; null: there is none */
  cell: CellView | null;
  /** distinguishes runs of one hue: 0 for the first */
  variant: number;
  state: ShownState;
  step: number;
  steps: number;
  /** own training seconds */
  elapsed: number;
  eta: number | null;
  message: string | null;
  end: EndReason | null;
  /** such as "reference · 1 thread"; empty before the start */
  engine: string;
  engineWhy: string;
  /** what other programs took of its processors, a sentence; null: nothing worth a word */
  contention: string | null;
  /** where its first weights came from, and what of it was taken; null: they were drawn */
  began: { title: string; lines: string[] } | null;
  last: Record<string, JsonNumber>;
  task: TaskFacts | null;
  /** what its speed counts */
  seen: SeenUnit;
  seed: number;
  /** steps that the gradient flows back at most; null: it is not cut */
  window: number | null;
  /** equal for runs that differ in their seed alone; empty before the request is read */
  seedKey: string;
  /** its place among runs on several data; null: all learn from the same */
  matrix: MatrixPlace | null;
  trainLoss: Curve;
  valLoss: Curve;
  /** of the task's metrics that were recorded, by name */
  metrics: Readonly<Record<string, Curve>>;
  series: SeriesViews;
  parameters: ParametersView | null;
  samples: { step: number; sample: Sample }[];
  findings: (Finding & { step: number })[];
  lastCheckpoint: number | null;
  /** how one input is given to it by hand; null: nothing is, or there are no weights yet */
  tryForm: TryForm | null;
  /** seconds since this reader last saw a sign of life; for crashed and silent */
  heartbeatAge: number | null;
  /** what of the folder could not be read */
  problems: string[];
}

/** What changed of one run; the rest stays as it is. */
export type RunPatch = Pick<RunView, 'id'> & Partial<RunView>;

/** The comparison as a table; one row for the seeds of a model, and each run by itself. */
export interface ComparisonView {
  /** in the order of their rank: where there is little room, the last go first */
  columns: { name: string; title: string }[];
  rows: ComparisonRow[];
  each: ComparisonRow[];
  /** id of a run of the pinned row; null: differences are to the best */
  baseline: string | null;
  /** of a grid: what each factor does by itself to the best loss */
  effects: {
    factor: string;
    levels: { value: string; runs: number; mean: string; effect: string }[];
  }[];
}

export interface ComparisonRow {
  /** ids */
  runs: string[];
  label: string;
  seeds: number;
  isBaseline: boolean;
  /** by column; value null: nothing was measured */
  cells: { text: string; value: number | null }[];
  /** of the best loss to the baseline's; `p` of an exact paired test over the seeds */
  difference: { text: string; share: string; value: number; p: string | null; pairs: number } | null;
}

export interface DashboardState {
  /** what is shown: the name of the run or comparison; null shows the empty state */
  title: string | null;
  subtitle: string;
  /** ids of the runs that were chosen; null: the newest run or comparison is followed */
  pinned: string[] | null;
  runs: RunView[];
  comparison: ComparisonView;
  /** the experiment that the empty state offers to train, e.g. "emma.rnn.json" */
  offer: string | null;
  /** null: training is allowed; else the sentence that says why not */
  restricted: string | null;
  /** the workspace is not trusted, and trusting it would allow training */
  untrusted: boolean;
}

/** From the extension to the page. */
export interface HostEvents {
  /** Replaces everything the page shows. Sent on `page/ready` and when another run is chosen. */
  'state/replace': DashboardState;
  /** Changes the named runs of what is shown, and nothing else; at most four a second. */
  'state/update': { runs: RunPatch[]; comparison?: ComparisonView };
  /** Puts the keyboard focus on a section, e.g. "flow" after "Show gradient flow"; one that the page does not have is passed over. */
  'view/focus': { section: string };
}

export type RunAction = 'pause' | 'resume' | 'stop' | 'checkpoint';

/** PNG as base64, the others as text. */
export type ChartFormat = 'png' | 'svg' | 'csv';

export type PageCommand =
  | 'train'
  | 'compare'
  | 'openSample'
  | 'openTab'
  | 'followNewest'
  | 'copyComparison'
  | 'saveComparison'
  | 'export'
  | 'openExperiment'
  | 'openFolder'
  | 'trust';

/** One input for a trained run, and how symbols are written. */
export interface TryGiven {
  text?: string;
  /** of the run's data, from 1 */
  row?: number;
  /** a WAV file, which the extension asks for */
  sound?: true;
  length?: number;
  beams?: number;
  temperature?: number;
  topK?: number;
  topP?: number;
  seed?: number;
}

/** From the page to the extension: name → parameters and result. */
export interface PageRequests {
  /** The page can receive; answered by `state/replace`. */
  'page/ready': { params: { smoothing: number }; result: null };
  /** Smooths all curves anew; answered by `state/update`. */
  'curve/smooth': { params: { smoothing: number }; result: null };
  /** Finer points of one curve between two steps, for a zoomed chart. */
  'curve/range': {
    params: { runId: string; curve: CurveName; from: number; to: number; points: number };
    result: Curve;
  };
  /** Asks the workers of these runs to pause, go on, stop or write a checkpoint. */
  'run/control': { params: { runIds: string[]; action: RunAction }; result: null };
  /** Continues crashed or stopped runs from their last checkpoint. */
  'run/continue': { params: { runIds: string[] }; result: null };
  /** Differences of the comparison are to the row of this run; null: to the best. Answered by `state/update`. */
  'comparison/pin': { params: { runId: string | null }; result: null };
  /** What a person chose on the page before, in this or another tab; null: nothing yet. */
  'choices/load': { params: Record<string, never>; result: string | null };
  /** Keeps what a person chose, for pages that are opened later. */
  'choices/save': { params: { choices: string }; result: null };
  /** Asks where to save, and saves the picture or the table of a chart. */
  'chart/save': { params: { name: string; format: ChartFormat; content: string }; result: null };
  /** Edits the experiment in its editor as the finding proposes, without saving. */
  'finding/fix': { params: { runId: string; fix: Fix }; result: null };
  /** Asks a trained run by a process of its own; null: no sound file was chosen. A newer question ends an older one. */
  'run/try': { params: { runId: string; given: TryGiven }; result: Tried | null };
  /** Runs one of the extension's commands: the buttons of the empty state and the overflow menu. */
  'command/run': { params: { command: PageCommand; runId?: string }; result: null };
}

export type HostEventName = keyof HostEvents;
export type PageRequestName = keyof PageRequests;
export type ParamsOf<N extends PageRequestName> = PageRequests[N]['params'];
export type ResultOf<N extends PageRequestName> = PageRequests[N]['result'];
