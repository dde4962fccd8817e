// Which keys a query of attention sees: the rule that all engines keep (provider.ts, AttentionMask).
import type { AttentionMask } from './provider.ts';

/** What is left out: every key is seen. */
export function attentionMask(given: Partial<AttentionMask>): AttentionMask {
  const { causal = false, offset = 0, window = 0, dilation = 1, stride = 0, globals = 0 } = given;
  return { causal, offset, window, dilation, stride, globals };
}

/** Whether a query at place t sees key s. */
export function seesKey(mask: AttentionMask, t: number, s: number): boolean {
  const { causal, window, dilation, stride, globals } = mask;
  const apart = Math.abs(t - s);
  if (causal && s > t) return false;
  if (window === 0 && stride === 0 && globals === 0) return true;
  if (s < globals || t < globals) return true;
  if (window > 0 && apart < window * dilation && apart % dilation === 0) return true;
  return stride > 0 && apart % stride === 0;
}
