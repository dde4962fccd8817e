// The conversation between extension and dashboard: two maps, one a direction. Names are stable strings;
// every entry tells its effect. Curves cross as columns that the host has already decimated (min/max).
import type { CellName } from '../experiment/schema.ts';
import type {
  EndReason,
  Finding,
  Fix,
  JsonNumber,
  LayerCount,
  RunState,
  Sample,
  TaskFacts,
} from '../runs/format.ts';

/** What a reader makes of a run: its own state, or that its writer is gone. */
export type ShownState = RunState | 'crashed' | 'silent';

/** A curve, decimated to at most a few points per pixel; columns of equal length. NaN stands for no finite value. */
export interface Curve {
  step: Float64Array;
  /** own training seconds and tokens seen at that step, for the other x axes */
  seconds: Float64Array;
  tokens: Float64Array;
  mean: Float32Array;
  min: Float32Array;
  max: Float32Array;
  /** steps at which the value was NaN or infinite */
  broken: Float64Array;
}

/** Rows of a series with a time axis: newest last, `steps.length` rows of `width` values. */
export interface Rows {
  steps: Float64Array;
  width: number;
  values: Float32Array;
}

export interface FlowView {
  layers: { name: string; cell: CellName; units: number }[];
  seqLen: number;
  /** "reach": ∂L_T/∂h_t of the loss at the last step alone; "full": of the training loss itself */
  kind: 'reach' | 'full';
  /** row = [layer][t] */
  rows: Rows;
}

export interface GatesView {
  layers: { name: string; cell: CellName; units: number; gates: string[] }[];
  seqLen: number;
  /** newest row only, [layer][gate][t], mean over units and batch; gates of layers without any are left out */
  latest: Float32Array;
  step: number;
}

export interface ParameterView {
  cell: CellName;
  units: number;
  total: number;
  input: number;
  recurrent: number;
  bias: number;
  formula: string;
  /** the same layer counted with one bias per gate */
  oneBias: number;
}

export interface ParametersView {
  convention: string;
  note: string;
  equalUnits: ParameterView[];
  /** units chosen so that no cell exceeds the largest count */
  equalParameters: ParameterView[];
  layers: LayerCount[];
  total: number;
}

export interface RunView {
  id: string;
  label: string;
  cell: CellName | null;
  /** distinguishes runs of one cell kind: 0 for the first */
  variant: number;
  state: ShownState;
  step: number;
  steps: number;
  elapsed: number;
  eta: number | null;
  message: string | null;
  end: EndReason | null;
  engine: string;
  last: Record<string, JsonNumber>;
  task: TaskFacts;
  trainLoss: Curve;
  valLoss: Curve;
  flow: FlowView | null;
  gates: GatesView | null;
  samples: { step: number; sample: Sample }[];
  findings: (Finding & { step: number })[];
  lastCheckpoint: number | null;
  /** seconds since this reader last saw a sign of life; for crashed and silent */
  heartbeatAge: number | null;
}

export interface DashboardState {
  /** what is shown: the name of the run or comparison; null shows the empty state */
  title: string | null;
  subtitle: string;
  groupId: string | null;
  runs: RunView[];
  parameters: ParametersView | null;
  /** null: training is allowed; else the sentence that says why not */
  restricted: string | null;
}

/** From the extension to the page. */
export interface HostEvents {
  /** Replaces everything the page shows. Sent on `page/ready` and when another run is chosen. */
  'state/replace': DashboardState;
  /** Replaces the named runs of what is shown, and nothing else; at most four a second. */
  'state/update': { runs: RunView[] };
  /** Puts the keyboard focus on a section, e.g. after "Show gradient flow". */
  'view/focus': { section: 'loss' | 'flow' | 'gates' | 'parameters' | 'sample' };
}

/** From the page to the extension: name → parameters and result. */
export interface PageRequests {
  /** The page can receive; answered by `state/replace`. */
  'page/ready': { params: { width: number }; result: null };
  /** Finer points of all curves between two steps, for a zoomed chart. */
  'curve/range': {
    params: { runId: string; curve: 'trainLoss' | 'valLoss'; from: number; to: number; points: number };
    result: Curve;
  };
  /** Every written row of a curve, for the data table. */
  'run/control': {
    params: { runIds: string[]; action: 'pause' | 'resume' | 'stop' | 'checkpoint' };
    result: null;
  };
  /** Continues crashed or stopped runs from their last checkpoint. */
  'run/continue': { params: { runIds: string[] }; result: null };
  /** Edits the experiment in its editor as the finding proposes, without saving. */
  'finding/fix': { params: { runId: string; fix: Fix }; result: null };
  /** Runs one of the extension's commands: the buttons of the empty state and the overflow menu. */
  'command/run': {
    params: {
      command:
        | 'train'
        | 'compare'
        | 'openSample'
        | 'openTab'
        | 'export'
        | 'openExperiment'
        | 'openFolder'
        | 'trust';
      runId?: string;
    };
    result: null;
  };
}

export type HostEventName = keyof HostEvents;
export type PageRequestName = keyof PageRequests;
