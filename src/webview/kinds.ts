// One hue, one marker and one dash for each kind of cell; further runs of a kind differ in all but the hue's family.
import type { RunView } from '../protocol/messages.ts';
import type { Theme } from './theme.ts';

export type MarkerShape = 'triangle' | 'diamond' | 'circle' | 'square' | 'cross';

export interface RunStyle {
  color: string;
  dash: number[];
  marker: MarkerShape;
  isHollow: boolean;
}

const MARKERS: Readonly<Record<string, MarkerShape>> = { rnn: 'triangle', gru: 'diamond', lstm: 'circle' };
const DASHES: Readonly<Record<string, number[]>> = { rnn: [2, 3], gru: [7, 3], lstm: [] };
/** of the variants after the first */
const FURTHER_DASHES = [
  [10, 2],
  [1, 2],
  [8, 2, 2, 2],
  [4, 2],
  [12, 3, 2, 3, 2, 3],
  [3, 5],
];

export function styleOf(run: Pick<RunView, 'cell' | 'variant'>, theme: Theme): RunStyle {
  const kind = run.cell ?? 'other';
  const hue = theme.cells[kind];
  const marker = MARKERS[kind] ?? 'square';
  const { variant } = run;
  if (variant === 0) return { color: hue, dash: DASHES[kind] ?? [], marker, isHollow: false };
  const toward = variant % 2 === 1 ? theme.foreground : theme.background;
  const share = Math.min(0.6, 0.25 + 0.15 * Math.floor((variant - 1) / 2));
  const strength = theme.isHighContrast ? 0 : Math.round((variant % 2 === 1 ? share : share * 0.7) * 100);
  return {
    color: `color-mix(in srgb, ${hue}, ${toward} ${strength}%)`,
    dash: FURTHER_DASHES[(variant - 1) % FURTHER_DASHES.length]!,
    marker,
    isHollow: variant % 2 === 1,
  };
}

export function drawMarker(
  context: CanvasRenderingContext2D,
  style: RunStyle,
  x: number,
  y: number,
  radius: number,
  background: string,
): void {
  context.save();
  context.translate(x, y);
  const shape = new Path2D(shapePath(style.marker, radius));
  context.lineWidth = 1;
  context.setLineDash([]);
  if (style.isHollow) {
    context.fillStyle = background;
    context.strokeStyle = style.color;
    context.lineWidth = 1.5;
  } else {
    context.fillStyle = style.color;
    context.strokeStyle = background;
  }
  context.fill(shape);
  context.stroke(shape);
  context.restore();
}

function shapePath(marker: MarkerShape, r: number): string {
  switch (marker) {
    case 'triangle':
      return `M0 ${-r * 1.1}l${r * 1.05} ${1.95 * r}h${-2.1 * r}z`;
    case 'diamond':
      return `M0 ${-r * 1.25}l${r * 1.1} ${r * 1.25}l${-r * 1.1} ${r * 1.25}l${-r * 1.1} ${-r * 1.25}z`;
    case 'circle':
      return `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`;
    case 'square':
      return `M${-r} ${-r}h${2 * r}v${2 * r}h${-2 * r}z`;
    case 'cross':
      return `M${-r} ${-r}l${2 * r} ${2 * r}m0 ${-2 * r}l${-2 * r} ${2 * r}`;
  }
}

const SVG = 'http://www.w3.org/2000/svg';

/** The marker in a line of text. */
export function markerIcon(style: RunStyle): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '-5 -5 10 10');
  svg.setAttribute('class', 'mkr');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', shapePath(style.marker, style.isHollow ? 3.2 : 3.8));
  path.style.fill = style.isHollow ? 'none' : style.color;
  path.style.stroke = style.isHollow ? style.color : 'none';
  path.style.strokeWidth = '1.5';
  svg.append(path);
  return svg;
}
