// How far back the gradient and the memory go, in time steps.

/** Share of the last step's norm above which the gradient counts as arriving. */
export const REACH_SHARE = 0.01;

/**
 * How many steps back from the last one the gradient stays at or above 1 % of its value there: 0 … T − 1.
 * `norms`: ‖∂L_T/∂h_t‖, t = 1 … T. 0 where the last norm is zero or not finite.
 */
export function reach(norms: ArrayLike<number>): number {
  const end = norms.length - 1;
  const last = norms[end] ?? 0;
  if (!(last > 0) || !Number.isFinite(last)) return 0;
  let back = 0;
  while (back < end && norms[end - 1 - back]! >= REACH_SHARE * last) back++;
  return back;
}

/** Steps after which half of a cell's memory is left, if its forget gate stays at this mean: ln ½ / ln f. */
export function halfLife(forgetMean: number): number {
  if (!(forgetMean > 0)) return 0;
  return forgetMean >= 1 ? Number.POSITIVE_INFINITY : Math.log(0.5) / Math.log(forgetMean);
}
