// Reads and writes safetensors: u64 header length, JSON header, raw little-endian data. https://github.com/huggingface/safetensors
import { BadRunError } from './errors.ts';

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
  const json = new TextEncoder().encode(JSON.stringify(header));
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

/** @throws BadRunError naming the first thing that does not hold together */
export function decodeSafetensors(bytes: Uint8Array): Map<string, NamedTensor> {
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
  const spans: [number, number][] = [];
  for (const [name, entry] of Object.entries(header as Record<string, unknown>)) {
    if (name === '__metadata__') continue;
    const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
    if (dtype !== 'F32') fail(`"${name}" is not of type F32`);
    if (!isCounts(shape) || !isCounts(offsets) || offsets.length !== 2)
      fail(`"${name}" has no valid shape and offsets`);
    const [begin = 0, end = 0] = offsets as number[];
    const size = (shape as number[]).reduce((product, length) => product * length, 1);
    if (begin > end || end > data.length || end - begin !== size * 4)
      fail(`the offsets of "${name}" do not fit its shape and the file`);
    spans.push([begin, end]);
    tensors.set(name, { shape: shape as number[], data: floatsOf(data.subarray(begin, end)) });
  }
  spans.sort((a, b) => a[0] - b[0]);
  for (let i = 1; i < spans.length; i++) if (spans[i]![0] < spans[i - 1]![1]) fail('its tensors overlap');
  const end = spans.reduce((last, span) => Math.max(last, span[1]), 0);
  if (end !== data.length) fail(`its header tells of ${end} bytes of numbers, and it has ${data.length}`);
  return tensors;
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
