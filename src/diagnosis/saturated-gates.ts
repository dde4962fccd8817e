// Saturated gates: nearly all units of a gate stand at an end of its range, where its derivative is close to zero.
import type { Finder, Finding, GateSeen, RunFacts } from './facts.ts';
import { layerIndex, layerOf } from './facts.ts';
import * as fixes from './fixes.ts';
import { halfLife } from './reach.ts';
import { count, figure, percent } from './text.ts';

const PATIENCE = 100;
/** Shares of saturated units; candidates of healthy language models come to 0.87 in their first updates. */
const SATURATED = { gate: 0.95, candidate: 0.97 };
const CLOSED = 0.1;
const OPEN = 0.9;

export const saturatedGates: Finder = (facts, { gates, step }) => {
  if (step < PATIENCE) return [];
  return [...gates.values()].filter(isSaturated).map(seen => describe(facts, seen, step));
};

function isSaturated({ gate, mean, saturation }: GateSeen): boolean {
  if (!saturation.full) return false;
  const candidate = gate === 'g' || gate === 'n';
  if (Math.min(...saturation.values) < (candidate ? SATURATED.candidate : SATURATED.gate)) return false;
  // an open forget gate is memory, as is an update gate that keeps; only shut they are a fault
  if (gate === 'f') return mean.median < CLOSED;
  if (gate === 'z') return mean.median > OPEN;
  return true;
}

const NAMES: Readonly<Record<string, string>> = {
  i: 'input gate',
  f: 'forget gate',
  g: 'candidate',
  o: 'output gate',
  r: 'reset gate',
  z: 'update gate',
  n: 'candidate',
};

function describe(
  { experiment }: RunFacts,
  { layer, gate, mean, saturation }: GateSeen,
  step: number,
): Finding {
  const share = saturation.median;
  const value = mean.median;
  const index = layerIndex(layer);
  const memory = gate === 'f' ? `: half of the memory is gone after ${figure(halfLife(value))} steps` : '';
  return {
    id: 'saturated-gates',
    severity: 'warning',
    message: `The ${NAMES[gate] ?? 'gate'} ${gate} is saturated: ${percent(share)} of its units stand at an end of its range (mean ${figure(value)})${memory}, and learn little there. Seen up to step ${count(step)}.`,
    layer: layerOf(layer),
    evidence: { gate, saturated: share, mean: value, updates: step },
    fixes: fixes.existing(
      gate === 'f' ? fixes.forgetBias(experiment, index) : null,
      fixes.slower(experiment, 0.3),
      fixes.clip(experiment, 1),
      fixes.weightPenalty(experiment),
    ),
  };
}
