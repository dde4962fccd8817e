// Softmax cross-entropy with masks, weights and label smoothing (C. Szegedy et al., 2016,
// https://arxiv.org/abs/1512.00567), as torch.nn.CrossEntropyLoss computes it, and its gradient in the same pass:
//
//   -log p_c = log Σ_k exp(l_k - max) - (l_c - max)
//   L = Σ_n w_n ((1-ε) (-log p_target) + ε/C Σ_c (-log p_c)) / Σ_n w_n
//   ∂L/∂l_c = w_n / Σ w · (p_c - (1-ε) [c = target] - ε/C)
import type { SoftmaxCrossEntropy } from '../provider.ts';

export function softmaxCrossEntropy(call: SoftmaxCrossEntropy): number {
  const { rows, classes, logits, targets, weights, labelSmoothing, dLogits } = call;
  const weightOf = (row: number) => (weights ? weights.data[weights.offset + row]! : 1);
  let weightSum = 0;
  for (let row = 0; row < rows; row++) weightSum += weightOf(row);
  const spread = labelSmoothing / classes;
  const l = logits.data;
  let loss = 0;
  for (let row = 0; row < rows; row++) {
    const from = logits.offset + row * classes;
    const weight = weightOf(row);
    if (weight === 0) {
      dLogits?.data.fill(0, dLogits.offset + row * classes, dLogits.offset + (row + 1) * classes);
      continue;
    }
    let max = Number.NEGATIVE_INFINITY;
    let sumLogits = 0;
    for (let c = from; c < from + classes; c++) {
      if (l[c]! > max) max = l[c]!;
      sumLogits += l[c]!;
    }
    let sumExp = 0;
    for (let c = from; c < from + classes; c++) sumExp += Math.exp(l[c]! - max);
    const logSum = max + Math.log(sumExp);
    const target = targets.data[targets.offset + row]!;
    const onTarget = logSum - l[from + target]!;
    let rowLoss = (1 - labelSmoothing) * onTarget;
    if (labelSmoothing > 0) rowLoss += labelSmoothing * (logSum - sumLogits / classes);
    loss += (weight / weightSum) * rowLoss;
    if (!dLogits) continue;
    const d = dLogits.data;
    const to = dLogits.offset + row * classes;
    const share = weight / weightSum;
    for (let c = 0; c < classes; c++) {
      const hit = c === target ? 1 - labelSmoothing : 0;
      d[to + c] = share * (Math.exp(l[from + c]! - logSum) - hit - spread);
    }
  }
  return loss;
}
