// Exploding gradient: norms far above the usual, again and again, or a gradient that grows on its way back in time.
import type { Finder, Finding, RunFacts, Seen } from './facts.ts';
import { layerIndex, layerOf } from './facts.ts';
import * as fixes from './fixes.ts';
import { count, figure, percent } from './text.ts';

/** The first updates are wild in good runs too. */
const PATIENCE = 50;
/** A spike is this many times the median, and not small in itself. */
const SPIKE = 10;
const LARGE = 10;
const SPIKES = 3;
/** of the loss, over the updates before */
const HARM = 1.03;
/** log10 of first over last norm */
const GROWS = 3;

export const exploding: Finder = (facts, seen) => {
  const { gradNorms, step } = seen;
  if (step < PATIENCE || !gradNorms.full) return [];
  const usual = gradNorms.median;
  const spikes = gradNorms.values.filter(norm => norm > LARGE && norm > SPIKE * usual);
  if (spikes.length >= SPIKES && doesHarm(seen)) return [spiking(facts, seen, spikes, usual)];
  for (const [level, history] of seen.ratios) {
    const now = history.mean(step * 0.75, step);
    if (now !== null && now > GROWS) return [growing(facts, seen, level, now)];
  }
  return [];
};

/** A cell that begins to learn after a long wait has spikes too, while its loss falls. */
function doesHarm({ loss, step }: Seen): boolean {
  const now = loss.mean(step - 50, step);
  const before = loss.mean(step - 250, step - 50);
  return now !== null && before !== null && now > HARM * before;
}

function spiking(facts: RunFacts, { gradNorms, step }: Seen, spikes: number[], usual: number): Finding {
  const { clipNorm } = facts.experiment.training;
  const largest = Math.max(...spikes);
  const clipped =
    gradNorms.values.filter(norm => norm > (clipNorm ?? Infinity)).length / gradNorms.values.length;
  const held =
    clipNorm === null
      ? 'Nothing clips it.'
      : `Clipping at ${clipNorm} cut ${percent(clipped)} of these updates.`;
  return {
    id: 'exploding',
    severity: 'warning',
    message: `The gradient explodes: ${spikes.length} of the ${gradNorms.values.length} updates before step ${count(step)} have a norm of up to ${figure(largest)}, where ${figure(usual)} is usual. ${held}`,
    layer: null,
    evidence: { largest, median: usual, spikes: spikes.length, clipped, updates: step },
    fixes: mend(facts, 0),
  };
}

function growing(facts: RunFacts, { step }: Seen, level: string, now: number): Finding {
  const ratio = 10 ** now;
  return {
    id: 'exploding',
    severity: 'warning',
    message: `The gradient grows on its way back: at the first of ${count(facts.task.seqLen)} steps its norm is ${figure(ratio)} times that at the last, after ${count(step)} updates.`,
    layer: layerOf(level),
    evidence: { ratio, updates: step },
    fixes: mend(facts, layerIndex(level)),
  };
}

function mend({ experiment, task }: RunFacts, index: number) {
  const { clipNorm } = experiment.training;
  return fixes.existing(
    fixes.clip(experiment, clipNorm === null ? 1 : Number((clipNorm / 4).toPrecision(1))),
    fixes.slower(experiment, 0.3),
    fixes.gru(experiment, index),
    fixes.shorterWindow(experiment, task.seqLen >> 1),
  );
}
