// The linear chain against all sequences of classes: partition function, gradient and the likeliest classes.
import assert from 'node:assert/strict';
import { tensor1d, tensor2d, tensor3d, valueAndGrads } from '@tensorflow/tfjs-core';
import { type ChainCall, chainLoss, likeliestClasses } from '../../../../src/trainer/engine/chain.ts';
import { chainOf } from '../../../../src/trainer/engine/kernels/chain.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { randomStream } from '../../../../src/trainer/random.ts';

const [T, B, K] = [4, 3, 3];
const lengths = [4, 1, 3];

function drawn(seed: number, spread = 2) {
  const random = randomStream(seed, 'test/chain', 0);
  const values = (count: number) => Float32Array.from({ length: count }, () => spread * random.normal());
  const call: ChainCall = {
    ...{ seqLen: T, batch: B, classes: K, lengths },
    logits: values(T * B * K),
    transitions: values(K * K),
    start: values(K),
    end: values(K),
  };
  return { call, targets: Int32Array.from({ length: T * B }, () => random.int(K)) };
}

function scoreOf({ logits, transitions, start, end }: ChainCall, b: number, path: readonly number[]): number {
  return path.reduce(
    (sum, k, t) =>
      sum + logits[(t * B + b) * K + k]! + (t === 0 ? start[k]! : transitions[path[t - 1]! * K + k]!),
    end[path.at(-1)!]!,
  );
}

function pathsOf(length: number): number[][] {
  return Array.from({ length: K ** length }, (_, index) =>
    Array.from({ length }, (_, t) => Math.floor(index / K ** t) % K),
  );
}

/** Σ -log p by all sequences. */
function byAllPaths(call: ChainCall, targets: Int32Array): number {
  return lengths.reduce((loss, length, b) => {
    const all = pathsOf(length).reduce((sum, path) => sum + Math.exp(scoreOf(call, b, path)), 0);
    const own = Array.from({ length }, (_, t) => targets[t * B + b]!);
    return loss + Math.log(all) - scoreOf(call, b, own);
  }, 0);
}

describe('a linear chain over classes', () => {
  it('has the loss of all sequences of classes together', () => {
    for (let seed = 0; seed < 20; seed++) {
      const { call, targets } = drawn(seed);
      const expected = byAllPaths(call, targets);
      assert.ok(Math.abs(chainLoss(call, targets, null) - expected) < 1e-9 * Math.max(1, expected));
    }
  });

  it('holds where scores are far apart', () => {
    const { call, targets } = drawn(1, 40);
    const expected = lengths.reduce((loss, length, b) => {
      const scores = pathsOf(length).map(path => scoreOf(call, b, path));
      const most = Math.max(...scores);
      const all = most + Math.log(scores.reduce((sum, score) => sum + Math.exp(score - most), 0));
      return (
        loss +
        all -
        scoreOf(
          call,
          b,
          Array.from({ length }, (_, t) => targets[t * B + b]!),
        )
      );
    }, 0);
    assert.ok(Math.abs(chainLoss(call, targets, null) - expected) < 1e-6 * expected, String(expected));
  });

  it('has the gradient of central differences, nothing beyond a length, times the scale', () => {
    const { call, targets } = drawn(3);
    const empty = (values: ArrayLike<number>) => new Float32Array(values.length);
    const gradients = {
      logits: empty(call.logits),
      transitions: empty(call.transitions),
      start: empty(call.start),
      end: empty(call.end),
    };
    chainLoss(call, targets, gradients, 0.5);
    for (const name of ['logits', 'transitions', 'start', 'end'] as const)
      for (let i = 0; i < call[name].length; i++) {
        const moved = (by: number) => {
          const values = Float64Array.from(call[name]);
          values[i]! += by;
          return byAllPaths({ ...call, [name]: values }, targets);
        };
        const slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
        assert.ok(Math.abs(gradients[name][i]! - slope / 2) < 1e-5, `${name} ${i}: ${slope / 2}`);
      }
    // sequence 1 has one step
    assert.deepEqual([...gradients.logits.subarray(12, 15)], [0, 0, 0]);
  });

  it('finds the classes of the highest score', () => {
    for (let seed = 0; seed < 30; seed++) {
      const { call } = drawn(seed);
      likeliestClasses(call).forEach((path, b) => {
        const best = pathsOf(lengths[b]!).reduce((a, c) =>
          scoreOf(call, b, c) > scoreOf(call, b, a) ? c : a,
        );
        assert.deepEqual(path, best);
      });
    }
  });

  it('gives the tape the mean over the steps, and its gradients', async () => {
    await startEngine('reference', null);
    const { call, targets } = drawn(5);
    const gradients = {
      logits: new Float32Array(T * B * K),
      transitions: new Float32Array(K * K),
      start: new Float32Array(K),
      end: new Float32Array(K),
    };
    const loss = chainLoss(call, targets, gradients, 1 / 8);
    const run = valueAndGrads((logits, transitions, start, end) =>
      chainOf(
        logits as never,
        { transitions: transitions!, start: start!, end: end! },
        targets,
        Int32Array.from(lengths),
      ),
    );
    const { value, grads } = run([
      tensor3d(call.logits as Float32Array, [T, B, K]),
      tensor2d(call.transitions as Float32Array, [K, K]),
      tensor1d(call.start as Float32Array),
      tensor1d(call.end as Float32Array),
    ]);
    assert.ok(Math.abs(value.dataSync()[0]! - loss / 8) < 1e-6);
    assert.deepEqual(
      grads.map(grad => grad.dataSync()),
      Object.values(gradients),
    );
  });
});
