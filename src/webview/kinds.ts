// A hue, a marker and a dash for each cell that everyone knows and for each family of layers. Further runs of a hue
// differ in shade, dash and filling.
import type { RunView } from '../protocol/messages.ts';
import { fillShape, Shape, strokeShape } from './charts/svg-context.ts';
import type { Theme } from './theme.ts';

export type MarkerShape =
  | 'triangle'
  | 'diamond'
  | 'circle'
  | 'square'
  | 'cross'
  | 'pentagon'
  | 'wedge'
  | 'hexagon'
  | 'bar';

export interface RunStyle {
  color: string;
  dash: number[];
  marker: MarkerShape;
  isHollow: boolean;
}

interface Sign {
  marker: MarkerShape;
  dash: number[];
}

/** Of the cells that everyone knows, in their order. */
const CLASSIC: readonly Sign[] = [
  { marker: 'triangle', dash: [2, 3] },
  { marker: 'diamond', dash: [7, 3] },
  { marker: 'circle', dash: [] },
];
const FAMILIES: Readonly<Record<string, Sign>> = {
  recurrent: { marker: 'bar', dash: [5, 2, 1, 2] },
  attention: { marker: 'square', dash: [] },
  convolution: { marker: 'pentagon', dash: [9, 2] },
  scan: { marker: 'wedge', dash: [3, 2] },
  memory: { marker: 'hexagon', dash: [6, 2, 2, 2] },
};
const OTHER: Sign = { marker: 'square', dash: [] };
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
  const hue = theme.hueOf(run.cell?.hue ?? 'other');
  const sign = run.cell?.classic == null ? FAMILIES[run.cell?.hue ?? ''] : CLASSIC[run.cell.classic];
  const { marker, dash } = sign ?? OTHER;
  const { variant } = run;
  if (variant === 0) return { color: hue, dash, marker, isHollow: false };
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
  const shape = new Shape(shapePath(style.marker, radius));
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
  fillShape(context, shape);
  strokeShape(context, shape);
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
    case 'pentagon':
      return polygon(5, r * 1.15);
    case 'wedge':
      return `M0 ${r * 1.1}l${r * 1.05} ${-1.95 * r}h${-2.1 * r}z`;
    case 'hexagon':
      return polygon(6, r * 1.1);
    case 'bar':
      return `M${-r * 1.2} ${-r * 0.5}h${2.4 * r}v${r}h${-2.4 * r}z`;
    case 'cross':
      return `M${-r} ${-r}l${2 * r} ${2 * r}m0 ${-2 * r}l${-2 * r} ${2 * r}`;
  }
}

/** A corner at the top. */
function polygon(corners: number, r: number): string {
  const points = Array.from({ length: corners }, (_, corner) => {
    const angle = (2 * Math.PI * corner) / corners;
    return `${(r * Math.sin(angle)).toFixed(3)} ${(-r * Math.cos(angle)).toFixed(3)}`;
  });
  return `M${points.join('L')}z`;
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
