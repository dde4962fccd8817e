// What the kinds with a matrix memory share: heads of equal size, counts of projections and short convolutions.
import { headsOf } from './linear-recurrence.ts';

interface Sized {
  units: number;
  heads?: number | undefined;
}

/** Numbers of a head: of its queries, keys and values alike. */
export function headSize(layer: Sized): number {
  return layer.units / headsOf(layer, layer.units);
}

/** Numbers of all heads' memories. */
export function memorySize(layer: Sized): number {
  return layer.units * headSize(layer);
}

/** Of a step: the memory before every 32nd one is kept. */
export function memoryKept(layer: Sized): number {
  return memorySize(layer) / 32;
}

/** q, k, v and the output. */
export function projections({ units: U }: Sized, inputs: number): number[][] {
  return [
    [3, U, inputs],
    [U, U],
  ];
}

/** Short convolutions of so many sequences of `units` channels. */
export function convolutions(
  { units: U, convSize: K }: Sized & { convSize: number },
  count: number,
): number[][] {
  return K > 1 ? [[count * U, K + 1]] : [];
}

/** Writing and reading S of K·V: 2 for an outer product and a product with q, 1 more for a decay or a look-up by k. */
export function memoryWork(layer: Sized, more = 0): number {
  return (2 + more) * memorySize(layer);
}
