// Runs that differ in their seed alone, as one: mean curves, one label, one entry everywhere. Pure.
import type { Curve, RunView } from '../protocol/messages.ts';

/** What the page draws as one; a run of its own has itself as its only member. */
export interface ShownRun extends RunView {
  members: readonly RunView[];
}

/** How several seeds are shown: their mean with least and most, with the standard deviation, or each by itself. */
export type SeedView = 'range' | 'sd' | 'each';

export function membersOf(run: RunView): readonly RunView[] {
  return (run as Partial<ShownRun>).members ?? [run];
}

export function hasSeeds(runs: readonly RunView[]): boolean {
  return groupsOf(runs).some(group => group.length > 1);
}

/** In the order of the first member of each. */
export function shownRuns(runs: readonly RunView[], view: SeedView): ShownRun[] {
  if (view === 'each') return runs.map(run => ({ ...run, members: [run] }));
  const seen = new Map<string, number>();
  return groupsOf(runs).map(members => {
    const one = members.length === 1 ? members[0]! : meanRun(members);
    const hue = one.cell?.hue ?? '';
    const variant = seen.get(hue) ?? 0;
    seen.set(hue, variant + 1);
    return { ...one, variant, members };
  });
}

/** Of the shown runs those that are not hidden, with the look that they have among all. */
export function visibleRuns(shown: readonly ShownRun[], hidden: ReadonlySet<string>): ShownRun[] {
  return shown.flatMap(run => {
    const members = run.members.filter(({ id }) => !hidden.has(id));
    if (members.length === run.members.length) return [run];
    if (members.length === 0) return [];
    const { variant, label, id } = run;
    return [{ ...(members.length === 1 ? members[0]! : meanRun(members)), variant, label, id, members }];
  });
}

function groupsOf(runs: readonly RunView[]): RunView[][] {
  const groups: RunView[][] = [];
  for (const run of runs) {
    const group = groups.find(
      ([first, ...more]) =>
        first!.seedKey !== '' &&
        first!.seedKey === run.seedKey &&
        bareLabel(first!.label) === bareLabel(run.label) &&
        ![first!, ...more].some(({ seed }) => seed === run.seed),
    );
    if (group) group.push(run);
    else groups.push([run]);
  }
  return groups;
}

/** "LSTM · seed 2" → "LSTM" */
export function bareLabel(label: string): string {
  return label.replace(/(?:^| · | )seed \d+$/, '');
}

/** Its id is that of the first member: what asks the host for more asks for that one. */
function meanRun(members: readonly RunView[]): RunView {
  const first = members[0]!;
  const metrics = new Set(members.flatMap(({ metrics }) => Object.keys(metrics)));
  return {
    ...first,
    label: bareLabel(first.label) || `${members.length} seeds`,
    step: Math.max(...members.map(({ step }) => step)),
    elapsed: members.reduce((sum, { elapsed }) => sum + elapsed, 0),
    trainLoss: meanCurve(members.map(({ trainLoss }) => trainLoss)),
    valLoss: meanCurve(members.map(({ valLoss }) => valLoss)),
    metrics: Object.fromEntries(
      [...metrics].map(name => [name, meanCurve(members.flatMap(run => run.metrics[name] ?? []))]),
    ),
    findings: members.flatMap(({ findings }) => findings),
  };
}

/** At the steps of the longest curve, over those members that have come so far. */
export function meanCurve(curves: readonly Curve[]): Curve {
  const [longest] = [...curves].sort((a, b) => b.step.length - a.step.length);
  const { step, seconds, tokens, rowsPerPoint } = longest!;
  const n = step.length;
  const mean = new Float32Array(n);
  const smooth = new Float32Array(n);
  const min = new Float32Array(n);
  const max = new Float32Array(n);
  const at = curves.map(() => 0);
  for (let i = 0; i < n; i++) {
    const here: number[][] = [[], [], [], []];
    for (const [index, curve] of curves.entries()) {
      while (at[index]! < curve.step.length && curve.step[at[index]!]! < step[i]!) at[index]!++;
      const place = at[index]!;
      if (place >= curve.step.length) continue;
      for (const [part, values] of [curve.mean, curve.smooth, curve.min, curve.max].entries())
        if (Number.isFinite(values[place]!)) here[part]!.push(values[place]!);
    }
    const [means, smooths, mins, maxes] = here as [number[], number[], number[], number[]];
    mean[i] = average(means);
    smooth[i] = average(smooths);
    min[i] = mins.length > 0 ? Math.min(...mins) : Number.NaN;
    max[i] = maxes.length > 0 ? Math.max(...maxes) : Number.NaN;
  }
  const broken = Float64Array.from(curves.flatMap(curve => [...curve.broken])).sort();
  return { step, seconds, tokens, mean, smooth, min, max, rowsPerPoint, broken };
}

function average(values: readonly number[]): number {
  return values.length > 0 ? values.reduce((sum, value) => sum + value, 0) / values.length : Number.NaN;
}

/** The band around a mean at one place: least and most, or a sample standard deviation to either side. */
export function bandOf(values: readonly number[], view: SeedView): { low: number; high: number } | null {
  const finite = values.filter(Number.isFinite);
  if (finite.length < 2 || view === 'each') return null;
  if (view === 'range') return { low: Math.min(...finite), high: Math.max(...finite) };
  const { mean, sd } = meanSd(finite)!;
  return { low: mean - sd!, high: mean + sd! };
}

/** Mean and sample deviation of what is finite; null where nothing is. */
export function meanSd(values: readonly number[]): { mean: number; sd: number | null } | null {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return null;
  const mean = average(finite);
  if (finite.length === 1) return { mean, sd: null };
  const squares = finite.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, sd: Math.sqrt(squares / (finite.length - 1)) };
}

/** The least validation loss and the step of its point; null before the first validation. */
export function bestOf({ valLoss }: RunView): { value: number; step: number } | null {
  let best: { value: number; step: number } | null = null;
  for (let i = 0; i < valLoss.step.length; i++) {
    const value = valLoss.min[i]!;
    if (value < (best?.value ?? Number.POSITIVE_INFINITY)) best = { value, step: valLoss.step[i]! };
  }
  return best;
}
