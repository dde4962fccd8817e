// Which known word a misspelt one is taken for.
import assert from 'node:assert/strict';
import { nearest } from '../../../src/experiment/words.ts';

describe('the word that was meant', () => {
  const known = ['type', 'units', 'kernelSize', 'learningRate', 'batchSize', 'layer-norm', 'batch-norm'];
  const cases: [found: string, meant: string | null][] = [
    ['untis', 'units'],
    ['kernel_size', 'kernelSize'],
    ['kernel', 'kernelSize'],
    ['lr', 'learningRate'],
    ['ln', 'layer-norm'],
    ['batch', null],
    ['hidden', null],
    ['u', null],
    ['', null],
  ];
  for (const [found, meant] of cases) {
    it(`"${found}" → ${meant ?? 'none'}`, () => assert.equal(nearest(found, known), meant));
  }
});
