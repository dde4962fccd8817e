// The backend: starting it, its kernels against tfjs's own, and that nothing leaks.
import assert from 'node:assert/strict';
import {
  add,
  concat,
  getBackend,
  grad,
  grads,
  matMul,
  memory,
  mul,
  reshape,
  type Scalar,
  slice,
  square,
  sum,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  tensor2d,
  tensor3d,
  tidy,
  variableGrads,
} from '@tensorflow/tfjs-core';
import { experimentSchema } from '../../../../src/experiment/schema.ts';
import type { EngineName } from '../../../../src/runs/format.ts';
import { dense } from '../../../../src/trainer/engine/kernels/dense.ts';
import { embedding } from '../../../../src/trainer/engine/kernels/embedding.ts';
import { recurrent } from '../../../../src/trainer/engine/kernels/recurrent.ts';
import { softmaxCrossEntropy } from '../../../../src/trainer/engine/losses.ts';
import { loadAddon } from '../../../../src/trainer/engine/native/addon.ts';
import { EngineUnavailableError, startEngine } from '../../../../src/trainer/engine/start.ts';
import { buildModel } from '../../../../src/trainer/layers/build.ts';
import { clipByGlobalNorm, createOptimizer } from '../../../../src/trainer/training/optimizers.ts';
import { assertClose, useStockBackend } from './golden.ts';

function wave(rows: number, columns: number, salt: number): Tensor2D {
  return tensor2d(
    Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(salt + i * 1.3)),
    [rows, columns],
  );
}

describe('starting the engine', () => {
  it('reference gives the reference provider, and says so', async () => {
    const used = await startEngine('reference', null);
    assert.equal(getBackend(), 'unroll');
    assert.equal(used.provider, 'reference');
    assert.equal(used.threads, 1);
    assert.ok(used.why.length > 10);
  });

  it('auto takes the native provider where it is built', async () => {
    const isBuilt = typeof loadAddon() !== 'string';
    const used = await startEngine('auto', 2);
    assert.equal(getBackend(), 'unroll');
    assert.equal(used.provider === 'native', isBuilt);
    if (isBuilt) assert.equal(used.threads, 2);
    assert.ok(used.why.length > 10);
    await startEngine('reference', null);
  });

  it('wasm gives the WASM provider with the threads that were asked for', async () => {
    const used = await startEngine('wasm', 2);
    assert.equal(used.provider, 'wasm');
    assert.match(used.instructionSet, /simd/);
    assert.equal(used.threads, 2);
    const a = wave(3, 5, 1);
    await startEngine('reference', null);
    a.dispose();
  });

  it('an engine that is not there is refused in words that name a way out', async () => {
    await assert.rejects(startEngine('cuda' as EngineName, null), (error: Error) => {
      assert.ok(error instanceof EngineUnavailableError);
      assert.match(error.message, /no engine "cuda".*"auto" or "reference"/i);
      return true;
    });
  });
});

describe('kernels of the backend', () => {
  before(() => startEngine('reference', null));

  it('matMul equals tfjs-backend-cpu in every transposition, with gradients', async () => {
    const run = () =>
      [false, true].flatMap(transposeA =>
        [false, true].flatMap(transposeB =>
          tidy(() => {
            const a = transposeA ? wave(5, 3, 1) : wave(3, 5, 1);
            const b = transposeB ? wave(7, 5, 2) : wave(5, 7, 2);
            const loss = (x: Tensor, y: Tensor) =>
              sum(square(matMul(x as Tensor2D, y as Tensor2D, transposeA, transposeB))) as Scalar;
            const [da, db] = grads(loss)([a, b]) as [Tensor, Tensor];
            const product = matMul(a, b, transposeA, transposeB);
            return [...product.dataSync(), ...da.dataSync(), ...db.dataSync()];
          }),
        ),
      );
    const ours = run();
    await useStockBackend();
    const stock = run();
    await startEngine('reference', null);
    assertClose(ours, stock, 'products and gradients');
  });

  it('slice equals tfjs-backend-cpu along each axis and along several, with gradients', async () => {
    const cuts = [
      [
        [1, 0, 0],
        [2, 4, 5],
      ],
      [
        [0, 1, 0],
        [3, 2, 5],
      ],
      [
        [0, 0, 3],
        [3, 4, -1],
      ],
      [
        [0, 1, 2],
        [3, 2, 2],
      ],
      [
        [0, 0, 0],
        [3, 4, 5],
      ],
      [
        [0, 2, 0],
        [3, 0, 5],
      ],
    ] as [number[], number[]][];
    const results = () =>
      cuts.flatMap(([begin, size]) =>
        tidy(() => {
          const x = reshape(wave(12, 5, 2), [3, 4, 5]);
          const part = slice(x, begin, size);
          const dx = grad((x: Tensor) => sum(square(slice(x, begin, size))))(x);
          return [part, dx].map(each => ({ shape: each.shape, values: [...each.dataSync()] }));
        }),
      );
    const ours = results();
    await useStockBackend();
    const stock = results();
    await startEngine('reference', null);
    assert.deepEqual(ours, stock);
    assert.deepEqual(ours[4]!.shape, [3, 4, 2]);
  });

  it('the gradient of concat cuts along each axis as tfjs-backend-cpu does', async () => {
    const results = () =>
      [0, 1, 2, -1].flatMap(axis =>
        tidy(() => {
          const [x, y] = [reshape(wave(12, 5, 3), [3, 4, 5]), reshape(wave(12, 5, 4), [3, 4, 5])];
          const both = grads((x: Tensor, y: Tensor) => sum(square(concat([x, y, x], axis))))([x, y]);
          return both.map(each => ({ shape: each.shape, values: [...each.dataSync()] }));
        }),
      );
    const ours = results();
    await useStockBackend();
    const stock = results();
    await startEngine('reference', null);
    assert.deepEqual(ours, stock);
  });

  it('dense equals x Wᵀ + b, and its gradients those of the composition', () => {
    tidy(() => {
      const [x, weight, bias] = [wave(6, 3, 1), wave(4, 3, 2), reshape(wave(1, 4, 3), [4])];
      const fused = (a: Tensor, w: Tensor, b: Tensor) => sum(square(dense(a, w, b))) as Scalar;
      const plain = (a: Tensor, w: Tensor, b: Tensor) =>
        sum(square(add(matMul(a as Tensor2D, w as Tensor2D, false, true), b))) as Scalar;
      const [ours, expected] = [grads(fused)([x, weight, bias]), grads(plain)([x, weight, bias])];
      for (const [i, gradient] of ours.entries())
        assertClose(gradient.dataSync(), expected[i]!.dataSync(), `gradient ${i}`);
    });
  });

  it('embedding refuses an id that is no row of the table', () => {
    assert.throws(() => embedding(wave(3, 2, 0), Int32Array.of(0, 3), [2]), /id 3 .*rows 0 to 2/);
    assert.throws(() => embedding(wave(3, 2, 0), Int32Array.of(-1), [1]), /id -1/);
  });

  it('a gradient by the loss is scaled by what comes from above', () => {
    const logits = wave(4, 3, 1);
    const targets = Int32Array.of(0, 1, 2, 0);
    const one = grad(x => softmaxCrossEntropy(x as Tensor2D, targets, null))(logits);
    const three = grad(x => mul(softmaxCrossEntropy(x as Tensor2D, targets, null), 3) as Scalar)(logits);
    assertClose(
      three.dataSync(),
      Array.from(one.dataSync(), value => 3 * value),
      'gradient',
    );
  });

  it('a dense head and its loss in one kernel have the gradients of the two, scaled by what comes from above', () => {
    tidy(() => {
      const [weight, bias] = [wave(5, 3, 2), reshape(wave(1, 5, 3), [5])];
      const x = reshape(wave(6, 3, 1), [2, 3, 3]) as Tensor3D;
      const targets = Int32Array.of(0, 4, 2, -1, 1, 3);
      const weights = Float32Array.of(1, 2, 0.5, 0, 1, 1);
      const loss = (apart: boolean) => (x: Tensor, weight: Tensor, bias: Tensor) => {
        const applied = () => dense(x as Tensor3D, weight, bias);
        const head = { x: x as Tensor3D, weight, bias, inputGradient: true, applied };
        return mul(softmaxCrossEntropy(apart ? applied() : head, targets, weights, 0.1), 3) as Scalar;
      };
      assert.equal(loss(false)(x, weight, bias).dataSync()[0], loss(true)(x, weight, bias).dataSync()[0]);
      const [fused, apart] = [false, true].map(one => grads(loss(one))([x, weight, bias]));
      for (const [i, gradient] of fused!.entries()) {
        assert.deepEqual(gradient.shape, apart![i]!.shape);
        assertClose(gradient.dataSync(), apart![i]!.dataSync(), `gradient ${i}`);
      }
    });
  });

  it('recurrent names the operand whose shape is wrong', () => {
    const x = tensor3d([1, 2, 3, 4], [2, 1, 2]);
    const [weightIh, weightHh] = [wave(8, 2, 1), wave(8, 2, 2)];
    assert.throws(
      () => recurrent({ x, weightIh, weightHh }, { cell: 'gru-reset-after' }),
      /weightIh has shape \[8,2\], but \[6,2\]/,
    );
    assert.throws(
      () => recurrent({ x, weightIh, weightHh }, { cell: 'lstm', lengths: Int32Array.of(3) }),
      /length of 3 .* 2 steps/,
    );
  });

  it('recurrent gives gradients of the initial states, and only those asked for', () => {
    tidy(() => {
      const x = tensor3d([0.1, 0.2, 0.3, 0.4], [2, 1, 2]);
      const [weightIh, weightHh, h0, c0] = [wave(8, 2, 1), wave(8, 2, 2), wave(1, 2, 3), wave(1, 2, 4)];
      const loss = (h: Tensor, c: Tensor) =>
        sum(
          recurrent({ x, weightIh, weightHh, h0: h, c0: c }, { cell: 'lstm', inputGradient: false }).y,
        ) as Scalar;
      const [dh0, dc0] = grads(loss)([h0, c0]) as [Tensor, Tensor];
      const step = 1e-2;
      const shifted = (which: Tensor, by: number) => add(which, tensor2d([[by, 0]]));
      const difference = (f: (by: number) => Scalar) =>
        (f(step).dataSync()[0]! - f(-step).dataSync()[0]!) / (2 * step);
      assertClose([dh0.dataSync()[0]!], [difference(by => loss(shifted(h0, by), c0))], 'dh0', 2e-3);
      assertClose([dc0.dataSync()[0]!], [difference(by => loss(h0, shifted(c0, by)))], 'dc0', 2e-3);
      const ofX = grad(input =>
        sum(
          recurrent({ x: input as typeof x, weightIh, weightHh }, { cell: 'lstm', inputGradient: false }).y,
        ),
      );
      assert.throws(() => ofX(x), /gradient of x was not asked for/);
    });
  });
});

describe('training steps', () => {
  before(() => startEngine('reference', null));

  const experiment = experimentSchema.parse({
    data: { task: 'adding' },
    model: {
      layers: [
        { type: 'embedding', dim: 3 },
        { type: 'lstm', units: 4, layers: 2, dropout: 0.3 },
        { type: 'gru', units: 3 },
        { type: 'rnn', units: 3 },
        { type: 'dropout', rate: 0.2 },
        { type: 'dense' },
      ],
    },
  });
  const [seqLen, batch, vocabulary] = [5, 3, 6];
  const tokens = Int32Array.from({ length: seqLen * batch }, (_, i) => (i * 5) % vocabulary);

  interface Seen {
    norms: Float32Array;
    gates: Float32Array[];
  }

  /** Trains and returns the final weights; what the watch is told is collected when asked for. */
  function train(steps: number, seen?: Seen[], counts?: number[]): number[] {
    const model = buildModel(experiment, { input: { kind: 'tokens', vocabulary }, outputs: vocabulary }, 1);
    const optimizer = createOptimizer(experiment.training.optimizer, model.variables);
    for (let step = 0; step < steps; step++) {
      tidy(() => {
        const { grads: byId } = variableGrads(() => {
          const { outputs } = model.forward(tensor2d(tokens, [seqLen, batch], 'int32'), {
            training: true,
            step,
            lengths: Int32Array.of(5, 2, 4),
            state: null,
            outputs: 'every-step',
            watch: seen && {
              gradient: (level, _, norms) => (seen[level] = { norms, gates: [] }),
              gates: (level, _, mean, saturated) => (seen[level]!.gates = [mean, saturated]),
            },
          });
          const rows = reshape(outputs, [seqLen * batch, vocabulary]) as Tensor2D;
          return softmaxCrossEntropy(rows, tokens, null);
        }, [...model.variables.values()]);
        const gradients = new Map([...model.variables].map(([name, { name: key }]) => [name, byId[key]!]));
        clipByGlobalNorm(gradients, 1);
        optimizer.step(gradients, 0.01);
      });
      counts?.push(memory().numTensors);
    }
    const weights = [...model.variables.values()].flatMap(variable => [...variable.dataSync()]);
    model.dispose();
    return weights;
  }

  it('leave the number of tensors level over 200 steps', () => {
    const before = memory().numTensors;
    const counts: number[] = [];
    train(200, [], counts);
    assert.equal(new Set(counts).size, 1, `tensors by step: ${[...new Set(counts)]}`);
    assert.equal(memory().numTensors, before);
  });

  it('give the same bits each time, with reports on or off', () => {
    const first = train(20);
    assert.deepEqual(train(20), first);
    assert.deepEqual(train(20, []), first);
  });

  it('tell the watch of every level, in the shapes of its kind', () => {
    const seen: Seen[] = [];
    train(1, seen);
    // an embedding, two levels of an LSTM, a GRU, an RNN, dropout; the last dense layer has none
    assert.deepEqual(
      seen.map(({ gates }) => gates.map(({ length }) => length / seqLen)),
      [[], [4, 4], [4, 4], [3, 3], [], []],
    );
    for (const { norms } of seen) {
      assert.equal(norms.length, seqLen);
      assert.ok(norms.every(norm => norm > 0));
    }
  });
});
