// Losses on the tape: masks, weights and what they refuse. Cross-entropy's values are in the provider's vectors.
import assert from 'node:assert/strict';
import { grad, type Tensor2D, tensor2d } from '@tensorflow/tfjs-core';
import { meanSquaredError, softmaxCrossEntropy } from '../../../../src/trainer/engine/losses.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { assertClose } from './golden.ts';

describe('losses', () => {
  before(() => startEngine('reference', null));
  const predictions = () => tensor2d([1, 2, 3, 4, 5, 6], [3, 2]);
  const targets = () => tensor2d([1, 1, 5, 4, 0, 6], [3, 2]);

  it('mean squared error is the mean over rows and columns', () => {
    assertClose(meanSquaredError(predictions(), targets()).dataSync(), [(1 + 4 + 25) / 6], 'loss');
  });

  it('mean squared error weighs rows, and masked rows have no gradient', () => {
    const weights = Float32Array.of(1, 3, 0);
    assertClose(
      meanSquaredError(predictions(), targets(), weights).dataSync(),
      [(1 + 3 * 4) / (2 * 4)],
      'loss',
    );
    const gradient = grad(p => meanSquaredError(p as Tensor2D, targets(), weights))(predictions());
    assertClose(gradient.dataSync(), [0, 0.25, -1.5, 0, 0, 0], 'gradient');
  });

  it('all rows masked: a loss of 0 and a zero gradient', () => {
    const none = new Float32Array(3);
    assert.equal(meanSquaredError(predictions(), targets(), none).dataSync()[0], 0);
    const gradient = grad(p => meanSquaredError(p as Tensor2D, targets(), none))(predictions());
    assert.ok(gradient.dataSync().every(value => value === 0));
  });

  it('a masked row may hold any target, an unmasked one may not', () => {
    const weights = Float32Array.of(1, 0, 1);
    const loss = softmaxCrossEntropy(predictions(), Int32Array.of(0, -1, 1), weights);
    assertClose(loss.dataSync(), [(Math.log(1 + Math.E) + Math.log(1 + 1 / Math.E)) / 2], 'loss');
    assert.throws(
      () => softmaxCrossEntropy(predictions(), Int32Array.of(0, 2, 1), null),
      /target 2 of row 1 .* 2 classes/,
    );
    assert.throws(
      () => softmaxCrossEntropy(predictions(), Int32Array.of(0, 1, -1), null),
      /target -1 of row 2 .* 2 classes/,
    );
  });

  it('refuse lengths that do not fit', () => {
    assert.throws(
      () => softmaxCrossEntropy(predictions(), Int32Array.of(0), null),
      /3 rows of logits, 1 targets/,
    );
    assert.throws(
      () => meanSquaredError(predictions(), targets(), Float32Array.of(1)),
      /3 rows .* 1 weights/,
    );
  });
});
