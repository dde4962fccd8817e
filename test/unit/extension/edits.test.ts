// Fixes edit the text as a person would: the rest of it stays as it is.
import assert from 'node:assert/strict';
import { applyFix, canFix, difference } from '../../../src/extension/experiments/edits.ts';

const text = `{
    // how it learns
    "model": { "layers": [ { "type": "rnn", "units": 8 } ] },
    "training": {
        "steps": 10 // few
    }
}
`;

describe('fixes', () => {
  it('set a value that is not there, and keep comments and style', () => {
    const fixed = applyFix(text, { title: '', edits: [{ path: ['training', 'clipNorm'], value: 0.5 }] });
    assert.match(fixed, /\n {8}"clipNorm": 0.5/);
    assert.match(fixed, /"steps": 10,/);
    assert.match(fixed, /\/\/ few/);
    assert.match(fixed, /\/\/ how it learns/);
    assert.match(fixed, /\{ "type": "rnn", "units": 8 \}/);
  });

  it('replace, remove and combine', () => {
    const fixed = applyFix(text, {
      title: '',
      edits: [
        { path: ['model', 'layers', 0, 'type'], value: 'gru' },
        { path: ['training', 'steps'], value: undefined },
      ],
    });
    assert.match(fixed, /"type": "gru", "units": 8/);
    assert.doesNotMatch(fixed, /"steps"/);
  });

  it('are offered only where the path still is', () => {
    const at = (...path: (string | number)[]) => canFix(text, { title: '', edits: [{ path, value: 1 }] });
    assert.equal(at('training', 'clipNorm'), true);
    assert.equal(at('training', 'optimizer', 'learningRate'), true);
    assert.equal(at('model', 'layers', 3, 'type'), false);
    assert.equal(at('training', 'steps', 'x'), false);
  });

  it('change one stretch of the document', () => {
    assert.deepEqual(difference('abcdef', 'abXdef'), { offset: 2, length: 1, content: 'X' });
    assert.deepEqual(difference('aa', 'aaa'), { offset: 2, length: 0, content: 'a' });
    assert.deepEqual(difference('same', 'same'), { offset: 4, length: 0, content: '' });
  });
});
