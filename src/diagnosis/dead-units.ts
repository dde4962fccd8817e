// Dead units: behind a ReLU most of a layer gives 0 whatever comes in, and no gradient brings it back. A layer that is
// half silent may be healthy: inputs are much alike to it at first, and a unit is then 0 for all of them or for none. So
// units must have died since.
import type { DeadSeen, Finder, Finding, RunFacts } from './facts.ts';
import { layerIndex } from './facts.ts';
import * as fixes from './fixes.ts';
import { count, percent } from './text.ts';

const PATIENCE = 100;
const DEAD = 0.5;
/** of the units that were alive once */
const DIED = 0.5;
/** whatever was before */
const NEARLY_ALL = 0.9;

export const deadUnits: Finder = (facts, { dead, step }) => {
  if (step < PATIENCE) return [];
  return [...dead].flatMap(([layer, seen]) => {
    const share = Math.min(...seen.shares.values);
    const died = 1 - (1 - share) / (1 - seen.least);
    const isSure = seen.shares.full && share >= DEAD && (died >= DIED || share >= NEARLY_ALL);
    return isSure ? [describe(facts, layer, step, share, seen)] : [];
  });
};

function describe(
  { experiment }: RunFacts,
  layer: string,
  step: number,
  share: number,
  { least, shares }: DeadSeen,
): Finding {
  const index = layerIndex(layer);
  const looks = shares.values.length;
  return {
    id: 'dead-units',
    severity: 'warning',
    message: `${percent(share)} or more of the ReLU units are dead: in each of the last ${looks} batches looked at, up to step ${count(step)}, they gave 0 at every step of every sequence, so that no gradient reaches them (at best it was ${percent(least)}).`,
    layer,
    evidence: { dead: share, least, looks, updates: step },
    fixes: fixes.existing(
      fixes.slower(experiment, 0.1),
      fixes.clip(experiment, 1),
      fixes.identityRelu(experiment, index),
      fixes.orthogonal(experiment, index),
      fixes.gru(experiment, index),
    ),
  };
}
