// Cividis: a colour scale that people with and without colour vision read alike (Nuñez, Anderton & Renslow 2018).
import type { Rgb } from './terminal.ts';

/** The scale at tenths, dark to light. */
const CIVIDIS: readonly Rgb[] = [
  [0, 34, 78],
  [18, 53, 112],
  [59, 73, 108],
  [87, 93, 109],
  [112, 113, 115],
  [138, 134, 120],
  [165, 156, 116],
  [195, 179, 105],
  [225, 204, 85],
  [243, 220, 70],
  [254, 232, 56],
];

/** Colour at 0…1. */
export function cividis(share: number): Rgb {
  const at = Math.min(1, Math.max(0, share)) * (CIVIDIS.length - 1);
  const low = Math.min(CIVIDIS.length - 2, Math.floor(at));
  const [a, b] = [CIVIDIS[low]!, CIVIDIS[low + 1]!];
  const mix = (i: 0 | 1 | 2) => Math.round(a[i] + (b[i] - a[i]) * (at - low));
  return [mix(0), mix(1), mix(2)];
}
