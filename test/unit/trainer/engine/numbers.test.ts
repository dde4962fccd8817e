// Numbers leave a scope whose tensors are disposed, without being searched for tensors one by one.
import assert from 'node:assert/strict';
import { add, memory, tensor } from '@tensorflow/tfjs-core';
import { numbersOf } from '../../../../src/trainer/engine/numbers.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';

describe('numbers of a scope', () => {
  before(() => startEngine('reference', 1));

  it('are a copy that outlives the tensors', () => {
    const one = tensor([1, 2, 3]);
    const { numTensors } = memory();
    const numbers = numbersOf(() => add(one, 1));
    assert.equal(memory().numTensors, numTensors);
    const kept = numbersOf(() => one);
    (one.dataSync() as Float32Array)[0] = 9;
    const others = numbersOf(() => add(one, 5));
    assert.deepEqual([...numbers, ...kept, ...others], [2, 3, 4, 1, 2, 3, 14, 7, 8]);
    one.dispose();
  });

  it('are not enumerated by name', () => {
    const one = tensor(new Float32Array(1000));
    const names = Object.getOwnPropertyDescriptor(Set.prototype, 'add')!;
    let added = 0;
    Set.prototype.add = function (value) {
      added++;
      return names.value.call(this, value);
    };
    try {
      numbersOf(() => add(one, 1));
    } finally {
      Object.defineProperty(Set.prototype, 'add', names);
    }
    one.dispose();
    assert.ok(added < 100, `${added} values were searched`);
  });
});
