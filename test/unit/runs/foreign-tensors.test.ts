// Tensors of other programs in a safetensors file: floats of every width, against their bits written out by IEEE 754.
import assert from 'node:assert/strict';
import { decodeForeign } from '../../../src/runs/safetensors.ts';

/** A file with one tensor of these bytes. */
function fileOf(dtype: string, length: number, bytes: Uint8Array): Uint8Array {
  const header = new TextEncoder().encode(
    JSON.stringify({ a: { dtype, shape: [length], data_offsets: [0, bytes.length] } }),
  );
  const file = new Uint8Array(8 + header.length + bytes.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
  file.set(header, 8);
  file.set(bytes, 8 + header.length);
  return file;
}

const read = (dtype: string, length: number, numbers: ArrayBufferView) => [
  ...decodeForeign(fileOf(dtype, length, new Uint8Array(numbers.buffer))).tensors.get('a')!.data,
];

describe('tensors of other programs', () => {
  it('of 16 bits are sign, 5 bits of exponent and 10 of fraction', () => {
    const bits = Uint16Array.of(0x3c00, 0xc000, 0x3555, 0x7bff, 0x0400, 0x0001, 0x83ff, 0x7c00, 0xfc00, 0);
    const values = [1, -2, 1365 / 4096, 65504, 2 ** -14, 2 ** -24, -1023 * 2 ** -24, Infinity, -Infinity, 0];
    assert.deepEqual(read('F16', bits.length, bits), values);
    assert.ok(Number.isNaN(read('F16', 1, Uint16Array.of(0x7e00))[0]));
  });

  it('of 16 bits with 8 of exponent are the upper half of a float', () => {
    const bits = Uint16Array.of(0x3f80, 0xc000, 0x4049, 0x0080, 0x7f80, 0x3f81);
    assert.deepEqual(read('BF16', bits.length, bits), [1, -2, 3.140625, 2 ** -126, Infinity, 1 + 2 ** -7]);
  });

  it('of 64 and of 32 bits are rounded, or as they are', () => {
    assert.deepEqual(read('F64', 2, Float64Array.of(0.1, -3)), [Math.fround(0.1), -3]);
    assert.deepEqual(read('F32', 2, Float32Array.of(0.1, -3)), [Math.fround(0.1), -3]);
  });

  it('of whole numbers are named and not read', () => {
    const { tensors, names } = decodeForeign(fileOf('I64', 1, new Uint8Array(BigInt64Array.of(7n).buffer)));
    assert.deepEqual([[...tensors], names], [[], ['a']]);
  });
});
