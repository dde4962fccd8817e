// Optimizers on variables: state and restoring, snapshots, clipping, and finding what is not finite. The updates
// themselves are in the provider's vectors and the golden models.
import assert from 'node:assert/strict';
import { type Tensor, tensor1d, type Variable, variable } from '@tensorflow/tfjs-core';
import { experimentSchema } from '../../../../src/experiment/schema.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import {
  clipByGlobalNorm,
  createOptimizer,
  firstNonFinite,
  globalNorm,
} from '../../../../src/trainer/training/optimizers.ts';
import { assertClose } from './golden.ts';

function specOf(optimizer: object) {
  return experimentSchema.parse({
    data: { task: 'adding' },
    model: { layers: [{ type: 'dense' }] },
    training: { optimizer },
  }).training.optimizer;
}

const named = (...tensors: [string, Tensor][]) => new Map(tensors);

describe('optimizers', () => {
  before(() => startEngine('reference', null));

  for (const spec of [
    { type: 'adam' },
    { type: 'adamw', weightDecay: 0.1 },
    { type: 'sgd', momentum: 0.9, nesterov: true },
    { type: 'rmsprop', momentum: 0.5 },
  ]) {
    it(`${spec.type} goes on from a saved state to the bit`, () => {
      const gradient = (step: number) => named(['w', tensor1d([Math.sin(step), Math.cos(step), 0.5])]);
      const start = (values: ArrayLike<number>) => {
        const weights = variable(tensor1d(Float32Array.from(values)));
        return { weights, optimizer: createOptimizer(specOf(spec), new Map([['w', weights]])) };
      };
      const through = start([1, 2, 3]);
      for (let step = 0; step < 6; step++) through.optimizer.step(gradient(step), 0.1);
      const first = start([1, 2, 3]);
      for (let step = 0; step < 3; step++) first.optimizer.step(gradient(step), 0.1);
      const [savedWeights, saved] = [first.weights.dataSync().slice(), first.optimizer.state()];
      // what comes after saving must not reach into what was saved
      first.optimizer.step(gradient(0), 0.1);
      const second = start(savedWeights);
      second.optimizer.restore(saved);
      for (let step = 3; step < 6; step++) second.optimizer.step(gradient(step), 0.1);
      assert.deepEqual([...second.weights.dataSync()], [...through.weights.dataSync()]);
    });
  }

  it('a state that does not fit is refused by name', () => {
    const weights = variable(tensor1d([1, 2]));
    const optimizer = createOptimizer(specOf({ type: 'adam' }), new Map([['w', weights]]));
    assert.throws(() => optimizer.restore(new Map()), /nothing for w\/exp_avg, but 2/);
    const state = optimizer.state();
    state.set('w/exp_avg', new Float32Array(3));
    assert.throws(() => optimizer.restore(state), /3 numbers for w\/exp_avg, but 2/);
  });

  it('a step count beyond 2^24 survives saving', () => {
    const optimizer = createOptimizer(specOf({ type: 'adam' }), new Map<string, Variable>());
    const state = new Map([['step', Float32Array.of(95, 384_001)]]);
    optimizer.restore(state);
    optimizer.step(new Map(), 0.1);
    assert.deepEqual([...optimizer.state().get('step')!], [95, 384_002]);
  });

  it('a snapshot that shares the storage of a variable keeps its values', () => {
    const initial = tensor1d([1, 2]);
    const weights = variable(initial);
    const optimizer = createOptimizer(specOf({ type: 'sgd' }), new Map([['w', weights]]));
    optimizer.step(named(['w', tensor1d([1, 1])]), 0.5);
    assert.deepEqual([...initial.dataSync()], [1, 2]);
    assert.deepEqual([...weights.dataSync()], [0.5, 1.5]);
  });

  it('clipping scales to the limit and returns the norm before, as PyTorch does', () => {
    const gradients = named(['b', tensor1d([4])], ['a', tensor1d([3, 0])]);
    assert.equal(clipByGlobalNorm(gradients, 10), 5);
    assert.deepEqual([...gradients.get('b')!.dataSync()], [4]);
    assert.equal(clipByGlobalNorm(gradients, 1), 5);
    assertClose(gradients.get('a')!.dataSync(), [3 / 5.000001, 0], 'a', 1e-7);
    assertClose([globalNorm(gradients)], [1], 'norm', 1e-6);
  });

  it('gradients that share an array are scaled once', () => {
    const gradient = tensor1d([3, 4]);
    clipByGlobalNorm(named(['a', gradient], ['b', gradient.clone()]), Math.sqrt(50) / 2);
    assertClose(gradient.dataSync(), [1.5, 2], 'gradient', 1e-6);
  });

  it('what is not finite shows in the norm, is named, and is not clipped away', () => {
    const gradients = named(
      ['b', tensor1d([1, Number.NaN])],
      ['a', tensor1d([1, 2, -Infinity])],
      ['c', tensor1d([1])],
    );
    assert.ok(Number.isNaN(clipByGlobalNorm(gradients, 1)));
    assert.deepEqual(firstNonFinite(gradients), { name: 'a', index: 2 });
    assert.deepEqual([...gradients.get('c')!.dataSync()], [1]);
    assert.equal(globalNorm(named(['a', tensor1d([Infinity])])), Infinity);
    assert.equal(firstNonFinite(named(['a', tensor1d([1])])), null);
  });
});
