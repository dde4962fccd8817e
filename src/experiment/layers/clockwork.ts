// Clockwork RNN (Koutník et al. 2014): modules of units, each with a period; a module stands still between its ticks.
import * as z from 'zod';
import { positiveInt } from '../fields.ts';
import { error } from '../remark.ts';
import { plural } from '../words.ts';
import { linearRecurrence, units } from './linear-recurrence.ts';

const schema = z
  .strictObject({
    type: z.literal('clockwork'),
    units,
    periods: z
      .array(positiveInt)
      .min(1)
      .default([1, 2, 4, 8])
      .describe(
        'Steps from one tick of each module to its next, fastest first; the modules share the units.',
      ),
  })
  .describe(
    'Clockwork RNN: modules that tick at their own periods and read those as slow or slower (Koutník et al. 2014).',
  );

/** Units of each module. */
export function moduleSize({ units, periods }: { units: number; periods: readonly number[] }): number {
  return units / periods.length;
}

export const clockwork = linearRecurrence({
  schema,
  title: 'Clockwork RNN',
  family: 'recurrent',
  weights: (layer, I) => {
    const size = moduleSize(layer);
    const modules = layer.periods.length;
    return [
      [layer.units, I],
      ...layer.periods.map((_, module) => [size, size * (modules - module)]),
      [layer.units],
    ];
  },
  // the matrix is block-triangular, and multiplied as a whole
  perStep: layer => layer.units ** 2,
  kept: layer => 8 * layer.units,
  state: layer => layer.units + 1,
  check({ units, periods }) {
    const unsorted = periods.findIndex((period, at) => at > 0 && period < periods[at - 1]!);
    if (unsorted > 0)
      return [
        error(
          ['periods', unsorted],
          `\`periods\` begin with the fastest module, but ${periods[unsorted]} comes after ${periods[unsorted - 1]}.`,
        ),
      ];
    if (units % periods.length === 0) return [];
    return [
      error(
        ['units'],
        `${plural(units, 'unit')} cannot be shared by ${plural(periods.length, 'module')}; take a number that ${periods.length} divides.`,
      ),
    ];
  },
  about: ({ periods }) =>
    [
      `modules g of periods T_g = ${periods.join(', ')}`,
      't mod T_g = 0:  h_g = tanh(W_g x_t + Σ_{j ≥ g} U_gj h_j + b_g), of the step before',
      'else:           h_g stays as it is          arXiv 1402.3511',
    ].join('\n'),
});
