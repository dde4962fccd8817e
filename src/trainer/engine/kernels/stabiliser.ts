// The stabiliser of exponential gates (M. Beck et al., 2024, https://arxiv.org/abs/2405.04517, section 2.2):
//
//   m_t = max(log f_t + m_{t-1}, log i_t)      f'_t = exp(log f_t + m_{t-1} - m_t)      i'_t = exp(log i_t - m_t)
//
// A state divided by exp(m_t) follows f' and i', both at most 1. m_0 of an empty memory is -∞.

export interface Gates {
  seqLen: number;
  batch: number;
  heads: number;
  reverse: boolean;
  lengths: Int32Array | null;
  /** of what has not been divided */
  floor: number;
  /** (T, B, H) each; null: 0 */
  logDecay: Float32Array | null;
  logStrength: Float32Array | null;
  /** (B, H) */
  m0: Float32Array | null;
}

export interface Stabilised {
  /** (T, B, H) f' and i' */
  decay: Float32Array;
  strength: Float32Array;
  /** (T, B, H) floor · exp(-m_t) */
  floors: Float32Array;
  /** (B, H) */
  mN: Float32Array;
}

export function stabilised(gates: Gates): Stabilised {
  const { seqLen, batch, heads, reverse, lengths, floor, logDecay, logStrength } = gates;
  const perStep = batch * heads;
  const [decay, strength] = [new Float32Array(seqLen * perStep), new Float32Array(seqLen * perStep)];
  // beyond a length too, where compositions divide by it before they mask
  const floors = new Float32Array(seqLen * perStep).fill(floor);
  const mN = gates.m0?.slice() ?? new Float32Array(perStep).fill(Number.NEGATIVE_INFINITY);
  for (let b = 0; b < batch; b++) {
    const length = lengths?.[b] ?? seqLen;
    for (let s = 0; s < length; s++) {
      const t = reverse ? length - 1 - s : s;
      for (let place = b * heads; place < (b + 1) * heads; place++) {
        const at = t * perStep + place;
        const [logF, logI, before] = [logDecay?.[at] ?? 0, logStrength?.[at] ?? 0, mN[place]!];
        const m = Math.max(logF + before, logI);
        // nothing is kept and nothing comes in: the state stays empty
        const shift = m === Number.NEGATIVE_INFINITY ? 0 : m;
        decay[at] = Math.exp(logF + before - shift);
        strength[at] = Math.exp(logI - shift);
        floors[at] = floor * Math.exp(-shift);
        mN[place] = m;
      }
    }
  }
  return { decay, strength, floors, mN };
}
