// WAV files (RIFF): PCM of 8, 16, 24 and 32 bits and floats of 32 and 64, of any number of channels, which become one by
// their mean. Samples lie within -1 … 1 where the file's do.
import { readFileSync, statSync } from 'node:fs';
import { count, plural } from '../../experiment/words.ts';
import { whyOf } from '../../runs/system-errors.ts';
import { DataError } from './errors.ts';

export interface Sound {
  /** samples a second */
  rate: number;
  channels: number;
  /** (samples) */
  samples: Float32Array;
}

/** Memory that one file may take. */
const MOST_BYTES = 1e9;
const LEAST_RATE = 2000;
const PCM = 1;
const FLOAT = 3;
const EXTENSIBLE = 0xfffe;
const OTHER_FORMATS: Readonly<Record<number, string>> = {
  2: 'ADPCM',
  6: 'A-law',
  7: 'µ-law',
  17: 'IMA ADPCM',
  85: 'MP3',
};
/** The size that recorders write before they know it. */
const UNTOLD = 0xffff_ffff;

interface Format {
  kind: typeof PCM | typeof FLOAT;
  channels: number;
  rate: number;
  bits: number;
}

type Reader = (view: DataView, at: number) => number;

const READERS: Readonly<Record<string, Reader>> = {
  '1/8': (view, at) => (view.getUint8(at) - 128) / 128,
  '1/16': (view, at) => view.getInt16(at, true) / 2 ** 15,
  '1/24': (view, at) => (view.getUint16(at, true) + view.getInt8(at + 2) * 2 ** 16) / 2 ** 23,
  '1/32': (view, at) => view.getInt32(at, true) / 2 ** 31,
  '3/32': (view, at) => view.getFloat32(at, true),
  '3/64': (view, at) => view.getFloat64(at, true),
};

/** Full scale is 1; some programs write floats of whole numbers of 32 bits. */
const LOUDEST = 1e12;

/** @throws DataError that names the file, by `name` */
export function readWav(path: string, name: string): Sound {
  let bytes: Buffer;
  try {
    const { size } = statSync(path);
    if (size > MOST_BYTES)
      throw new DataError(
        `${name} has ${count(size)} bytes; sound files of up to ${count(MOST_BYTES)} are read.`,
      );
    bytes = readFileSync(path);
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw new DataError(`The sound file ${name} cannot be read: ${whyOf(cause)}.`);
  }
  return parseWav(bytes, name);
}

/** @throws DataError that names the file, by `name` */
export function parseWav(bytes: Uint8Array, name: string): Sound {
  const fail = (why: string) => new DataError(`${name} ${why}.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (bytes.length < 12) throw fail(`is no WAV file: it has ${plural(bytes.length, 'byte')}`);
  if (word(0) === 'RF64') throw fail('is an RF64 file; WAV files of up to 4 GB are read');
  if (word(0) !== 'RIFF' || word(8) !== 'WAVE')
    throw fail('is no WAV file: it does not begin with RIFF and WAVE');
  let format: Format | null = null;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const [kind, size] = [word(at), view.getUint32(at + 4, true)];
    const [from, left] = [at + 8, bytes.length - at - 8];
    if (kind === 'fmt ') {
      if (size < 16 || left < size) throw fail('is truncated: it ends inside the description of its format');
      format = formatAt(view, from, size, fail);
    } else if (kind === 'data') {
      if (!format) throw fail('is broken: its sound comes before the description of its format');
      if (left < size && size !== UNTOLD)
        throw fail(
          `is truncated: its header tells of ${count(size)} bytes of sound, but ${count(left)} follow`,
        );
      return soundAt(view, from, Math.min(size, left), format, fail);
    }
    at = from + size + (size % 2);
  }
  throw fail(
    format ? 'is truncated: no sound follows its header' : 'is truncated: it ends before its format is told',
  );
}

function formatAt(view: DataView, at: number, size: number, fail: (why: string) => DataError): Format {
  const told = view.getUint16(at, true);
  const kind = told === EXTENSIBLE && size >= 26 ? view.getUint16(at + 24, true) : told;
  const channels = view.getUint16(at + 2, true);
  const rate = view.getUint32(at + 4, true);
  const bits = view.getUint16(at + 14, true);
  if (!READERS[`${kind}/${bits}`]) {
    const found =
      kind === PCM || kind === FLOAT ? `${bits} bits a sample` : (OTHER_FORMATS[kind] ?? `format ${kind}`);
    throw fail(`holds sound as ${found}; PCM of 8, 16, 24 or 32 bits and floats of 32 or 64 are read`);
  }
  if (channels === 0) throw fail('is broken: it has no channels');
  if (rate < LEAST_RATE)
    throw fail(`has ${plural(rate, 'sample')} a second; ${count(LEAST_RATE)} are the least that is read`);
  return { kind: kind as Format['kind'], channels, rate, bits };
}

function soundAt(
  view: DataView,
  from: number,
  size: number,
  { kind, channels, rate, bits }: Format,
  fail: (why: string) => DataError,
): Sound {
  const width = bits / 8;
  const frames = Math.floor(size / (width * channels));
  if (frames === 0) throw fail('holds no sound');
  const valueAt = READERS[`${kind}/${bits}`]!;
  const samples = new Float32Array(frames);
  for (let frame = 0; frame < frames; frame++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++)
      sum += valueAt(view, from + (frame * channels + channel) * width);
    // also NaN; squares of what is larger are beyond float32
    if (!(Math.abs(sum) <= LOUDEST))
      throw fail(`holds a sample that is no number or far too loud, ${(frame / rate).toFixed(3)} s in`);
    samples[frame] = sum / channels;
  }
  return { rate, channels, samples };
}
