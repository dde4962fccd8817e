// Log-mel features of sound: ln of the power in bands of the mel scale, a row for each hop. Windows, scale and bands are
// those of librosa (B. McFee et al., 2015, https://doi.org/10.25080/Majora-7b98e3ed-003): a periodic Hann window in the
// middle of the FFT's frame, frames centred on their time with zeros around the sound, Slaney's mel scale, bands of equal
// area. The upper edge is half the rate.
import { plural } from '../../experiment/words.ts';
import { DataError } from './errors.ts';

export interface MelFeatures {
  mels: number;
  windowMs: number;
  hopMs: number;
}

export interface MelPlan {
  rate: number;
  /** bands, of which none is empty */
  mels: number;
  /** samples */
  window: number;
  hop: number;
  fft: number;
  /** by band: its first bin of the spectrum and the weights from there */
  bands: { first: number; weights: Float64Array }[];
}

/** Powers below count as this: silence has a logarithm. */
const FLOOR = 1e-10;

/** Fewer bands than asked for where some would hold no bin of the spectrum. @throws DataError */
export function melPlan(rate: number, { mels, windowMs, hopMs }: MelFeatures): MelPlan {
  const window = Math.round((rate * windowMs) / 1000);
  const hop = Math.round((rate * hopMs) / 1000);
  if (window < 2 || hop < 1)
    throw new DataError(
      `At ${plural(rate, 'sample')} a second a window of ${windowMs} ms is ${plural(window, 'sample')} and a hop of ${hopMs} ms ${plural(hop, 'sample')}; make them longer.`,
    );
  const fft = 2 ** Math.ceil(Math.log2(window));
  for (let count = mels; count > 0; count--) {
    const bands = bandsOf(rate, fft, count);
    if (bands.every(({ weights }) => weights.length > 0))
      return { rate, mels: count, window, hop, fft, bands };
  }
  throw new DataError(`A window of ${windowMs} ms is too short for one band of the mel scale.`);
}

/** null: as many bands as were asked for */
export function fewerMelsNote({ mels, rate }: MelPlan, asked: MelFeatures): string | null {
  return mels === asked.mels
    ? null
    : `${asked.mels} mel bands would leave some empty at ${plural(rate, 'sample')} a second and windows of ${asked.windowMs} ms; ${mels} are used.`;
}

/** (frames, mels), frames = 1 + floor(samples / hop) */
export function logMel(samples: Float32Array, { fft, window, hop, mels, bands }: MelPlan): Float32Array {
  const frames = 1 + Math.floor(samples.length / hop);
  const transform = fftOf(fft);
  const hann = Float64Array.from(
    { length: window },
    (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / window),
  );
  const before = Math.floor((fft - window) / 2);
  const [re, im, power] = [new Float64Array(fft), new Float64Array(fft), new Float64Array(fft / 2 + 1)];
  const features = new Float32Array(frames * mels);
  for (let frame = 0; frame < frames; frame++) {
    re.fill(0);
    im.fill(0);
    const start = frame * hop - fft / 2 + before;
    for (let i = 0; i < window; i++) re[before + i] = hann[i]! * (samples[start + i] ?? 0);
    transform(re, im);
    for (let bin = 0; bin < power.length; bin++) power[bin] = re[bin]! ** 2 + im[bin]! ** 2;
    bands.forEach(({ first, weights }, band) => {
      let sum = 0;
      for (let i = 0; i < weights.length; i++) sum += weights[i]! * power[first + i]!;
      features[frame * mels + band] = Math.log(Math.max(FLOOR, sum));
    });
  }
  return features;
}

/** Slaney's mel scale: linear below 1 kHz, logarithmic above. */
const LINEAR = 200 / 3;
const BREAK_HZ = 1000;
const BREAK_MEL = BREAK_HZ / LINEAR;
const LOG_STEP = Math.log(6.4) / 27;

function melOf(hz: number): number {
  return hz < BREAK_HZ ? hz / LINEAR : BREAK_MEL + Math.log(hz / BREAK_HZ) / LOG_STEP;
}

function hzOf(mel: number): number {
  return mel < BREAK_MEL ? LINEAR * mel : BREAK_HZ * Math.exp(LOG_STEP * (mel - BREAK_MEL));
}

/** Triangles between neighbouring edges; those that no bin falls in have no weights. */
function bandsOf(rate: number, fft: number, mels: number): MelPlan['bands'] {
  const top = melOf(rate / 2);
  const edges = Array.from({ length: mels + 2 }, (_, i) => hzOf((top * i) / (mels + 1)));
  return Array.from({ length: mels }, (_, band) => {
    const [low, centre, high] = [edges[band]!, edges[band + 1]!, edges[band + 2]!];
    const all = Array.from({ length: fft / 2 + 1 }, (_, bin) => {
      const hz = (bin * rate) / fft;
      const height = Math.max(0, Math.min((hz - low) / (centre - low), (high - hz) / (high - centre)));
      return (2 / (high - low)) * height;
    });
    const first = all.findIndex(weight => weight > 0);
    if (first < 0) return { first: 0, weights: new Float64Array(0) };
    return {
      first,
      weights: Float64Array.from(all.slice(first, all.findLastIndex(weight => weight > 0) + 1)),
    };
  });
}

/** The discrete Fourier transform in place, by halving (Cooley & Tukey 1965); `size` is a power of two. */
function fftOf(size: number): (re: Float64Array, im: Float64Array) => void {
  const [cos, sin] = [Math.cos, Math.sin].map(f =>
    Float64Array.from({ length: size / 2 }, (_, i) => f((-2 * Math.PI * i) / size)),
  ) as [Float64Array, Float64Array];
  const bits = Math.log2(size);
  const reversed = Uint32Array.from({ length: size }, (_, i) => {
    let [from, to] = [i, 0];
    for (let bit = 0; bit < bits; bit++) [to, from] = [(to << 1) | (from & 1), from >> 1];
    return to;
  });
  const swapIn = (values: Float64Array) =>
    reversed.forEach((j, i) => {
      if (j > i) [values[i], values[j]] = [values[j]!, values[i]!];
    });
  return (re, im) => {
    swapIn(re);
    swapIn(im);
    for (let half = 1; half < size; half *= 2)
      for (let block = 0; block < size; block += 2 * half)
        for (let k = 0; k < half; k++) {
          const turn = (k * size) / (2 * half);
          const [a, b] = [block + k, block + k + half];
          const x = re[b]! * cos[turn]! - im[b]! * sin[turn]!;
          const y = re[b]! * sin[turn]! + im[b]! * cos[turn]!;
          re[b] = re[a]! - x;
          im[b] = im[a]! - y;
          re[a] = re[a]! + x;
          im[a] = im[a]! + y;
        }
  };
}
