// WAV files for tests.

interface Options {
  format?: number;
  bits?: number;
  rate?: number;
  channels?: number;
  /** a chunk between format and sound: its name and size */
  before?: [string, number];
}

/** `values` in -1 … 1; channels side by side. */
export function wavOf(values: readonly number[], options: Options = {}): Uint8Array {
  const { format = 1, bits = 16, rate = 8000, channels = 1, before } = options;
  const isExtended = format === 0xfffe;
  const fmt = isExtended ? 40 : 16;
  const width = Math.ceil(bits / 8);
  const extra = before ? 8 + before[1] + (before[1] % 2) : 0;
  const bytes = new Uint8Array(12 + 8 + fmt + extra + 8 + values.length * width);
  const view = new DataView(bytes.buffer);
  const word = (at: number, text: string) => bytes.set(new TextEncoder().encode(text), at);
  word(0, 'RIFF');
  view.setUint32(4, bytes.length - 8, true);
  word(8, 'WAVEfmt ');
  view.setUint32(16, fmt, true);
  view.setUint16(20, format, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * channels * width, true);
  view.setUint16(32, channels * width, true);
  view.setUint16(34, bits, true);
  if (isExtended) view.setUint16(44, 1, true);
  let at = 20 + fmt;
  if (before) {
    word(at, before[0]);
    view.setUint32(at + 4, before[1], true);
    at += extra;
  }
  word(at, 'data');
  view.setUint32(at + 4, values.length * width, true);
  values.forEach((value, i) => {
    const place = at + 8 + i * width;
    const whole = Math.max(
      -(2 ** (bits - 1)),
      Math.min(2 ** (bits - 1) - 1, Math.round(value * 2 ** (bits - 1))),
    );
    if (format === 3 && bits === 32) view.setFloat32(place, value, true);
    else if (format === 3) view.setFloat64(place, value, true);
    else if (bits === 8) view.setUint8(place, whole + 128);
    else
      for (let byte = 0; byte < width; byte++)
        view.setUint8(place + byte, Math.floor(whole / 256 ** byte) & 255);
  });
  return bytes;
}
