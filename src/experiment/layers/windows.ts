// What layers share that read windows of steps: what stands around a sequence, and how many windows it has.
import * as z from 'zod';
import { error, type Remark } from '../remark.ts';
import { plural } from '../words.ts';
import type { At } from './kind.ts';

export const paddingField = z
  .enum(['causal', 'same', 'valid'])
  .describe(
    '"causal": a step sees those up to itself; "same": as many on both sides; "valid": whole windows only, so that fewer steps come out.',
  );

export interface Windows {
  kernelSize: number;
  dilation: number;
  stride: number;
  padding: z.output<typeof paddingField>;
}

/** Steps of a window before its last one. */
export function tailOf({ kernelSize, dilation }: Pick<Windows, 'kernelSize' | 'dilation'>): number {
  return (kernelSize - 1) * dilation;
}

/** Steps of the window that stand after the step of the output. */
export function aheadOf(windows: Windows): number {
  const tail = tailOf(windows);
  return { causal: 0, same: Math.ceil(tail / 2), valid: tail }[windows.padding];
}

/** Windows of a sequence of so many steps; one that is too short for a whole window has one. */
export function shortenedTo(windows: Windows, steps: number): number {
  const starts = windows.padding === 'valid' ? Math.max(1, steps - tailOf(windows)) : steps;
  return Math.ceil(starts / windows.stride);
}

/** A window without padding that no training sequence fills. */
export function checkWindows(windows: Windows, at: At | null): Remark[] {
  const needed = tailOf(windows) + 1;
  if (windows.padding !== 'valid' || !at || !(at.steps < needed)) return [];
  return [
    error(
      ['kernelSize'],
      `Without padding this layer needs ${plural(needed, 'step')}, but ${at.steps} reach it; take a smaller kernel or \`"padding": "causal"\`.`,
    ),
  ];
}
