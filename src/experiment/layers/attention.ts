// Attention of a decoder to its encoder's states: additive (Bahdanau et al. 2015, which is the concat of Luong et al. 2015),
// dot and general (Luong et al. 2015), and additive with a look at where it looked before (Chorowski et al. 2015).
import * as z from 'zod';
import { positiveInt } from '../fields.ts';
import { error } from '../remark.ts';
import { count, plural } from '../words.ts';
import type { At, LayerKind } from './kind.ts';

const schema = z
  .strictObject({
    type: z.literal('attention'),
    score: z
      .enum(['additive', 'dot', 'general', 'concat'])
      .default('additive')
      .describe(
        "How a step is compared with each state of the encoder: v·tanh(W_h h + W_s s) (Bahdanau et al. 2015), h·s or h·W s (Luong et al. 2015); concat is Luong's name of the additive score.",
      ),
    units: positiveInt
      .optional()
      .describe("Of the additive score: width of what is compared; default: that of the encoder's states."),
    locationSensitive: z
      .boolean()
      .default(false)
      .describe(
        'Of the additive score: a step also reads, by a convolution, the shares of the step before (Chorowski et al. 2015).',
      ),
    filters: positiveInt.default(10).describe('Of the location: outputs of the convolution.'),
    kernelSize: positiveInt.default(15).describe('Of the location: shares that it reads around each state.'),
  })
  .describe(
    "Looks at the encoder's states from each step, and hands on their weighted sum joined with the step itself.",
  );

type AttentionLayer = z.output<typeof schema>;

/** v·tanh(W [h; s]) is v·tanh(W_h h + W_s s). */
export function isAdditive({ score }: Pick<AttentionLayer, 'score'>): boolean {
  return score === 'additive' || score === 'concat';
}

/** A: width of what the additive score compares. */
export function comparedWidth({ units }: Pick<AttentionLayer, 'units'>, memory: number): number {
  return units ?? memory;
}

/** S: width of the encoder's states. */
function memoryOf({ memory }: Pick<At, 'memory'>): number {
  return memory ?? Number.NaN;
}

export const attention: LayerKind<typeof schema> = {
  schema,
  title: 'Attention',
  family: 'attention',
  needsEncoder: true,
  // of its own sequence it sees the step alone; the source stands beside it
  traits: () => ({ reads: 'vectors', sees: 'step', carries: true, reach: 1 }),
  width: (_, { inputs, memory }) => memoryOf({ memory: memory ?? null }) + inputs,
  parameters(layer, at) {
    const [S, H] = [memoryOf(at), at.inputs];
    if (layer.score === 'dot') return { count: 0, formula: '0' };
    if (layer.score === 'general') return { count: S * H, formula: `${S}·${H}` };
    const A = comparedWidth(layer, S);
    const { locationSensitive, filters: F, kernelSize: K } = layer;
    const [count, formula] = [A * (S + H) + A, `${A}·(${S} + ${H}) + ${A}`];
    if (!locationSensitive) return { count, formula };
    return { count: count + A * F + F * K, formula: `${formula} + ${A}·${F} + ${F}·${K}` };
  },
  // the source is taken to be as long as the sequence
  kept(layer, at) {
    const [S, T] = [memoryOf(at), at.steps];
    const A = comparedWidth(layer, S);
    // sums of pairs are made anew in the backward pass
    const compared = isAdditive(layer) ? 2 * A + 3 * S : 3 * S;
    const located = layer.locationSensitive ? T * (layer.filters + 2 * A + 2) : 0;
    // measured: scores, shares and their gradients are alive at once; a product's shares stay in its kernel
    const pairs = isAdditive(layer) ? 6 * T : 2 * T;
    return compared + located + pairs + 2 * (S + at.inputs);
  },
  multiplyAdds(layer, at) {
    const [S, H, T] = [memoryOf(at), at.inputs, at.steps];
    if (layer.score === 'dot') return 2 * T * T * S;
    if (layer.score === 'general') return T * S * H + 2 * T * T * S;
    const A = comparedWidth(layer, S);
    const { locationSensitive, filters: F, kernelSize: K } = layer;
    return T * A * (S + H) + T * T * (A + S + (locationSensitive ? F * (K + A) : 0));
  },
  check(layer, at) {
    if (layer.units !== undefined && !isAdditive(layer))
      return [
        error(['units'], `\`units\` belongs to the additive score; leave it out for "${layer.score}".`),
      ];
    if (layer.locationSensitive && !isAdditive(layer))
      return [
        error(
          ['locationSensitive'],
          `\`locationSensitive\` belongs to the additive score; leave it out for "${layer.score}".`,
        ),
      ];
    const memory = at?.memory ?? Number.NaN;
    if (layer.score !== 'dot' || !at || Number.isNaN(memory) || memory === at.inputs) return [];
    return [
      error(
        ['score'],
        `A dot product needs equal widths, but ${plural(at.inputs, 'number')} reach this layer and the encoder's states have ${count(memory)}; take "general" or "additive".`,
      ),
    ];
  },
  about({ score, locationSensitive }) {
    const scores = {
      additive: locationSensitive
        ? 'e_ts = v · tanh(W_h h_t + W_s s_s + U (F * a_{t-1})_s)          arXiv 1506.07503'
        : 'e_ts = v · tanh(W_h h_t + W_s s_s)          arXiv 1409.0473',
      dot: 'e_ts = h_t · s_s          arXiv 1508.04025',
      general: 'e_ts = h_t · W s_s          arXiv 1508.04025',
    };
    return [
      scores[score === 'concat' ? 'additive' : score],
      'a_t = softmax_s(e_t)',
      'y_t = [Σ_s a_ts s_s ; h_t]',
    ].join('\n');
  },
};
