// LZ4 frames, as Arrow packs its buffers: blocks that may refer to the 64 KB before them, through their own ends.
// https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
import { DataError } from '../errors.ts';

const MAGIC = 0x184d2204;

/** `size`: of what comes out. @throws DataError */
export function unpackLz4(packed: Uint8Array, size: number): Uint8Array {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const out = new Uint8Array(size);
  let [at, to] = [0, 0];
  const need = (is: boolean) => {
    if (!is) throw new DataError('a buffer is no LZ4 frame');
  };
  need(packed.length >= 7 && view.getUint32(0, true) === MAGIC);
  const flags = packed[4]!;
  at = 7 + (flags & 8 ? 8 : 0) + (flags & 1 ? 4 : 0);
  for (;;) {
    need(at + 4 <= packed.length);
    const header = view.getUint32(at, true);
    at += 4;
    if (header === 0) break;
    const length = header & 0x7fffffff;
    need(at + length <= packed.length);
    const block = packed.subarray(at, at + length);
    if (header >>> 31) {
      need(to + length <= size);
      out.set(block, to);
      to += length;
    } else to = unpackBlock(block, out, to, need);
    at += length + (flags & 16 ? 4 : 0);
  }
  need(to === size);
  return out;
}

/** Literals and matches in turn. @returns where the output ends */
function unpackBlock(block: Uint8Array, out: Uint8Array, begin: number, need: (is: boolean) => void): number {
  let [at, to] = [0, begin];
  const more = (length: number) => {
    if (length !== 15) return length;
    let all = length;
    for (let byte = 255; byte === 255; all += byte) {
      need(at < block.length);
      byte = block[at++]!;
    }
    return all;
  };
  while (at < block.length) {
    const token = block[at++]!;
    const literals = more(token >> 4);
    need(at + literals <= block.length && to + literals <= out.length);
    out.set(block.subarray(at, at + literals), to);
    at += literals;
    to += literals;
    // the last sequence of a block has no match
    if (at === block.length) break;
    need(at + 2 <= block.length);
    const from = to - (block[at]! | (block[at + 1]! << 8));
    at += 2;
    const match = 4 + more(token & 15);
    need(from >= 0 && from < to && to + match <= out.length);
    // one by one: a match may reach into itself
    for (let each = 0; each < match; each++) out[to + each] = out[from + each]!;
    to += match;
  }
  return to;
}
