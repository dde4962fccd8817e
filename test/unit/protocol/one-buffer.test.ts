// Messages whose arrays stand in one buffer, since VS Code loses buffers beyond 253 of a message.
import assert from 'node:assert/strict';
import { onOneBuffer } from '../../../src/protocol/one-buffer.ts';

describe('a message on one buffer', () => {
  it('is equal to what was given, with all of its arrays on one buffer', () => {
    const all = new Float64Array([0, 1, 2, 3]);
    const message = {
      name: 'nine runs',
      none: null,
      nan: new Float32Array([Number.NaN, 1.5, -2]),
      // odd lengths and parts of others keep their values and are aligned
      runs: Array.from({ length: 300 }, (_, run) => ({
        step: Float64Array.from({ length: run % 4 }, (_, i) => run + i),
        mean: Float32Array.from({ length: run % 3 }, (_, i) => run / 8 + i),
        bytes: Uint8Array.of(run % 256),
      })),
      part: all.subarray(1, 3),
      whole: all,
    };
    const sent = onOneBuffer(message);
    assert.deepEqual(sent, message);
    const buffers = new Set(
      sent.runs.flatMap(({ step, mean, bytes }) => [step.buffer, mean.buffer, bytes.buffer]),
    );
    for (const { buffer } of [sent.nan, sent.part, sent.whole]) buffers.add(buffer);
    assert.equal(buffers.size, 1);
    assert.equal(sent.part.length, 2);
    assert.equal(all[1], 1);
  });

  it('is the same where there is nothing to move', () => {
    for (const message of [null, 'text', { a: [1, 2] }, { one: new Float32Array(2) }])
      assert.equal(onOneBuffer(message), message);
  });
});
