// Layer normalisation: J. L. Ba, J. R. Kiros, G. E. Hinton, 2016, https://arxiv.org/abs/1607.06450. Sums in float64.
//
//   x̂ = (x - mean) r      r = 1/√(variance + ε)      y = weight ⊙ x̂ + bias
//
//   ∂L/∂x̂ = weight ⊙ ∂L/∂y = g
//   ∂L/∂x = r (g - mean(g) - x̂ mean(g ⊙ x̂))      ∂L/∂weight = Σ_n ∂L/∂y ⊙ x̂      ∂L/∂bias = Σ_n ∂L/∂y
import type { LayerNorm, LayerNormBackward } from '../provider.ts';

export function layerNorm(call: LayerNorm): void {
  const { rows, width, epsilon, x, weight, bias, y } = call;
  for (let row = 0; row < rows; row++) {
    const from = x.offset + row * width;
    let sum = 0;
    for (let j = 0; j < width; j++) sum += x.data[from + j]!;
    const mean = sum / width;
    let squares = 0;
    for (let j = 0; j < width; j++) squares += (x.data[from + j]! - mean) ** 2;
    const inverse = 1 / Math.sqrt(squares / width + epsilon);
    const to = y.offset + row * width;
    for (let j = 0; j < width; j++) {
      const normal = (x.data[from + j]! - mean) * inverse;
      y.data[to + j] = normal * weight.data[weight.offset + j]! + bias.data[bias.offset + j]!;
    }
    if (call.mean) call.mean.data[call.mean.offset + row] = mean;
    if (call.inverseDeviation) call.inverseDeviation.data[call.inverseDeviation.offset + row] = inverse;
  }
}

export function layerNormBackward(call: LayerNormBackward): void {
  const { rows, width, x, weight, mean, inverseDeviation, dy, dx, dWeight, dBias } = call;
  const weightSums = new Float64Array(width);
  const biasSums = new Float64Array(width);
  for (let row = 0; row < rows; row++) {
    const from = x.offset + row * width;
    const fromDy = dy.offset + row * width;
    const centre = mean.data[mean.offset + row]!;
    const inverse = inverseDeviation.data[inverseDeviation.offset + row]!;
    const normalAt = (j: number) => (x.data[from + j]! - centre) * inverse;
    const slopeAt = (j: number) => dy.data[fromDy + j]! * weight.data[weight.offset + j]!;
    let slopes = 0;
    let products = 0;
    for (let j = 0; j < width; j++) {
      const normal = normalAt(j);
      weightSums[j] = weightSums[j]! + dy.data[fromDy + j]! * normal;
      biasSums[j] = biasSums[j]! + dy.data[fromDy + j]!;
      slopes += slopeAt(j);
      products += slopeAt(j) * normal;
    }
    if (!dx) continue;
    const to = dx.offset + row * width;
    for (let j = 0; j < width; j++)
      dx.data[to + j] = inverse * (slopeAt(j) - slopes / width - (normalAt(j) * products) / width);
  }
  dWeight.data.set(weightSums, dWeight.offset);
  dBias.data.set(biasSums, dBias.offset);
}
