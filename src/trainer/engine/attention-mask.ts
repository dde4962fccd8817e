// A mask of attention with what was left out: the rule that all engines keep (provider.ts, AttentionMask).
import type { AttentionMask } from './provider.ts';

export { seesKey } from '../../experiment/attention-mask.ts';

/** What is left out: every key is seen. */
export function attentionMask(given: Partial<AttentionMask>): AttentionMask {
  const { causal = false, offset = 0, window = 0, dilation = 1, stride = 0, globals = 0 } = given;
  return { causal, offset, window, dilation, stride, globals };
}
