// States as a picture: a column for each step; the first row is the norm, the others are units. Values from −most to
// most in the colours of the gradient maps, the middle of which is 0.
import type { TriedStates } from '../../protocol/messages.ts';
import { paintShare } from './cividis.ts';
import { plainCanvas } from './plain-canvas.ts';

const LABEL = 26;
const TOP = 16;
const NORM = 10;
const GAP = 3;
const [LEAST, MOST] = [3, 16];
const FONT = 11;

type States = Pick<TriedStates, 'steps' | 'norms' | 'units'>;

/** Pixels of a cell and of the whole, for a place of this width. */
export function statesSize({ steps, units }: States, width: number) {
  const cell = Math.max(LEAST, Math.min(MOST, (width - LABEL) / Math.max(1, steps.length)));
  const unit = units.length > 24 ? 4 : 7;
  return { cell, unit, width: LABEL + cell * steps.length, height: TOP + NORM + GAP + unit * units.length };
}

/** The largest value, which has the end of the scale. */
export function mostOf({ units }: Pick<TriedStates, 'units'>): number {
  return units.flat().reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
}

export function drawStates(
  canvas: HTMLCanvasElement,
  states: States,
  width: number,
  foreground: string,
): void {
  const size = statesSize(states, width);
  const context = plainCanvas(canvas, size, { foreground, font: FONT });
  if (!context) return;
  const { steps, norms, units } = states;
  const every = Math.ceil(14 / size.cell);
  context.textAlign = 'center';
  for (let t = 0; t < steps.length; t += every) {
    const most = Math.max(1, Math.floor((size.cell * every) / 7));
    context.fillText(steps[t]!.slice(0, most), LABEL + (t + 0.5) * size.cell, FONT);
  }
  context.textAlign = 'right';
  context.fillText('‖h‖', LABEL - 4, TOP + NORM - 1);
  const longest = norms.reduce((most, norm) => Math.max(most, norm), 0) || 1;
  norms.forEach((norm, t) => {
    context.fillStyle = paintShare(norm / longest);
    context.fillRect(LABEL + t * size.cell, TOP, size.cell + 0.5, NORM);
  });
  const most = mostOf(states);
  units.forEach((row, unit) => {
    row.forEach((value, t) => {
      context.fillStyle = paintShare(0.5 + value / most / 2);
      context.fillRect(
        LABEL + t * size.cell,
        TOP + NORM + GAP + unit * size.unit,
        size.cell + 0.5,
        size.unit,
      );
    });
  });
}
