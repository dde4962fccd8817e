// The picture of an alignment: a row for each unit of the answer, a column for each unit of the source, and in each cell
// the share of that source unit, from 0 to 1 in the colours of the gradient maps.
import { paintShare } from './cividis.ts';
import { plainCanvas } from './plain-canvas.ts';

export interface Alignment {
  source: readonly string[];
  target: readonly string[];
  weights: readonly (readonly number[])[];
}

const LABEL = 44;
const [LEAST, MOST] = [5, 18];
const FONT = 11;

/** Pixels of a cell and of the whole, for a place of this width. */
export function alignmentSize({ source, target }: Alignment, width: number) {
  const cell = Math.max(LEAST, Math.min(MOST, Math.floor((width - LABEL) / Math.max(1, source.length))));
  return { cell, width: LABEL + cell * source.length, height: FONT + 8 + cell * target.length };
}

export function drawAlignment(
  canvas: HTMLCanvasElement,
  alignment: Alignment,
  width: number,
  foreground: string,
): void {
  const size = alignmentSize(alignment, width);
  const context = plainCanvas(canvas, size, { foreground, font: FONT });
  if (!context) return;
  const { source, target, weights } = alignment;
  const top = FONT + 8;
  // labels stand where they do not run into each other
  const every = Math.ceil(9 / size.cell);
  context.textAlign = 'center';
  for (let s = 0; s < source.length; s += every)
    context.fillText(cut(source[s]!, size.cell * every), LABEL + (s + 0.5) * size.cell, FONT);
  context.textAlign = 'right';
  const rows = Math.ceil(FONT / size.cell);
  for (let t = 0; t < target.length; t += rows)
    context.fillText(cut(target[t]!, LABEL - 6), LABEL - 6, top + t * size.cell + FONT - 1);
  weights.forEach((row, t) => {
    row.forEach((weight, s) => {
      context.fillStyle = paintShare(weight);
      context.fillRect(LABEL + s * size.cell, top + t * size.cell, size.cell, size.cell);
    });
  });
}

/** About seven pixels a letter. */
function cut(text: string, pixels: number): string {
  const most = Math.max(1, Math.floor(pixels / 7));
  return text.length > most ? text.slice(0, most) : text;
}
