// How a run reads in the tree, the status bar and messages. Pure.
import { kindOf } from '../../experiment/layers/index.ts';
import { cellsTitle, firstCell } from '../../experiment/models.ts';
import type { Metric, RunRequest, RunStatus } from '../../runs/format.ts';
import { fromJsonNumber } from '../../runs/json.ts';
import type { LifeState } from '../../runs/life.ts';
import type { RunLabel } from '../../runs/list.ts';
import { metricText } from '../../runs/metric-text.ts';
import { ago, clock, count, loss, plain, stateWord } from '../text.ts';

export interface Described {
  name: string;
  request: Pick<RunRequest, 'group' | 'experiment' | 'createdAt'>;
  status: RunStatus;
  state: LifeState;
  /** the task's own first */
  metric: Metric | null;
}

/** `isWaiting`: a queued run that nobody will start is told apart. */
export function runDescription(run: Described, now: number, isWaiting = true): string {
  const { status, state } = run;
  const parts: string[] = [];
  if (state === 'queued') parts.push(isWaiting ? 'queued' : 'not started');
  else if (state === 'training') parts.push(progress(status));
  else if (state === 'crashed' || state === 'silent' || state === 'diverged' || state === 'paused')
    parts.push(`${stateWord(state)} at step ${count(status.step)}`);
  else parts.push(stateWord(state));
  const metric = firstMetric(run);
  if (status.last['valLoss'] !== undefined) parts.push(`val ${valWords(status.last)}`);
  else if (status.last['trainLoss'] !== undefined) parts.push(`train ${loss(status.last['trainLoss'])}`);
  if (metric) parts.push(metric);
  if (isEnding(state)) parts.push(ago(now - Date.parse(run.request.createdAt)));
  return parts.join(' · ');
}

/** "1.23", and where it was better before "1.23 (best 1.10)". */
function valWords(last: RunStatus['last']): string {
  const best = last['bestValLoss'];
  const [now, then] = [loss(last['valLoss']), best === undefined ? '' : loss(best)];
  return then === '' || then === now ? now : `${now} (best ${then})`;
}

/** The task's own first metric, such as "accuracy 97.5 %"; null: it has none, or was not validated yet. */
export function firstMetric({ metric, status }: Pick<Described, 'metric' | 'status'>): string | null {
  const value = metric && status.last[metric.name];
  if (!metric || value === undefined) return null;
  const label = /^[A-Z][a-z]/.test(metric.label)
    ? metric.label[0]!.toLowerCase() + metric.label.slice(1)
    : metric.label;
  return `${label} ${metricText(metric, fromJsonNumber(value))}`;
}

export function runLabel({ name, request }: Pick<Described, 'name' | 'request'>, inGroup: boolean): string {
  const label = request.group?.label;
  if (inGroup && label) return plain(label, 60);
  return plain(label ? `${name} ${label}` : name, 60) || 'run';
}

function isEnding(state: LifeState): boolean {
  return !['queued', 'starting', 'training', 'paused'].includes(state);
}

export function progress({ step, steps }: Pick<RunStatus, 'step' | 'steps'>): string {
  return `step ${count(step)} / ${count(steps)}`;
}

/** All words of the filter stand in what is said of the run; "#tag" is a whole tag, "star" or "★" asks for a star. */
export function matchesFilter(
  run: Pick<Described, 'name' | 'request' | 'state'> & { label: RunLabel },
  filter: string,
): boolean {
  const { name, request, state, label } = run;
  const text = [name, request.group?.label, cellSummary(run), stateWord(state), label.note, ...label.tags]
    .join(' ')
    .toLowerCase();
  const tags = label.tags.map(tag => tag.toLowerCase());
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every(word => {
      if (word === 'star' || word === '★') return label.isStarred;
      return word.startsWith('#') ? tags.includes(word.slice(1)) : text.includes(word);
    });
}

/** Icon ids of VS Code's product icon theme, with a theme colour where the state is good or bad news. */
export const STATE_ICONS: Readonly<Record<LifeState, { icon: string; color?: string }>> = {
  queued: { icon: 'clock' },
  starting: { icon: 'loading~spin' },
  training: { icon: 'loading~spin' },
  paused: { icon: 'debug-pause' },
  finished: { icon: 'pass', color: 'testing.iconPassed' },
  'early-stopped': { icon: 'pass', color: 'testing.iconPassed' },
  stopped: { icon: 'circle-slash' },
  diverged: { icon: 'error', color: 'testing.iconFailed' },
  failed: { icon: 'error', color: 'testing.iconFailed' },
  crashed: { icon: 'warning', color: 'problemsWarningIcon.foreground' },
  silent: { icon: 'question', color: 'problemsWarningIcon.foreground' },
};

/** Words that `when` clauses look for, between commas. */
export function contextValue(state: LifeState, kind: 'run' | 'group'): string {
  const words: string[] = [kind, state];
  if (state === 'training' || state === 'starting') words.push('pausable', 'stoppable');
  if (state === 'paused') words.push('resumable', 'stoppable');
  if (state === 'queued') words.push('stoppable', 'startable');
  if (state === 'crashed' || state === 'stopped' || state === 'silent') words.push('continuable');
  return `,${words.join(',')},`;
}

/** Of several members the state that wants attention first. */
export function groupState(states: readonly LifeState[]): LifeState {
  const order: LifeState[] = [
    'training',
    'starting',
    'paused',
    'crashed',
    'silent',
    'queued',
    'failed',
    'diverged',
    'stopped',
    'early-stopped',
    'finished',
  ];
  return order.find(state => states.includes(state)) ?? 'finished';
}

export function groupDescription(runs: readonly Described[], now: number): string {
  const state = groupState(runs.map(run => run.state));
  const bestOf = ({ status: { last } }: Described) => last['bestValLoss'] ?? last['valLoss'];
  const best = runs
    .filter(run => typeof bestOf(run) === 'number')
    .sort((a, b) => (bestOf(a) as number) - (bestOf(b) as number))[0];
  const parts = [`${runs.length} runs`, state === 'training' ? progress(runs[0]!.status) : stateWord(state)];
  if (best) parts.push(`best ${runLabel(best, true)} ${loss(bestOf(best))}`);
  if (isEnding(state)) parts.push(ago(now - Date.parse(runs[0]!.request.createdAt)));
  return parts.join(' · ');
}

/** The status bar's one item: text and tooltip for what trains, null when nothing does. */
export function statusText(runs: readonly Described[]): { text: string; tooltip: string } | null {
  const training = runs.filter(({ state }) => state === 'training' || state === 'starting');
  const shown = training.length > 0 ? training : runs.filter(({ state }) => state === 'paused');
  const [first] = shown;
  if (!first) return null;
  const steps = shown.reduce((sum, { status }) => sum + status.steps, 0);
  const done = shown.reduce((sum, { status }) => sum + Math.min(status.step, status.steps), 0);
  const percent = steps > 0 ? Math.floor((100 * done) / steps) : 0;
  const name = plain(first.name, 24);
  const icon = training.length > 0 ? '$(loading~spin)' : '$(debug-pause)';
  const lines = shown.map(run => {
    const { status } = run;
    const left = status.eta === null ? '' : ` · ${clock(status.eta)} left`;
    const value = status.last['valLoss'] ?? status.last['trainLoss'];
    const kind = status.last['valLoss'] !== undefined ? 'val' : 'train';
    return `${runLabel(run, false)}: ${progress(status)}${value === undefined ? '' : ` · ${kind} ${loss(value)}`}${left}`;
  });
  return { text: `${icon} ${name} ${percent} %`, tooltip: lines.join('\n') };
}

export function cellSummary({ request }: Pick<Described, 'request'>): string {
  const layer = firstCell(request.experiment)?.layer;
  if (!layer) return '';
  const title = cellsTitle(request.experiment) ?? kindOf(layer).title;
  return 'units' in layer ? `${title}, ${layer.units} units` : title;
}
