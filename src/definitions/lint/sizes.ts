// A recurrent layer of a size that none can have.
import type { Given } from '../definition.ts';
import type { Rule } from './finding.ts';
import { nameOf } from './source.ts';

export const impossibleSize: Rule = source =>
  source.layers.flatMap(({ layer }) => {
    const { units, layers, inputSize } = layer.recurrent!;
    const names: [Given<number>, string][] = [
      [units, 'units'],
      [layers, 'layers'],
      [inputSize, 'inputs'],
    ];
    return names.flatMap(([given, what]) => {
      if (given.value === null || !given.range || (Number.isInteger(given.value) && given.value > 0))
        return [];
      return {
        id: 'impossible-size',
        severity: 'hint' as const,
        message: `This ${nameOf(layer)} would have ${given.value} ${what} (\`${given.text}\`): it needs a whole number of at least 1.`,
        range: given.range,
        fixes: [],
      };
    });
  });
