// The gradient map as one image: a row of pixels for the probes it covers, by their largest value, newest at the
// bottom. Where there is no gradient any more it is hatched, never a colour of the scale.
import type { FlowView } from '../../protocol/messages.ts';
import type { Theme } from '../theme.ts';
import { paintRatio } from './cividis.ts';
import { fitCanvas } from './layered-canvas.ts';

export interface MapPicture {
  flow: FlowView;
  layer: number;
  /** the training step at the bottom edge */
  lastStep: number;
  /** no row will follow: the rest is hatched */
  isOver: boolean;
}

/** Index of the row that covers a step; −1 beyond the newest. */
export function rowAt(steps: ArrayLike<number>, step: number): number {
  let low = 0;
  let high = steps.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (steps[middle]! < step) low = middle + 1;
    else high = middle;
  }
  return low < steps.length ? low : -1;
}

/** The layer of that name, which another series may have at another index; else the main one. */
export function levelOf({ layers, main }: Pick<FlowView, 'layers' | 'main'>, name: string | null): number {
  const found = layers.findIndex(layer => layer.name === name);
  return found < 0 ? main : found;
}

export function drawMap(
  canvas: HTMLCanvasElement,
  picture: MapPicture,
  width: number,
  height: number,
  theme: Theme,
): void {
  fitCanvas(canvas, width, height);
  const context = canvas.getContext('2d')!;
  const { width: w, height: h } = canvas;
  const image = context.createImageData(w, h);
  const end = paintRows(image, picture);
  context.putImageData(image, 0, 0);
  if (picture.isOver && end < h) hatch(context, end, w, h, theme);
}

/** @returns the first pixel row without data */
function paintRows(image: ImageData, { flow, layer, lastStep }: MapPicture): number {
  const { width: w, height: h, data } = image;
  const { seqLen, steps, ratios } = flow;
  const width = flow.layers.length * seqLen;
  const line = new Float32Array(seqLen);
  let before = -1;
  let beforeLast = -1;
  for (let y = 0; y < h; y++) {
    const first = rowAt(steps, (y / h) * lastStep);
    if (first < 0) return y;
    const next = rowAt(steps, ((y + 1) / h) * lastStep);
    const last = Math.max(first, (next < 0 ? steps.length : next) - 1);
    if (y > 0 && first === before && last === beforeLast) {
      data.copyWithin(y * w * 4, (y - 1) * w * 4, y * w * 4);
      continue;
    }
    before = first;
    beforeLast = last;
    line.fill(Number.NaN);
    for (let row = first; row <= last; row++) {
      const start = row * width + layer * seqLen;
      for (let t = 0; t < seqLen; t++) {
        const value = ratios[start + t]!;
        if (!(line[t]! >= value) && !Number.isNaN(value)) line[t] = value;
      }
    }
    for (let x = 0; x < w; x++) {
      const t0 = Math.floor((x * seqLen) / w);
      const t1 = Math.max(t0 + 1, Math.floor(((x + 1) * seqLen) / w));
      let largest = line[t0]!;
      for (let t = t0 + 1; t < t1; t++) if (line[t]! > largest) largest = line[t]!;
      if (!Number.isNaN(largest)) paintRatio(data, (y * w + x) * 4, largest);
    }
  }
  return h;
}

function hatch(context: CanvasRenderingContext2D, y0: number, w: number, h: number, theme: Theme): void {
  const ratio = window.devicePixelRatio || 1;
  context.save();
  context.beginPath();
  context.rect(0, y0, w, h - y0);
  context.clip();
  context.strokeStyle = theme.quiet;
  context.globalAlpha = 0.5;
  context.lineWidth = ratio;
  context.beginPath();
  for (let x = -h; x < w + h; x += 6 * ratio) {
    context.moveTo(x, h);
    context.lineTo(x + h, 0);
  }
  context.stroke();
  context.restore();
}
