// Which keys a query of attention sees: the rule, how many pairs it leaves, and its picture in text. Sliding and dilated
// windows and global steps: I. Beltagy et al., 2020, https://arxiv.org/abs/2004.05150, M. Zaheer et al., 2020,
// https://arxiv.org/abs/2007.14062; every stride-th step: R. Child et al., 2019, https://arxiv.org/abs/1904.10509.
import * as z from 'zod';
import { nonNegativeInt, positiveInt } from './fields.ts';
import { error, type Remark } from './remark.ts';

export const maskSchema = z
  .strictObject({
    window: positiveInt
      .optional()
      .describe('Steps that a step sees on each side it looks to, itself included; default: all.'),
    dilation: positiveInt
      .default(1)
      .describe('Of the window: it takes every so many-th step, and reaches that much further.'),
    global: nonNegativeInt
      .default(0)
      .describe('The first steps that all steps see, and that see all (Longformer, BigBird).'),
    strided: positiveInt
      .optional()
      .describe(
        'Every so many-th step back is seen, and the window is as long where none is given (Sparse Transformer).',
      ),
  })
  .describe(
    'The pairs of steps that attention looks at. Others cost nothing: blocks of them are never computed.',
  );

export interface MaskRule {
  readonly causal: boolean;
  /** |t - s| < window · dilation, t - s a multiple of `dilation` (≥ 1); 0: no window */
  readonly window: number;
  readonly dilation: number;
  /** t - s a multiple of `stride`; 0: none */
  readonly stride: number;
  /** the first ones are seen by all and see all */
  readonly globals: number;
}

/** The fields of a layer that make its rule. */
export interface Masked {
  causal: boolean;
  window?: number | undefined;
  mask?: z.output<typeof maskSchema> | undefined;
}

export function maskRuleOf({ causal, window, mask }: Masked): MaskRule {
  const { dilation = 1, global = 0, strided = 0 } = mask ?? {};
  return { causal, window: window ?? mask?.window ?? strided, dilation, stride: strided, globals: global };
}

export function checkMask({ window, mask }: Masked): Remark[] {
  if (!mask) return [];
  if (window !== undefined && mask.window !== undefined)
    return [error(['window'], 'The window stands in `mask` too; leave one of the two out.')];
  const windowed = window !== undefined || mask.window !== undefined || mask.strided !== undefined;
  if (mask.dilation > 1 && !windowed)
    return [error(['mask', 'dilation'], '`dilation` spreads a window; add `window` to the mask.')];
  return [];
}

/** Whether a query at place t sees key s. */
export function seesKey(mask: MaskRule, t: number, s: number): boolean {
  const { causal, window, dilation, stride, globals } = mask;
  const apart = Math.abs(t - s);
  if (causal && s > t) return false;
  if (window === 0 && stride === 0 && globals === 0) return true;
  if (s < globals || t < globals) return true;
  if (window > 0 && apart < window * dilation && apart % dilation === 0) return true;
  return stride > 0 && apart % stride === 0;
}

/** Pairs of T queries with T keys that the rule leaves: by how far they are apart, each once (inclusion, exclusion). */
export function pairsSeen(rule: MaskRule, T: number): number {
  const { causal, globals } = rule;
  const all = causal ? (T * (T + 1)) / 2 : T * T;
  if (rule.window === 0 && rule.stride === 0 && globals === 0) return all;
  const G = Math.min(globals, T);
  // the queries before G see all; behind them each sees the G first keys, and its own
  let pairs = (causal ? (G * (G + 1)) / 2 : G * T) + (T - G) * G;
  for (let t = G; t < T; t++) {
    pairs += distancesSeen(rule, t - G) + 1;
    if (!causal) pairs += distancesSeen(rule, T - 1 - t);
    // a step sees itself by a window or a stride, of which there may be none
    if (rule.window === 0 && rule.stride === 0) pairs--;
  }
  return pairs;
}

/** How many of the distances 1 … most are seen. */
function distancesSeen({ window, dilation, stride }: MaskRule, most: number): number {
  const near = window > 0 ? Math.min(most, (window - 1) * dilation) : 0;
  const inWindow = Math.floor(near / dilation);
  if (stride === 0) return inWindow;
  return inWindow + Math.floor(most / stride) - Math.floor(near / leastCommonMultiple(dilation, stride));
}

function leastCommonMultiple(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y > 0) [x, y] = [y, x % y];
  return (a / x) * b;
}

const CELLS = 24;
/** pairs looked at in a cell of the picture, in each direction */
const SAMPLES = 8;

/** Rows are queries, columns keys: ■ all pairs of a cell are seen, ▪ some, · none. `steps`: what the picture spans. */
export function maskPicture(rule: MaskRule): { steps: number; picture: string } {
  const reach = Math.max(3 * rule.window * rule.dilation, 3 * rule.stride, 4 * rule.globals, CELLS);
  const size = Math.ceil(reach / CELLS);
  const step = Math.max(1, Math.floor(size / SAMPLES));
  const rows = Array.from({ length: CELLS }, (_, row) =>
    Array.from({ length: CELLS }, (_, column) => cellOf(rule, row * size, column * size, size, step)).join(
      '',
    ),
  );
  return { steps: size * CELLS, picture: rows.join('\n') };
}

function cellOf(rule: MaskRule, row: number, column: number, size: number, step: number): string {
  let [seen, pairs] = [0, 0];
  for (let t = row; t < row + size; t += step)
    for (let s = column; s < column + size; s += step) {
      pairs++;
      if (seesKey(rule, t, s)) seen++;
    }
  return seen === pairs ? '■' : seen > 0 ? '▪' : '·';
}
