// What the lenses above a model say. Pure: texts and run data in, lines out.
import { loss, plain, plural, stateWord } from '../text.ts';
import type { LastRun } from './last-run.ts';

/** Zero-based line of `"model"` among the top-level keys, by text alone, so that lenses stand before anything is parsed. */
export function modelLine(text: string): number | null {
  const lines = text.split(/\r\n|\r|\n/);
  const own = lines.findIndex(line => /^\s*"model"\s*:/.test(line));
  if (own >= 0) return own;
  const within = lines.findIndex(line => /"model"\s*:/.test(line));
  return within >= 0 ? within : null;
}

/** `runs`: how many the file asks for. */
export function trainLens(runs: number): { title: string; tooltip: string } {
  if (runs <= 1) return { title: '▶ Train', tooltip: 'Train this experiment' };
  return {
    title: `▶ Train ${runs} runs`,
    tooltip: `Train all ${runs} runs that "compare" asks for, side by side`,
  };
}

/**
 * `last: val 1.38 · gradients reach 64 steps · 3 runs`; null while nothing was run. `stands`: the model in the editor is
 * the one that was trained. Of another one the result alone is told, as what was before this edit.
 */
export function lastText(last: LastRun | null, stands: boolean): string | null {
  if (!last || last.runs.length === 0) return null;
  if (!stands) return [`before this edit: ${result(last)}`, runsText(last)].join(' · ');
  return [resultText(last), reachText(last), runsText(last)].filter(Boolean).join(' · ');
}

/** The lens of the last run: dim text without a command where it was of another model. */
export function lastLens(last: LastRun, stands: boolean): LensCommand {
  const title = lastText(last, stands) ?? '';
  if (!stands)
    return { title, tooltip: 'Another model was trained than the one that stands here now', command: '' };
  return {
    title,
    tooltip: 'Show in the dashboard',
    command: 'unroll.openDashboard',
    arguments: [last.runs.map(({ folder }) => folder)],
  };
}

interface LensCommand {
  title: string;
  tooltip: string;
  command: string;
  arguments?: unknown[];
}

/** The same for a hover, with the reach on a line of its own. */
export function lastLines(last: LastRun | null, stands: boolean): string[] {
  if (!last || last.runs.length === 0) return [];
  if (!stands) return [lastText(last, stands)!];
  const lines = [[resultText(last), runsText(last)].join(' · ')];
  const { reach } = last;
  if (reach && reachText(last)) {
    const share = reach.steps === reach.of ? `all ${reach.of}` : `${reach.steps} of ${reach.of}`;
    lines.push(
      `${hasEnded(last) ? 'Last run' : 'This run so far'}: gradients reach ${share} steps back (above 1 % of the last step's).`,
    );
  }
  return lines;
}

function hasEnded({ runs }: LastRun): boolean {
  return runs.every(({ state }) => !ACTIVE.has(state));
}

function resultText(last: LastRun): string {
  return `${hasEnded(last) ? 'last' : 'now'}: ${result(last)}`;
}

/** Of several runs none is the one to tell. */
function reachText({ runs, reach }: LastRun): string | null {
  if (runs.length !== 1 || !reach) return null;
  return `gradients reach ${reach.steps === reach.of ? `all ${reach.of} steps` : plural(reach.steps, 'step')}`;
}

function runsText({ total }: LastRun): string {
  return plural(total, 'run');
}

/** In code that cannot be read just now, in place of the whole row. */
export function keptText(model: string, counts: string): { title: string; tooltip: string } {
  return {
    title: [counts, 'as last read, before the syntax error'].filter(Boolean).join(' · '),
    tooltip: `${model} cannot be read while its syntax is broken.`,
  };
}

const ACTIVE: ReadonlySet<string> = new Set(['queued', 'starting', 'training', 'paused']);
const TOLD: ReadonlySet<string> = new Set(['diverged', 'failed', 'crashed', 'silent', 'queued', 'starting']);

function result({ runs }: LastRun): string {
  if (runs.length > 4) return `${runs.length} runs, best val ${loss(bestOf(runs))}`;
  return runs.map(run => oneResult(run, runs.length > 1)).join(', ');
}

function oneResult(run: LastRun['runs'][number], named: boolean): string {
  const name = named ? `${plain(run.label, 24)} ` : '';
  if (TOLD.has(run.state)) return name + stateWord(run.state);
  if (run.valLoss !== undefined) {
    const metric = run.metric && !named ? `, ${run.metric}` : '';
    return `${name || 'val '}${loss(run.valLoss)}${metric}`;
  }
  return run.trainLoss !== undefined
    ? `${name}train ${loss(run.trainLoss)}`
    : `${name}${stateWord(run.state)}`;
}

function bestOf(runs: LastRun['runs']): number | undefined {
  const values = runs.flatMap(({ valLoss }) => (typeof valLoss === 'number' ? valLoss : []));
  return values.length ? Math.min(...values) : undefined;
}
