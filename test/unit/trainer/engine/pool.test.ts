// The storage of tensors is used again, and never while anyone might still read it.
import assert from 'node:assert/strict';
import {
  reshape,
  type Scalar,
  slice,
  square,
  sub,
  sum,
  type Tensor2D,
  tensor2d,
  tidy,
  type Variable,
  variable,
  variableGrads,
} from '@tensorflow/tfjs-core';
import { dense } from '../../../../src/trainer/engine/kernels/dense.ts';
import { newFloats, sizeClass, startPool, tapeIsDone } from '../../../../src/trainer/engine/pool.ts';
import { referenceProvider } from '../../../../src/trainer/engine/reference/provider.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { floats } from '../../../../src/trainer/engine/storage.ts';

const ROWS = 40;
const WIDTH = 30;

function input(salt: number): Tensor2D {
  const values = Float32Array.from({ length: ROWS * WIDTH }, (_, i) => Math.sin(salt + i));
  return tensor2d(values, [ROWS, WIDTH]);
}

describe('pool of storage', () => {
  let weight: Variable;
  before(() => startEngine('reference', null));
  beforeEach(() => {
    startPool(referenceProvider);
    weight = variable(tensor2d(new Float32Array(WIDTH * WIDTH).fill(0.01), [WIDTH, WIDTH]));
  });
  afterEach(() => weight.dispose());

  it('size classes hold the size, waste less than a quarter, and are their own class', () => {
    for (let size = 256; size < 5000; size += 7) {
      const capacity = sizeClass(size);
      assert.ok(capacity >= size && capacity <= size * 1.25, `${size} in ${capacity}`);
      assert.equal(sizeClass(capacity), capacity);
    }
  });

  it('the storage of a disposed tensor is that of the next one of its size', () => {
    const x = input(1);
    const first = dense(x, weight, null);
    const { buffer } = floats(first);
    first.dispose();
    const second = dense(x, weight, null);
    assert.equal(floats(second).buffer, buffer);
    const third = dense(x, weight, null);
    assert.notEqual(floats(third).buffer, buffer);
  });

  it('what was read by dataSync, or by a kernel that is not ours, is never used again', () => {
    const x = input(2);
    const read = dense(x, weight, null);
    const values = read.dataSync();
    const kept = values.slice();
    read.dispose();
    const viewed = dense(x, weight, null);
    const part = slice(viewed, [1, 0], [2, WIDTH]);
    viewed.dispose();
    const others = [3, 4, 5].map(salt => dense(input(salt), weight, null));
    assert.deepEqual(values, kept);
    assert.deepEqual(part.dataSync(), kept.slice(WIDTH, 3 * WIDTH));
    for (const other of others) other.dispose();
  });

  it('a reshaped tensor keeps the storage alive', () => {
    const made = dense(input(6), weight, null);
    const flat = reshape(made, [-1]);
    const before = floats(flat).slice();
    made.dispose();
    dense(input(7), weight, null);
    assert.deepEqual(floats(flat), before);
  });

  it('activations that the backward pass wants stay until the tape is done', () => {
    const x = input(8);
    const grads = () =>
      variableGrads(() => {
        const hidden = tidy(() => dense(dense(x, weight, null), weight, null));
        return sum(square(sub(hidden, 1))) as Scalar;
      }, [weight]).grads[weight.name]!.dataSync();
    const first = grads().slice();
    tapeIsDone();
    for (let i = 0; i < 5; i++) {
      const again = grads();
      tapeIsDone();
      assert.deepEqual(again, first);
    }
  });

  it('small arrays are not pooled, large ones come as long as asked', () => {
    assert.equal(newFloats(3).length, 3);
    assert.equal(newFloats(1000).length, 1000);
  });
});
