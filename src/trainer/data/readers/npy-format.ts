// NumPy's array format (NEP 1): magic, version, a Python dictionary with dtype, order and shape, then the numbers.
// https://numpy.org/neps/nep-0001-npy-format.html
import { DataError } from '../errors.ts';
import { INEXACT } from './reader.ts';

export interface NpyHeader {
  shape: number[];
  isFortran: boolean;
  dtype: Dtype;
  /** bytes before the numbers */
  offset: number;
}

export interface Dtype {
  /** such as "<f8" */
  name: string;
  bytes: number;
  /** numbers, or texts of a fixed length */
  read: (view: DataView, at: number) => number | string | bigint;
  isText: boolean;
}

const MAGIC = '\x93NUMPY';
/** Headers are longer than this only with field names, which are refused. */
export const MOST_HEADER = 65_536;

/** null: more bytes are needed. @throws DataError */
export function npyHeader(bytes: Buffer, name: string): NpyHeader | null {
  const fail = (why: string): never => {
    throw new DataError(`${name} is no NPY file: ${why}.`);
  };
  if (bytes.length < 10) return null;
  if (bytes.toString('latin1', 0, 6) !== MAGIC) fail('it does not begin with \\x93NUMPY');
  const version = bytes[6]!;
  if (version < 1 || version > 3) fail(`version ${version} of the format is not known`);
  const long = version > 1;
  const length = long ? bytes.readUInt32LE(8) : bytes.readUInt16LE(8);
  const begin = long ? 12 : 10;
  if (length > MOST_HEADER) fail(`its header claims ${length.toLocaleString('en-US')} bytes`);
  if (bytes.length < begin + length) return null;
  const header = bytes.toString('latin1', begin, begin + length);
  const descr = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  const fortran = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  const shape = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  if (/'descr':\s*\[/.test(header)) fail('records with fields are not read; store each field as an array');
  if (descr === undefined || fortran === undefined || shape === undefined) fail('its header cannot be read');
  const sizes = shape!
    .split(',')
    .filter(size => size.trim() !== '')
    .map(Number);
  if (sizes.some(size => !Number.isSafeInteger(size))) fail(`its shape (${shape}) is too large`);
  return {
    shape: sizes,
    isFortran: fortran === 'True',
    dtype: dtypeOf(descr!, name),
    offset: begin + length,
  };
}

function dtypeOf(descr: string, name: string): Dtype {
  const [, order, kind, size] = /^([<>|=])([a-zA-Z])(\d*)$/.exec(descr) ?? [];
  const bytes = Number(size);
  const little = order !== '>';
  const number = (read: (view: DataView, at: number) => number | bigint): Dtype => ({
    name: descr,
    bytes,
    read,
    isText: false,
  });
  switch (`${kind}${size}`) {
    case 'b1':
    case 'u1':
      return number((view, at) => view.getUint8(at));
    case 'i1':
      return number((view, at) => view.getInt8(at));
    case 'u2':
      return number((view, at) => view.getUint16(at, little));
    case 'i2':
      return number((view, at) => view.getInt16(at, little));
    case 'u4':
      return number((view, at) => view.getUint32(at, little));
    case 'i4':
      return number((view, at) => view.getInt32(at, little));
    case 'u8':
      return number((view, at) => view.getBigUint64(at, little));
    case 'i8':
      return number((view, at) => view.getBigInt64(at, little));
    case 'f2':
      return number((view, at) => halfOf(view.getUint16(at, little)));
    case 'f4':
      return number((view, at) => view.getFloat32(at, little));
    case 'f8':
      return number((view, at) => view.getFloat64(at, little));
  }
  if (kind === 'U' && bytes > 0)
    return {
      name: descr,
      bytes: 4 * bytes,
      isText: true,
      read(view, at) {
        let text = '';
        for (let i = 0; i < bytes; i++) {
          const code = view.getUint32(at + 4 * i, little);
          if (code === 0) break;
          text += code > 0x10ffff ? '\uFFFD' : String.fromCodePoint(code);
        }
        return text;
      },
    };
  if (kind === 'S' && bytes > 0)
    return {
      name: descr,
      bytes,
      isText: true,
      read(view, at) {
        const all = Buffer.from(view.buffer, view.byteOffset + at, bytes);
        const end = all.indexOf(0);
        return all.toString('utf8', 0, end < 0 ? bytes : end);
      },
    };
  throw new DataError(
    kind === 'O'
      ? `${name} holds Python objects, which only Python can read; store arrays of numbers or of texts.`
      : `${name} holds values of type "${descr}", which are not read; numbers and texts are.`,
  );
}

/** IEEE 754 half precision. */
function halfOf(bits: number): number {
  const [exponent, fraction] = [(bits >> 10) & 0x1f, bits & 0x3ff];
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const LARGEST = 2n ** 53n;

/** @returns the number; what is wrong with it in `fault` */
export function exactly(value: number | bigint): { value: number; fault: string | null } {
  if (typeof value === 'number') return { value, fault: null };
  const isExact = value <= LARGEST && value >= -LARGEST;
  return { value: Number(value), fault: isExact ? null : `${value}, which ${INEXACT}` };
}
