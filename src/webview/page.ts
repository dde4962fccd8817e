// What every section of the page can see and do.

import type { PageConnection } from '../protocol/connection.ts';
import type { DashboardState, RunView } from '../protocol/messages.ts';
import type { SeedView } from './seeds.ts';
import type { Theme } from './theme.ts';

export type Axis = 'step' | 'seconds' | 'tokens';

/** What a person chose; survives a reload of the page. */
export interface UiState {
  scale: 'log' | 'linear';
  axis: Axis;
  smoothing: number;
  run: string | null;
  /** index from the input; null: the last layer */
  layer: string | null;
  /** series that the heat map shows */
  map: string;
  equal: 'units' | 'parameters';
  /** by section: its data table stands in place of the chart */
  tables: Partial<Record<string, boolean>>;
  follow: boolean;
  zoom: { from: number; to: number } | null;
  /** of runs on several data: the data that are shown; null: the first */
  data: string | null;
  /** the metric that the first chart draws; null: the loss */
  metric: string | null;
  allSamples: boolean;
  /** runs that differ in their seed alone */
  seeds: SeedView;
  /** ids of runs that are not drawn */
  hidden: string[];
  /** the table of runs: by the name of a column, "run" or "difference"; null: as they are */
  sort: { by: string; down: boolean } | null;
}

export const FIRST_UI: UiState = {
  scale: 'log',
  axis: 'step',
  smoothing: 0.9,
  run: null,
  layer: null,
  map: 'gradient-flow',
  equal: 'units',
  tables: {},
  follow: true,
  zoom: null,
  data: null,
  metric: null,
  allSamples: false,
  seeds: 'range',
  hidden: [],
  sort: null,
};

/** Where the reading lines stand; null: nowhere. */
export interface Reading {
  step: number | null;
  t: number | null;
}

export interface Page {
  /** runs of one model with several seeds stand as one, of several data those of one; `members` has each */
  readonly state: DashboardState;
  readonly members: readonly RunView[];
  readonly ui: UiState;
  readonly theme: Theme;
  readonly reading: Reading;
  readonly connection: PageConnection;
  readonly isWide: boolean;
  /** those of `state.runs` that are drawn; of seeds that are partly hidden, the mean of the others */
  readonly visible: readonly RunView[];
  /** the run that flow, parameters and sample are about */
  readonly chosen: RunView | null;
  /** id of the run that stands out, while a pointer or the focus is on its name */
  readonly highlighted: string | null;
  isHidden(run: RunView): boolean;
  toggle(run: RunView): void;
  /** Shows this run alone; all, when it is alone already. */
  solo(run: RunView): void;
  highlight(id: string | null): void;
  setUi(patch: Partial<UiState>): void;
  setReading(reading: Partial<Reading>, spoken?: string): void;
  announce(text: string): void;
  /** Puts the keyboard focus on a section; one that is not there is passed over. */
  focus(section: string): void;
}

export interface Section {
  readonly element: HTMLElement;
  render(): void;
  /** only the reading lines moved */
  renderReading?(): void;
}

/** An earlier page may have been of another version: what does not fit is left at its default. */
export function uiFrom(saved: unknown): UiState {
  const ui = { ...FIRST_UI };
  if (typeof saved !== 'object' || saved === null) return ui;
  const old = saved as Partial<Record<keyof UiState, unknown>>;
  if (old.scale === 'linear') ui.scale = 'linear';
  if (old.axis === 'seconds' || old.axis === 'tokens') ui.axis = old.axis;
  if (typeof old.smoothing === 'number' && old.smoothing >= 0 && old.smoothing < 1)
    ui.smoothing = Math.min(0.99, old.smoothing);
  if (typeof old.run === 'string') ui.run = old.run;
  if (typeof old.layer === 'string') ui.layer = old.layer;
  if (typeof old.map === 'string') ui.map = old.map;
  if (old.equal === 'parameters') ui.equal = 'parameters';
  if (typeof old.tables === 'object' && old.tables !== null) ui.tables = { ...old.tables };
  if (old.follow === false) ui.follow = false;
  const zoom = old.zoom as { from?: unknown; to?: unknown } | null | undefined;
  if (typeof zoom?.from === 'number' && typeof zoom.to === 'number')
    ui.zoom = { from: zoom.from, to: zoom.to };
  if (typeof old.data === 'string') ui.data = old.data;
  if (typeof old.metric === 'string') ui.metric = old.metric;
  if (old.allSamples === true) ui.allSamples = true;
  if (old.seeds === 'sd' || old.seeds === 'each') ui.seeds = old.seeds;
  if (Array.isArray(old.hidden)) ui.hidden = old.hidden.filter(id => typeof id === 'string');
  const sort = old.sort as { by?: unknown; down?: unknown } | null | undefined;
  if (typeof sort?.by === 'string') ui.sort = { by: sort.by, down: sort.down === true };
  return ui;
}

/** Runs that stay hidden on pages that are opened later, the latest. */
const MOST_HIDDEN = 200;

/** What is kept for pages that are opened later. */
const CHOICES = [
  'scale',
  'axis',
  'smoothing',
  'map',
  'equal',
  'tables',
  'metric',
  'seeds',
  'allSamples',
  'hidden',
] as const satisfies readonly (keyof UiState)[];

export function choicesOf(ui: UiState): string {
  const kept = { ...ui, hidden: ui.hidden.slice(-MOST_HIDDEN) };
  return JSON.stringify(Object.fromEntries(CHOICES.map(name => [name, kept[name]])));
}

export function isLiving(run: RunView): boolean {
  return run.state === 'starting' || run.state === 'training' || run.state === 'paused';
}
