// The colour scale of gradient maps: cividis (Nuñez, Anderton & Renslow 2018), readable with any colour vision,
// over log10 of a ratio from 10⁻⁶ to 10.

export const LOWEST = -6;
export const HIGHEST = 1;
/** log10 of the ratio at which a gradient still counts as arriving: 1 % */
export const REACH = -2;

const ANCHORS = '00224e 123570 3b496c 575d6d 707173 8a8678 a59c74 c3b369 e1cc55 fee838';
const SIZE = 256;

const table = makeTable();

function makeTable(): Uint8ClampedArray {
  const anchors = ANCHORS.split(' ').map(hex =>
    [0, 2, 4].map(at => Number.parseInt(hex.slice(at, at + 2), 16)),
  );
  const rgb = new Uint8ClampedArray(SIZE * 3);
  for (let i = 0; i < SIZE; i++) {
    const place = (i / (SIZE - 1)) * (anchors.length - 1);
    const low = Math.min(anchors.length - 2, Math.floor(place));
    for (let c = 0; c < 3; c++)
      rgb[i * 3 + c] = anchors[low]![c]! + (place - low) * (anchors[low + 1]![c]! - anchors[low]![c]!);
  }
  return rgb;
}

/** Writes the colour of a ratio at a byte offset of an image. */
export function paintRatio(bytes: Uint8ClampedArray, offset: number, ratio: number): void {
  const log = ratio > 0 ? Math.log10(ratio) : LOWEST;
  const share = Math.max(0, Math.min(1, (log - LOWEST) / (HIGHEST - LOWEST)));
  const entry = Math.round(share * (SIZE - 1)) * 3;
  bytes[offset] = table[entry]!;
  bytes[offset + 1] = table[entry + 1]!;
  bytes[offset + 2] = table[entry + 2]!;
  bytes[offset + 3] = 255;
}

/** The colour of a share from 0 to 1, as CSS. */
export function paintShare(share: number): string {
  const entry = Math.round(Math.max(0, Math.min(1, share)) * (SIZE - 1)) * 3;
  return `rgb(${table[entry]} ${table[entry + 1]} ${table[entry + 2]})`;
}
