// From a distribution over classes at each step to labels and their places: class 0 is the blank. Greedy decoding takes the
// likeliest path; beam search sums the paths of a prefix (A. Graves, N. Jaitly, 2014; A. Hannun et al., 2014,
// https://arxiv.org/abs/1408.2873, without a language model); the alignment of given labels is their likeliest path
// (Viterbi).
import { best } from './values.ts';

/** Log-probabilities of one sequence: (steps, classes). */
export interface LogShares {
  steps: number;
  classes: number;
  values: Float64Array;
}

/** Of sequence `row` among logits (T, B, C). */
export function logSharesOf(
  logits: ArrayLike<number>,
  { steps, batch, row, classes }: { steps: number; batch: number; row: number; classes: number },
): LogShares {
  const values = new Float64Array(steps * classes);
  for (let t = 0; t < steps; t++) {
    const from = (t * batch + row) * classes;
    const most = logits[from + best(logits, t * batch + row, classes)]!;
    let sum = 0;
    for (let k = 0; k < classes; k++) sum += Math.exp(logits[from + k]! - most);
    for (let k = 0; k < classes; k++) values[t * classes + k] = logits[from + k]! - most - Math.log(sum);
  }
  return { steps, classes, values };
}

/** The labels of a path: repeats joined, blanks left out. */
export function collapsed(path: readonly number[]): number[] {
  return path.filter((symbol, t) => symbol !== 0 && symbol !== path[t - 1]);
}

export function greedyPath({ steps, classes, values }: LogShares): number[] {
  return Array.from({ length: steps }, (_, t) => best(values, t, classes));
}

interface Prefix {
  labels: number[];
  /** log-probability of its paths that end in a blank, and of the others */
  blank: number;
  label: number;
}

/** The labels of the largest log-probability over all of their paths, among those that `width` prefixes lead to. */
export function beamLabels(
  { steps, classes, values }: LogShares,
  width: number,
): { labels: number[]; logProbability: number } {
  let beams: Prefix[] = [{ labels: [], blank: 0, label: Number.NEGATIVE_INFINITY }];
  for (let t = 0; t < steps; t++) {
    const next = new Map<string, Prefix>();
    const at = (labels: number[]) => {
      const key = labels.join();
      const known = next.get(key);
      if (known) return known;
      const made = { labels, blank: Number.NEGATIVE_INFINITY, label: Number.NEGATIVE_INFINITY };
      next.set(key, made);
      return made;
    };
    for (const prefix of beams) {
      const whole = join(prefix.blank, prefix.label);
      const last = prefix.labels.at(-1);
      const same = at(prefix.labels);
      same.blank = join(same.blank, whole + values[t * classes]!);
      for (let k = 1; k < classes; k++) {
        const share = values[t * classes + k]!;
        if (k === last) same.label = join(same.label, prefix.label + share);
        const longer = at([...prefix.labels, k]);
        longer.label = join(longer.label, (k === last ? prefix.blank : whole) + share);
      }
    }
    beams = [...next.values()]
      .sort((a, b) => join(b.blank, b.label) - join(a.blank, a.label))
      .slice(0, width);
  }
  const [winner] = beams as [Prefix];
  return { labels: winner.labels, logProbability: join(winner.blank, winner.label) };
}

/** log(e^a + e^b) */
function join(a: number, b: number): number {
  const most = Math.max(a, b);
  return most === Number.NEGATIVE_INFINITY ? most : most + Math.log1p(Math.exp(-Math.abs(a - b)));
}

/** Steps that these labels need at least: a blank stands between equal ones. */
export function stepsNeeded(labels: readonly unknown[]): number {
  return labels.length + repeatsIn(labels);
}

export function repeatsIn(labels: readonly unknown[]): number {
  return labels.filter((label, i) => i > 0 && label === labels[i - 1]).length;
}

/** The likeliest path that gives these labels: a class for each step. null: there are too few steps. */
export function alignmentOf(
  { steps, classes, values }: LogShares,
  labels: readonly number[],
): number[] | null {
  if (stepsNeeded(labels) > steps) return null;
  const states = 2 * labels.length + 1;
  const classAt = (s: number) => (s % 2 === 0 ? 0 : labels[(s - 1) / 2]!);
  let scores = new Float64Array(states).fill(Number.NEGATIVE_INFINITY);
  const came: Int32Array[] = [];
  for (let t = 0; t < steps; t++) {
    const next = new Float64Array(states).fill(Number.NEGATIVE_INFINITY);
    const from = new Int32Array(states);
    for (let s = 0; s < states; s++) {
      let [where, score] = [s, t === 0 ? (s < 2 ? 0 : Number.NEGATIVE_INFINITY) : scores[s]!];
      const far = s % 2 === 1 && s > 1 && classAt(s) !== classAt(s - 2) ? 2 : 1;
      if (t > 0)
        for (let back = 1; back <= far && back <= s; back++)
          if (scores[s - back]! > score) [where, score] = [s - back, scores[s - back]!];
      next[s] = score + values[t * classes + classAt(s)]!;
      from[s] = where;
    }
    scores = next;
    came.push(from);
  }
  let state = states > 1 && scores[states - 2]! > scores[states - 1]! ? states - 2 : states - 1;
  const path: number[] = [];
  for (let t = steps - 1; t >= 0; t--) {
    path.push(classAt(state));
    state = came[t]![state]!;
  }
  return path.reverse();
}

/** An alignment for people: each run of a path once, blanks as "_"; and the first step of each label. */
export function shownAlignment(
  path: readonly number[],
  symbolOf: (label: number) => string,
  between: string,
): { alignment: string; steps: string } {
  const starts = path.map((_, t) => t).filter(t => t === 0 || path[t] !== path[t - 1]);
  return {
    alignment: starts.map(t => (path[t] === 0 ? '_' : symbolOf(path[t]!))).join(between),
    steps: starts.filter(t => path[t] !== 0).join(' '),
  };
}
