// Faults put in by hand, each a mistake that people make: [file, what stands there (once), what stands there instead].
// A place that is no longer there fails the run: move the fault to where its idea went.
export const faults = [
  // kernels: swapped gates, wrong slopes, lost state, wrong bounds
  [
    'kernels/lstm.h',
    'multiply_add(f, load(b.c_prev + at), i * g)',
    'multiply_add(i, load(b.c_prev + at), f * g)',
  ],
  ['kernels/lstm.h', 'g_slope = one - g * g', 'g_slope = g * (one - g)'],
  ['kernels/lstm.h', 'store(carry, dc[v] * f)', 'store(carry, dc[v])'],
  [
    'kernels/optimizers.h',
    'call->nesterov ? multiply_add(momentum, b, g) : b',
    'call->nesterov ? b : multiply_add(momentum, b, g)',
  ],
  ['kernels/optimizers.h', 'square_root(s) + epsilon', 'square_root(s + epsilon)'],
  ['kernels/optimizers.h', 'for (; i < count; i++) sum += (double)a[i] * a[i];', ''],
  // layers
  [
    'src/trainer/layers/gru.ts',
    'n: Tensor2D = tanh(add<Tensor2D>(inputN, mul(r, hiddenN)))',
    'n: Tensor2D = tanh(add<Tensor2D>(inputN, mul(z, hiddenN)))',
  ],
  [
    'src/trainer/layers/lstm.ts',
    'sigmoid(seen(parts[1]!, 1, before))',
    'sigmoid(seen(parts[0]!, 0, before))',
  ],
  ['src/trainer/layers/recurrent.ts', 'options.reverse ? seqLen - 1 - s : s', 's'],
  [
    'src/trainer/layers/weights.ts',
    'String(given.shape) !== String(shape)',
    'given.shape.length !== shape.length',
  ],
  // runs
  ['src/runs/reader.ts', 'entry.step <= step', 'entry.step < step'],
  ['src/runs/reader.ts', 'for (const tail of this.tails.values()) tail.reset();', ''],
  ['src/runs/lock.ts', 'if (readText(path) === own) rmSync', 'rmSync'],
  ['src/runs/lock.ts', 'if (readText(path) !== content) return false;', ''],
  // diagnosis
  [
    'src/diagnosis/exploding.ts',
    'norm > LARGE && norm > SPIKE * usual',
    'norm > LARGE || norm > SPIKE * usual',
  ],
  ['src/diagnosis/overfitting.ts', 'each.step > best.step', 'each.step < best.step'],
  ['src/diagnosis/dead-units.ts', 'share >= DEAD', 'share < DEAD'],
  ['src/diagnosis/reach.ts', 'Math.log(0.5) / Math.log(forgetMean)', 'Math.log(forgetMean) / Math.log(0.5)'],
  // definitions
  [
    'src/definitions/training/clipping.ts',
    'value !== null && value > 0) return { value, line: call.line };\n    note',
    'value !== null) return { value, line: call.line };\n    note',
  ],
  ['src/definitions/frameworks/torch.ts', 'batch_first: false', 'batch_first: true'],
  [
    'src/definitions/lint/last-step.ts',
    'if (!first || batchFirst === (dimension === 1)) return [];',
    'if (!first || batchFirst !== (dimension === 1)) return [];',
  ],
  ['src/definitions/frameworks/torch.ts', 'num_layers: 1', 'num_layers: 2'],
];
