// The run ended because a number was no longer finite.
import type { Finding, RunFacts, Seen } from './facts.ts';
import * as fixes from './fixes.ts';
import { figure } from './text.ts';

export interface Divergence {
  step: number;
  /** the sentence of the training loop, which names the first bad tensor */
  message: string;
  /** such as "the output of layers.0, at time step 12"; goes into the evidence */
  tensor?: string;
}

export function diverged(
  { experiment }: RunFacts,
  { gradNorms, loss, step: seen }: Seen,
  { step, message, tensor }: Divergence,
): Finding {
  const norm = gradNorms.values.filter(Number.isFinite).at(-1);
  const lastLoss = loss.mean(seen - 5, seen);
  const before = norm === undefined ? '' : ` The last finite gradient norm was ${figure(norm)}.`;
  const layer = /layers\.\d+/.exec(tensor ?? message)?.[0] ?? null;
  return {
    id: 'diverged',
    severity: 'error',
    message: `${message}${before}`,
    layer,
    evidence: {
      step,
      ...(tensor ? { tensor } : {}),
      ...(norm === undefined ? {} : { gradNorm: norm }),
      ...(lastLoss === null ? {} : { trainLoss: lastLoss }),
      learningRate: experiment.training.optimizer.learningRate,
    },
    fixes: fixes.existing(fixes.clip(experiment, 1), fixes.slower(experiment, 0.1)),
  };
}
