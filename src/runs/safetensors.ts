// Reads and writes safetensors: u64 header length, JSON header, raw little-endian data. https://github.com/huggingface/safetensors

import { BadRunError } from './errors.ts';
import { jsonText } from './json.ts';

export interface NamedTensor {
  shape: number[];
  data: Float32Array;
}

const MAX_HEADER_BYTES = 100_000_000;

/** Tensors are sorted by name, so that equal weights give equal bytes. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, NamedTensor>,
  metadata?: Record<string, string>,
): Uint8Array {
  const names = [...tensors.keys()].sort();
  const header: Record<string, unknown> = metadata ? { __metadata__: metadata } : {};
  let offset = 0;
  for (const name of names) {
    const { shape, data } = tensors.get(name)!;
    const end = offset + data.byteLength;
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, end] };
    offset = end;
  }
  const json = new TextEncoder().encode(jsonText(header));
  const padded = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(8 + padded + offset);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true);
  bytes.fill(0x20, 8, 8 + padded);
  bytes.set(json, 8);
  let at = 8 + padded;
  for (const name of names) {
    const { data } = tensors.get(name)!;
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

/** Bytes of a number of each type, and how it becomes a float; null: whole numbers, which are no weights. */
const TYPES: Readonly<
  Record<string, { bytes: number; read: ((view: DataView, at: number) => number) | null }>
> = {
  F32: { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  F64: { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
  F16: { bytes: 2, read: (view, at) => halfOf(view.getUint16(at, true)) },
  BF16: { bytes: 2, read: bfloatOf },
  I64: { bytes: 8, read: null },
  I32: { bytes: 4, read: null },
  I16: { bytes: 2, read: null },
  I8: { bytes: 1, read: null },
  U8: { bytes: 1, read: null },
  BOOL: { bytes: 1, read: null },
};

/** sign, 5 bits of exponent, 10 of fraction (IEEE 754 binary16) */
function halfOf(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  const sign = bits >> 15 ? -1 : 1;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent === 0 ? sign * fraction * 2 ** -14 : sign * (1 + fraction) * 2 ** (exponent - 15);
}

/** The upper half of a 32-bit float. */
function bfloatOf(view: DataView, at: number): number {
  const whole = new DataView(new ArrayBuffer(4));
  whole.setUint16(2, view.getUint16(at, true), true);
  return whole.getFloat32(0, true);
}

/** @throws BadRunError naming the first thing that does not hold together */
export function decodeSafetensors(bytes: Uint8Array): Map<string, NamedTensor> {
  return decode(bytes, false).tensors;
}

/** A file of another program: floats of every width as 32 bits, whole numbers left out. @throws BadRunError */
export function decodeForeign(bytes: Uint8Array): {
  tensors: Map<string, NamedTensor>;
  /** of all tensors, those of whole numbers too */
  names: string[];
  metadata: Readonly<Record<string, unknown>>;
} {
  return decode(bytes, true);
}

function decode(bytes: Uint8Array, isForeign: boolean) {
  const fail = (why: string): never => {
    throw new BadRunError(`Not a valid safetensors file: ${why}.`);
  };
  if (bytes.length < 8) fail('it is shorter than its header');
  const headerLength = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (headerLength > MAX_HEADER_BYTES || headerLength > bytes.length - 8)
    fail('its header is longer than the file');
  let header: unknown;
  try {
    header = JSON.parse(
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, 8 + headerLength)),
    );
  } catch {
    fail('its header is not JSON');
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    fail('its header is not an object');
  const data = bytes.subarray(8 + headerLength);
  const tensors = new Map<string, NamedTensor>();
  let metadata: Readonly<Record<string, unknown>> = {};
  const names: string[] = [];
  const spans: [number, number][] = [];
  for (const [name, entry] of Object.entries(header as Record<string, unknown>)) {
    if (name === '__metadata__') {
      metadata = (entry ?? {}) as Record<string, unknown>;
      continue;
    }
    names.push(name);
    const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
    const type = Object.hasOwn(TYPES, String(dtype)) ? TYPES[String(dtype)]! : null;
    if (!type || (!isForeign && dtype !== 'F32'))
      return fail(isForeign ? `"${name}" is of the type ${String(dtype)}` : `"${name}" is not of type F32`);
    if (!isCounts(shape) || !isCounts(offsets) || offsets.length !== 2)
      fail(`"${name}" has no valid shape and offsets`);
    const [begin = 0, end = 0] = offsets as number[];
    const size = (shape as number[]).reduce((product, length) => product * length, 1);
    if (begin > end || end > data.length || end - begin !== size * type.bytes)
      fail(`the offsets of "${name}" do not fit its shape and the file`);
    spans.push([begin, end]);
    const own = data.subarray(begin, end);
    const { read, bytes: width } = type;
    if (dtype === 'F32') tensors.set(name, { shape: shape as number[], data: floatsOf(own) });
    else if (read) {
      const view = new DataView(own.buffer, own.byteOffset, own.byteLength);
      const values = Float32Array.from({ length: size }, (_, i) => read(view, i * width));
      tensors.set(name, { shape: shape as number[], data: values });
    }
  }
  spans.sort((a, b) => a[0] - b[0]);
  for (let i = 1; i < spans.length; i++) if (spans[i]![0] < spans[i - 1]![1]) fail('its tensors overlap');
  const end = spans.reduce((last, span) => Math.max(last, span[1]), 0);
  if (end !== data.length) fail(`its header tells of ${end} bytes of numbers, and it has ${data.length}`);
  return { tensors, names, metadata };
}

function isCounts(value: unknown): value is number[] {
  return (
    Array.isArray(value) && value.length <= 16 && value.every(part => Number.isSafeInteger(part) && part >= 0)
  );
}

/** A copy: the bytes may stand at any offset, and of a Buffer `slice` would share them. */
function floatsOf(bytes: Uint8Array): Float32Array {
  const floats = new Float32Array(bytes.length / 4);
  new Uint8Array(floats.buffer).set(bytes);
  return floats;
}
