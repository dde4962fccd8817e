// Linear-chain CRF: outputs whose classes are scored together, so that a tag depends on its neighbours'.
import * as z from 'zod';
import { error } from '../remark.ts';
import type { LayerKind } from './kind.ts';

const schema = z
  .strictObject({ type: z.literal('crf') })
  .describe(
    'The last layer of a tagger: outputs of each step, and learned transitions between tags (Lafferty et al. 2001).',
  );

export const crf: LayerKind<typeof schema> = {
  schema,
  title: 'Linear-chain CRF',
  family: 'plain',
  tagsOnly: true,
  traits: () => ({ reads: 'vectors', sees: 'step', carries: true, reach: 1 }),
  width: (_, { inputs, isLast, asked }) => (isLast ? asked : inputs),
  parameters: (_, { inputs, outputs }) => ({
    count: (inputs + 1) * outputs + outputs * (outputs + 2),
    formula: `(${inputs} + 1)·${outputs} + ${outputs}·(${outputs} + 2)`,
  }),
  kept: (_, { inputs, outputs }) => inputs + 3 * outputs,
  multiplyAdds: (_, { inputs, outputs, steps }) => steps * (inputs * outputs + 2 * outputs * outputs),
  readout: () => 'linear',
  check: (_, at) => (at && !at.isLast ? [error(['type'], 'A CRF can only be the last layer.')] : []),
  about: () =>
    'log p(y) = Σ_t (W x_t + b)[y_t] + A[y_{t-1}, y_t] − log Z,   answers by Viterbi          Lafferty et al. 2001',
};
