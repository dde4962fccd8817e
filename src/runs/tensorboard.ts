// TensorBoard's event file: length-framed records with masked CRC-32C, each a protobuf Event. Written by hand, since
// the two messages are small: Event{1: wall_time double, 2: step int64, 3: file_version string, 5: summary},
// Summary{1: Value{1: tag string, 2: simple_value float}}.
import type { ScalarRow } from './scalar-rows.ts';

/** Mean of each row; where it has a range, also `<name>/min` and `<name>/max`. */
export function tensorboardRecords(rows: readonly ScalarRow[], createdAt: number): Uint8Array {
  const records = [record(concat([double(1, createdAt), text(3, 'brain.Event:2')]))];
  for (const { name, step, seconds, mean, min, max } of rows) {
    const at = createdAt + seconds;
    records.push(scalarRecord(at, step, name, mean));
    if (Object.is(min, mean) && Object.is(max, mean)) continue;
    records.push(scalarRecord(at, step, `${name}/min`, min), scalarRecord(at, step, `${name}/max`, max));
  }
  return concat(records);
}

function scalarRecord(wallTime: number, step: number, tag: string, value: number): Uint8Array {
  const summary = message(1, concat([text(1, tag), float(2, value)]));
  return record(concat([double(1, wallTime), concat([key(2, 0), varint(step)]), message(5, summary)]));
}

function record(data: Uint8Array): Uint8Array {
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(data.length), true);
  return concat([length, masked(length), data, masked(data)]);
}

// ---------------------------------------------------------------- protobuf

function key(field: number, wireType: number): Uint8Array {
  return varint(field * 8 + wireType);
}

/** Of a whole number up to 2^53. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Uint8Array.from([...bytes, rest]);
}

function double(field: number, value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value, true);
  return concat([key(field, 1), bytes]);
}

function float(field: number, value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return concat([key(field, 5), bytes]);
}

function message(field: number, data: Uint8Array): Uint8Array {
  return concat([key(field, 2), varint(data.length), data]);
}

function text(field: number, value: string): Uint8Array {
  return message(field, new TextEncoder().encode(value));
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

// ---------------------------------------------------------------- CRC-32C

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

export function crc32c(data: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of data) crc = TABLE[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffff_ffff) >>> 0;
}

/** Rotated and offset, so that a checksum of data that holds checksums stays useful. */
function masked(data: Uint8Array): Uint8Array {
  const crc = crc32c(data);
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, (((crc >>> 15) | (crc << 17)) + 0xa282_ead8) >>> 0, true);
  return bytes;
}
