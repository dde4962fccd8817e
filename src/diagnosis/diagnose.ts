// From what a run shows to findings, as it trains. Pure: it is fed, remembers in bounded memory, and answers.
import { type Divergence, diverged } from './diverged.ts';
import type { Finding, GateSeen, Observation, RunFacts, Seen } from './facts.ts';
import { FINDINGS } from './findings.ts';
import { History, Recent } from './history.ts';

export type { Observation, RecurrentFacts, RunFacts } from './facts.ts';
export { halfLife, reach } from './reach.ts';

const EVERY = 25;
const RECENT_NORMS = 100;
const RECENT_GATES = 10;
const RECENT_DEAD = 10;
const MOST_VALIDATIONS = 500;
/** Ratios below are too small for float32 to tell. */
const SMALLEST_RATIO = -45;

export class Diagnosis {
  private readonly facts: RunFacts;
  private readonly found: { id: Finding['id']; layer: string | null }[];
  private readonly gates = new WeakMap<object, GateSeen>();
  private readonly seen: Seen = {
    step: 0,
    loss: new History(),
    validations: [],
    gradNorms: new Recent(RECENT_NORMS),
    ratios: new Map(),
    gates: new Map(),
    dead: new Map(),
  };

  /** `known`: findings the run already has, which are not said again. */
  constructor(facts: RunFacts, known: readonly Pick<Finding, 'id' | 'layer'>[] = []) {
    this.facts = facts;
    this.found = known.map(({ id, layer }) => ({ id, layer }));
  }

  /** @returns what is found now and was not found before */
  observe(observation: Observation): Finding[] {
    this.remember(observation);
    const { step, valLoss } = observation;
    return step % EVERY === 0 || valLoss !== undefined ? this.look() : [];
  }

  diverged(divergence: Divergence): Finding[] {
    return this.fresh([diverged(this.facts, this.seen, divergence)]);
  }

  /** By the object that was handed over, which mostly comes again: joining its names costs more than the averages. */
  private gateOf(each: NonNullable<Observation['gates']>[number]): GateSeen {
    let kept = this.gates.get(each);
    if (kept) return kept;
    const { layer, gate } = each;
    kept = entry(this.seen.gates, `${layer} ${gate}`, () => ({
      layer,
      gate,
      mean: new Recent(RECENT_GATES),
      saturation: new Recent(RECENT_GATES),
    }));
    this.gates.set(each, kept);
    return kept;
  }

  private look(): Finding[] {
    const fresh: Finding[] = [];
    for (const { find, unless = [] } of FINDINGS)
      if (!this.found.some(({ id }) => unless.includes(id)))
        fresh.push(...this.fresh(find(this.facts, this.seen)));
    return fresh;
  }

  private fresh(findings: readonly Finding[]): Finding[] {
    const fresh = findings.filter(
      ({ id, layer }) => !this.found.some(old => old.id === id && old.layer === layer),
    );
    this.found.push(...fresh.map(({ id, layer }) => ({ id, layer })));
    return fresh;
  }

  private remember({
    step,
    trainLoss,
    valLoss,
    gradNorm,
    flow = [],
    gates = [],
    dead = [],
  }: Observation): void {
    const { seen } = this;
    seen.step = step;
    if (trainLoss !== undefined) seen.loss.push(step, trainLoss);
    if (gradNorm !== undefined) seen.gradNorms.push(gradNorm);
    if (valLoss !== undefined) keepValidation(seen.validations, step, valLoss);
    for (const { layer, norms } of flow) {
      const ratio = logRatio(norms);
      if (ratio !== null) entry(seen.ratios, layer, () => new History()).push(step, ratio);
    }
    for (const each of gates) {
      const kept = this.gateOf(each);
      kept.mean.push(average(each.mean));
      kept.saturation.push(average(each.saturation));
    }
    for (const { layer, share } of dead) {
      const kept = entry(seen.dead, layer, () => ({ least: share, shares: new Recent(RECENT_DEAD) }));
      kept.least = Math.min(kept.least, share);
      kept.shares.push(share);
    }
  }
}

/** log10 of the first norm over the last; null where it says nothing. */
function logRatio(norms: ArrayLike<number>): number | null {
  const first = norms[0] ?? 0;
  const last = norms[norms.length - 1] ?? 0;
  if (norms.length < 2 || !(last > 0) || !Number.isFinite(first / last)) return null;
  return Math.max(SMALLEST_RATIO, Math.log10(first / last));
}

/** The oldest ones go, but for the best. */
function keepValidation(kept: { step: number; loss: number }[], step: number, loss: number): void {
  if (!Number.isFinite(loss)) return;
  kept.push({ step, loss });
  if (kept.length <= MOST_VALIDATIONS) return;
  const best = Math.min(...kept.map(each => each.loss));
  kept.splice(kept[0]!.loss === best ? 1 : 0, 1);
}

/**
 * Over the steps that there are: NaN stands before the first one of a shorter batch. In four sums, which do not wait for
 * each other: this is done for every gate of every step.
 */
function average(values: ArrayLike<number>): number {
  const { length } = values;
  let [a, b, c, d] = [0, 0, 0, 0];
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    a += values[i]!;
    b += values[i + 1]!;
    c += values[i + 2]!;
    d += values[i + 3]!;
  }
  for (; i < length; i++) a += values[i]!;
  const sum = a + b + c + d;
  if (!Number.isNaN(sum)) return sum / length;
  const seen = Array.from(values).filter(value => !Number.isNaN(value));
  return seen.reduce((total, value) => total + value, 0) / seen.length;
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
