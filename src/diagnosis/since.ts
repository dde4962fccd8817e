// Follows a finding after the step it was made at: what its loss is now, and whether it still holds.
import type { Finding, JsonNumber } from '../runs/format.ts';
import { FINDINGS } from './findings.ts';
import { figure } from './text.ts';

/** The run as it stands: its newest scalars by name, such as `trainLoss`. */
export interface Newest {
  step: number;
  last: Readonly<Record<string, JsonNumber | undefined>>;
}

export type Found = Pick<Finding, 'id' | 'evidence'> & { step: number };

/** Losses that findings are about; validation first, because overfitting names both. */
const LOSSES = [
  ['valLoss', 'validation loss'],
  ['trainLoss', 'training loss'],
] as const;
/** Relative change of a loss below which nothing has happened since. */
const SAME = 0.02;

/** "Since then the training loss went to 0.117 (step 1,200)."; null where nothing came after, or nothing changed. */
export function sinceThen({ evidence, step: then }: Found, { step, last }: Newest): string | null {
  if (step <= then) return null;
  for (const [name, words] of LOSSES) {
    const before = evidence[name];
    const now = last[name];
    if (typeof before !== 'number' || typeof now !== 'number') continue;
    if (Math.abs(now - before) <= SAME * Math.abs(before)) return null;
    return `Since then the ${words} went to ${figure(now)} (step ${step.toLocaleString('en-US')}).`;
  }
  return null;
}

/** False once the run has got past it: a plateau that was left, a best that was beaten, a task that was learned. */
export function stillHolds({ id, evidence, step: then }: Found, { step, last }: Newest): boolean {
  const holds = FINDINGS.find(kind => kind.id === id)?.holds;
  return step <= then || !holds || holds(evidence, last);
}
