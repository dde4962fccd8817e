// The loss curves on chart.js: its lines and scales, our marks. Points come decimated, so nothing is parsed,
// decimated or animated here.
import {
  BasicPlatform,
  Chart,
  type ChartDataset,
  LinearScale,
  LineController,
  LineElement,
  LogarithmicScale,
  type Plugin,
  PointElement,
} from 'chart.js';
import { clock, loss as lossText, powerOfTen, short } from '../format.ts';
import { drawMarker, type RunStyle, styleOf } from '../kinds.ts';
import type { Axis } from '../page.ts';
import type { Theme } from '../theme.ts';
import { haloText, vertical } from './layered-canvas.ts';
import type { LossLines, PlotPoint } from './loss-data.ts';
import { linearTicks, logTicks, timeTicks } from './scales.ts';

Chart.register(LineController, LineElement, PointElement, LinearScale, LogarithmicScale);

export interface LossPicture {
  lines: LossLines[];
  scale: 'log' | 'linear';
  axis: Axis;
  from: number;
  to: number;
  low: number;
  high: number;
  chosen: string | null;
  /** stands out from the others */
  highlighted: string | null;
  theme: Theme;
  baseline: { loss: number; name: string } | null;
  labelWidth: number;
}

export interface PlotArea {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

const GUTTER = 44;
const LABEL_WIDTH = 90;
const LABEL_GAP = 15;
const MARKS = 5;
/** percent of a run's colour: of its raw curve, and of all its lines while another one is highlighted */
const GHOST_SHARE = 28;
const DIM_SHARE = 25;
const LEAST_GAP = 12;
/** pixels of a chart in which a name takes much of the width */
const NARROW = 480;

type LossDataset = ChartDataset<'line', PlotPoint[]>;

export class LossChart {
  private readonly chart: Chart<'line', PlotPoint[]>;
  private picture: LossPicture | null = null;
  private readonly pixels: number | null;
  readonly canvas: HTMLCanvasElement;

  /** `isDetached`: a canvas that stands in no page, such as one that writes SVG */
  constructor(canvas: HTMLCanvasElement, isDetached = false, pixels: number | null = null) {
    this.canvas = canvas;
    this.pixels = pixels;
    this.chart = new Chart<'line', PlotPoint[]>(canvas, {
      ...(isDetached && { platform: BasicPlatform }),
      type: 'line',
      data: { datasets: [] },
      options: {
        animation: false,
        parsing: false,
        normalized: true,
        responsive: false,
        maintainAspectRatio: false,
        events: [],
        spanGaps: false,
        layout: { autoPadding: false },
        elements: { point: { radius: 0, hitRadius: 0, hoverRadius: 0 }, line: { tension: 0 } },
        // with it chart.js draws lines without a Path2D, which no SVG can take
        ...(isDetached && { datasets: { line: { segment: {} } } }),
      },
      plugins: [this.marks()],
    });
  }

  dispose(): void {
    this.chart.destroy();
  }

  get area(): PlotArea {
    return this.chart.chartArea ?? { left: GUTTER, right: GUTTER, top: 0, bottom: 0 };
  }

  xAt(pixel: number): number {
    return this.chart.scales['x']?.getValueForPixel(pixel) ?? 0;
  }

  pixelOf(x: number): number {
    return this.chart.scales['x']?.getPixelForValue(x) ?? 0;
  }

  yPixelOf(y: number): number {
    return this.chart.scales['y']?.getPixelForValue(y) ?? Number.NaN;
  }

  draw(picture: LossPicture, width: number, height: number): void {
    this.picture = picture;
    const { theme } = picture;
    this.chart.options.devicePixelRatio = this.pixels ?? (window.devicePixelRatio || 1);
    this.chart.options.scales = this.scales(picture, height) as never;
    this.chart.options.layout = {
      autoPadding: false,
      padding: { right: picture.labelWidth, top: topOf(picture, width) },
    };
    this.chart.data.datasets = datasetsOf(picture, theme);
    this.chart.resize(width, height);
    this.chart.update('none');
  }

  private scales(picture: LossPicture, height: number): unknown {
    const { theme, axis } = picture;
    const font = { family: theme.font, size: 11 };
    const wanted = Math.max(3, Math.floor(height / 34));
    return {
      x: {
        type: 'linear',
        min: picture.from,
        max: picture.to,
        border: { color: theme.lines },
        grid: { display: false },
        afterBuildTicks: (scale: { ticks: { value: number }[]; width: number }) => {
          const room = Math.max(2, Math.floor((scale.width || 280) / 48));
          const ticks = (axis === 'seconds' ? timeTicks : linearTicks)(picture.from, picture.to, room);
          scale.ticks = ticks
            .filter(value => axis === 'seconds' || Number.isInteger(value))
            .map(value => ({ value }));
        },
        ticks: {
          color: theme.quiet,
          font,
          maxRotation: 0,
          autoSkip: false,
          padding: 2,
          callback: (value: number) => axisText(value, axis, picture.to - picture.from),
        },
      },
      y: {
        type: picture.scale === 'log' ? 'logarithmic' : 'linear',
        min: picture.low,
        max: picture.high,
        border: { display: false },
        grid: { color: theme.grid, drawTicks: false },
        afterFit: (scale: { width: number }) => {
          scale.width = GUTTER;
        },
        afterBuildTicks: (scale: { ticks: { value: number }[] }) => {
          const ticks = picture.scale === 'log' ? logTicks : linearTicks;
          scale.ticks = ticks(picture.low, picture.high, wanted).map(value => ({ value }));
        },
        ticks: {
          color: theme.quiet,
          font,
          autoSkip: false,
          padding: 6,
          callback: (value: number) => valueText(value),
        },
      },
    };
  }

  /** Validation markers, NaN crosses, the loss of knowing nothing, and the labels at the ends of the lines. */
  private marks(): Plugin<'line'> {
    return {
      id: 'marks',
      beforeDatasetsDraw: chart => {
        if (this.picture) drawBands(chart.ctx, this.picture, this);
      },
      afterDatasetsDraw: chart => {
        const picture = this.picture;
        if (!picture) return;
        const { ctx, chartArea: area } = chart;
        ctx.save();
        ctx.font = `11px ${picture.theme.font}`;
        ctx.textBaseline = 'middle';
        ctx.textAlign = 'left';
        this.drawBaseline(ctx, picture, area);
        const inside = (x: number) => x >= picture.from && x <= picture.to;
        for (const { run, val } of picture.lines)
          this.drawValMarkers(
            ctx,
            picture,
            styleOf(run, picture.theme),
            val.filter(p => inside(p.x)),
          );
        for (const { broken } of picture.lines)
          if (broken && inside(broken.x)) this.drawBroken(ctx, picture, area, broken);
        this.drawEndLabels(ctx, picture, area);
        ctx.restore();
      },
    };
  }

  private drawBaseline(ctx: CanvasRenderingContext2D, picture: LossPicture, area: PlotArea): void {
    const { baseline, theme } = picture;
    if (!baseline || baseline.loss < picture.low || baseline.loss > picture.high) return;
    const y = this.yPixelOf(baseline.loss);
    ctx.strokeStyle = theme.quiet;
    ctx.setLineDash([1, 3]);
    ctx.lineWidth = 1;
    ctx.beginPath();
    ctx.moveTo(area.left, y);
    ctx.lineTo(area.right, y);
    ctx.stroke();
    const width = ctx.measureText(baseline.name).width;
    const place = freePlace(linesIn(picture, this), area, width, y);
    // a name that found no room beside its line is led to it
    if (place.isAway) {
      const edge = place.y + (place.y < y ? 7 : -7);
      ctx.beginPath();
      ctx.moveTo(place.x + width / 2, edge);
      ctx.lineTo(place.x + width / 2, y);
      ctx.stroke();
    }
    ctx.setLineDash([]);
    ctx.textAlign = 'left';
    haloText(ctx, baseline.name, place.x, place.y, theme.quiet, theme.background);
  }

  private drawValMarkers(
    ctx: CanvasRenderingContext2D,
    { theme, from, to }: LossPicture,
    style: RunStyle,
    val: PlotPoint[],
  ): void {
    const every = (to - from) / MARKS;
    val.forEach(({ x, y }, index) => {
      const next = val[index + 1]?.x ?? Number.POSITIVE_INFINITY;
      // at the same places for all runs, and at the end of each
      const isShown =
        index === val.length - 1 ||
        (Math.floor(next / every) > Math.floor(x / every) && x + every * 0.4 < val.at(-1)!.x);
      const pixel = this.yPixelOf(y);
      if (isShown && Number.isFinite(y) && Number.isFinite(pixel))
        drawMarker(ctx, style, this.pixelOf(x), pixel, 3.5, theme.background);
    });
  }

  private drawBroken(
    ctx: CanvasRenderingContext2D,
    { theme }: LossPicture,
    area: PlotArea,
    broken: NonNullable<LossLines['broken']>,
  ): void {
    const x = this.pixelOf(broken.x);
    const y = clamp(this.yPixelOf(broken.y), area.top + 4, area.bottom - 4);
    ctx.strokeStyle = theme.error;
    ctx.lineWidth = 1;
    ctx.setLineDash([1, 2]);
    vertical(ctx, x, y + 6, area.bottom);
    ctx.setLineDash([]);
    ctx.lineWidth = 2;
    ctx.beginPath();
    ctx.moveTo(x - 4, y - 4);
    ctx.lineTo(x + 4, y + 4);
    ctx.moveTo(x + 4, y - 4);
    ctx.lineTo(x - 4, y + 4);
    ctx.stroke();
  }

  private drawEndLabels(ctx: CanvasRenderingContext2D, picture: LossPicture, area: PlotArea): void {
    const names = shortLabels(
      picture.lines.map(({ run }) => run.label),
      picture.labelWidth,
    );
    const labels = picture.lines
      .flatMap((line, at) => endLabel(line, names[at]!, picture, this))
      .sort((a, b) => a.y - b.y);
    const kept = columns(labels).flatMap(column => {
      const shown = fitting(column, area.bottom - area.top - 12, picture);
      spread(shown, area.top + 6, area.bottom - 6);
      return shown;
    });
    for (const label of kept) {
      const { x, y, style, name, value, note } = label;
      drawMarker(ctx, style, x + 10, y, 3.5, picture.theme.background);
      ctx.font = `600 11px ${picture.theme.font}`;
      const textX = x + 18;
      haloText(ctx, name, textX, y, picture.theme.foreground, picture.theme.background);
      const width = name ? ctx.measureText(`${name} `).width : 0;
      ctx.font = `11px ${picture.theme.font}`;
      haloText(ctx, value, textX + width, y, picture.theme.foreground, picture.theme.background);
      if (note)
        haloText(ctx, note, x + 10, y + LABEL_GAP, picture.theme.foreground, picture.theme.background);
    }
  }
}

/** Behind all lines: what the seeds of a run span. */
function drawBands(ctx: CanvasRenderingContext2D, picture: LossPicture, chart: LossChart): void {
  const { area } = chart;
  ctx.save();
  ctx.beginPath();
  ctx.rect(area.left, area.top, area.right - area.left, area.bottom - area.top);
  ctx.clip();
  for (const { run, band } of picture.lines) {
    if (band.length < 2) continue;
    // below what a log scale shows, the band goes on to the edge
    const yOf = (y: number) => clamp(chart.yPixelOf(Math.max(y, picture.low)), area.top, area.bottom);
    ctx.beginPath();
    for (const { x, high } of band) ctx.lineTo(chart.pixelOf(x), yOf(high));
    for (const { x, low } of [...band].reverse()) ctx.lineTo(chart.pixelOf(x), yOf(low));
    ctx.closePath();
    const share = picture.theme.isHighContrast ? 35 : 20;
    ctx.fillStyle = `color-mix(in srgb, ${styleOf(run, picture.theme).color} ${share}%, transparent)`;
    ctx.fill();
  }
  ctx.restore();
}

/** The drawn lines in pixels; parts where a line is broken stand apart. */
function linesIn({ lines }: LossPicture, chart: LossChart): PlotPoint[][] {
  return lines.flatMap(({ ghost, train, val }) =>
    [ghost, train, val].map(line => line.map(({ x, y }) => ({ x: chart.pixelOf(x), y: chart.yPixelOf(y) }))),
  );
}

/** Room for the baseline's name above the curves, where it may find none beside them. */
function topOf({ baseline }: LossPicture, width: number): number {
  return baseline && width < NARROW ? 18 : 6;
}

/** pixels of the columns in which the curves' heights are kept */
const COLUMN = 4;
/** centre of the text above and below its line, the nearest first */
const ROWS = [-8, 9, -23, 24, -38, 39, -53, 54];

/**
 * Where a name of this width covers none of the curves: near its line, from the right to the left, else above all of
 * them; where there is no room either, where it covers least.
 */
export function freePlace(
  curves: readonly (readonly PlotPoint[])[],
  area: PlotArea,
  width: number,
  line: number,
): { x: number; y: number; isAway: boolean } {
  const heights = heightsOf(curves, area);
  const right = area.right - 4 - width;
  let best = { x: right, y: line - 8, isAway: false };
  let least = Number.POSITIVE_INFINITY;
  for (const row of ROWS) {
    const y = line + row;
    if (y < area.top + 6 || y > area.bottom - 6) continue;
    for (let x = right; x > area.left + 4; x -= 2 * COLUMN) {
      const covered = coverOf(heights, area, x - 4, x + width + 4, y);
      if (covered < least) [best, least] = [{ x, y, isAway: Math.abs(row) > 10 }, covered];
      if (least === 0) return best;
    }
  }
  return area.top >= 18 ? { x: Math.max(2, right), y: area.top - 9, isAway: true } : best;
}

/** Of each column the heights that each curve spans in it. */
function heightsOf(curves: readonly (readonly PlotPoint[])[], area: PlotArea): [number, number][][] {
  const columns: [number, number][][] = Array.from(
    { length: Math.max(0, Math.ceil((area.right - area.left) / COLUMN)) },
    () => [],
  );
  for (const curve of curves)
    curve.forEach((point, at) => {
      const next = curve[at + 1] ?? point;
      if (!Number.isFinite(point.y) || !Number.isFinite(next.y)) return;
      const yAt = (x: number) => {
        const share = next.x > point.x ? (x - point.x) / (next.x - point.x) : 0;
        return point.y + clamp(share, 0, 1) * (next.y - point.y);
      };
      const first = Math.max(0, Math.floor((point.x - area.left) / COLUMN));
      const last = Math.min(columns.length - 1, Math.floor((next.x - area.left) / COLUMN));
      for (let column = first; column <= last; column++) {
        const from = area.left + column * COLUMN;
        const ends = [yAt(from), yAt(from + COLUMN)];
        columns[column]!.push([Math.min(...ends), Math.max(...ends)]);
      }
    });
  return columns;
}

/** Columns in which a curve runs through a strip as high as a line of text. */
function coverOf(
  heights: readonly (readonly [number, number])[][],
  area: PlotArea,
  from: number,
  to: number,
  y: number,
): number {
  const first = Math.max(0, Math.floor((from - area.left) / COLUMN));
  const last = Math.floor((to - area.left) / COLUMN);
  return heights
    .slice(first, last + 1)
    .filter(column => column.some(([top, bottom]) => top < y + 9 && bottom > y - 9)).length;
}

interface EndLabel {
  id: string;
  x: number;
  y: number;
  style: RunStyle;
  name: string;
  value: string;
  note: string;
}

function endLabel(line: LossLines, name: string, picture: LossPicture, chart: LossChart): EndLabel[] {
  const { run, broken } = line;
  const { area } = chart;
  const curve = line.val.some(({ y }) => Number.isFinite(y)) ? line.val : line.train;
  const last = curve.findLast(({ x, y }) => x <= picture.to && Number.isFinite(y));
  if (!last) return [];
  const style = styleOf(run, picture.theme);
  const value = lossText(last.y);
  if (broken && broken.x <= picture.to) {
    const x = chart.pixelOf(broken.x);
    const isAtEdge = x > area.right - 16;
    const y = clamp(chart.yPixelOf(broken.y), area.top + 6, area.bottom - 24);
    return [
      {
        id: run.id,
        x: isAtEdge ? area.right : x + 4,
        y,
        style,
        name,
        value,
        note: isAtEdge ? '' : `NaN at ${broken.step}`,
      },
    ];
  }
  const pixel = chart.pixelOf(last.x);
  const isAtEdge = pixel > area.right - LABEL_WIDTH;
  const y = clamp(chart.yPixelOf(last.y), area.top + 6, area.bottom - 6);
  return [{ id: run.id, x: isAtEdge ? area.right : pixel, y, style, name, value, note: '' }];
}

/** Cut to the pixels there are for a label and its value, without the first parts that all have in common. */
export function shortLabels(labels: readonly string[], width: number): string[] {
  // a bold character at 11 px is 6.5 px wide in the mean
  const most = Math.max(4, Math.floor((width - 66) / 6.5));
  // a curve alone is named above the page
  if (labels.length === 1 && labels[0]!.length > most) return [''];
  const parts = labels.map(label => label.split(' · '));
  const isShared = (at: number) => parts.every(own => own.length > at + 1 && own[at] === parts[0]![at]);
  let shared = 0;
  while (labels.length > 1 && labels.some(label => label.length > most) && isShared(shared)) shared++;
  const left = parts.map(own => own.slice(shared).join(' · '));
  const cut = left.map(label => (label.length > most ? `${label.slice(0, most - 1)}…` : label));
  // "RNN · batchSize 4" and "RNN · batchSize 16" differ in their last words
  if (new Set(cut).size === new Set(left).size) return cut;
  return left.map(label => (label.length > most ? cutBeforeLastWord(label, most) : label));
}

function cutBeforeLastWord(label: string, most: number): string {
  const word = label.slice(label.lastIndexOf(' ') + 1).slice(-Math.floor(most / 2));
  return `${label.slice(0, Math.max(0, most - word.length - 1))}…${word}`;
}

/** Labels that could cover each other, from the left to the right. */
function columns(labels: EndLabel[]): EndLabel[][] {
  const found: EndLabel[][] = [];
  let end = Number.NEGATIVE_INFINITY;
  for (const label of [...labels].sort((a, b) => a.x - b.x)) {
    if (label.x > end) found.push([]);
    found.at(-1)!.push(label);
    end = label.x + LABEL_WIDTH;
  }
  return found.map(column => column.sort((a, b) => a.y - b.y));
}

/** As many labels as there are lines of text for, every so-manyth from the top; the legend names the others too. */
function fitting(labels: EndLabel[], height: number, { chosen, highlighted }: LossPicture): EndLabel[] {
  const most = Math.max(1, Math.floor(height / LEAST_GAP) + 1);
  if (labels.length <= most) return labels;
  const must = labels.filter(({ id }) => id === (highlighted ?? chosen)).slice(0, 1);
  const others = labels.filter(label => !must.includes(label));
  const every = others.length / Math.max(1, most - must.length);
  const kept = new Set([
    ...must,
    ...others.filter((_, i) => Math.floor(i / every) !== Math.floor((i - 1) / every)),
  ]);
  return labels.filter(label => kept.has(label)).slice(0, most);
}

/** Pushes labels apart, inside the chart where there is room. */
function spread(labels: EndLabel[], top: number, bottom: number): void {
  const gap = Math.min(LABEL_GAP, (bottom - top) / Math.max(1, labels.length - 1));
  for (let round = 0; round < 20; round++)
    for (let i = 1; i < labels.length; i++) {
      const missing = gap - (labels[i]!.y - labels[i - 1]!.y);
      if (missing <= 0) continue;
      labels[i - 1]!.y -= missing / 2;
      labels[i]!.y += missing / 2;
    }
  for (let i = 0; i < labels.length; i++) labels[i]!.y = Math.max(labels[i]!.y, top + i * gap);
  for (let i = labels.length - 1, room = bottom; i >= 0; i--, room -= gap)
    labels[i]!.y = Math.min(labels[i]!.y, room);
}

function datasetsOf({ lines, chosen, highlighted, scale }: LossPicture, theme: Theme): LossDataset[] {
  const above = highlighted ?? chosen;
  const ordered = [...lines].sort((a, b) => Number(b.run.id === above) - Number(a.run.id === above));
  const colorOf = (run: LossLines['run'], share = 100) => {
    const isDim = highlighted !== null && run.id !== highlighted;
    const { color } = styleOf(run, theme);
    const shown = isDim ? Math.min(share, DIM_SHARE) : share;
    return shown === 100 ? color : `color-mix(in srgb, ${color} ${shown}%, transparent)`;
  };
  const drawable = (line: PlotPoint[]) =>
    scale === 'log' ? line.map(point => (point.y > 0 ? point : { x: point.x, y: Number.NaN })) : line;
  // chart.js draws the first above the others
  return [
    ...ordered.map(({ run, val }) => ({
      data: drawable(val),
      borderColor: colorOf(run),
      borderDash: styleOf(run, theme).dash,
      borderWidth: 2.25,
    })),
    // an edge of the background sets validation off from what it crosses
    ...ordered.map(({ val }) => ({
      data: drawable(val),
      borderColor: `color-mix(in srgb, ${theme.background} 75%, transparent)`,
      borderWidth: 5,
    })),
    ...ordered.map(({ run, train }) => ({
      data: drawable(train),
      borderColor: colorOf(run),
      borderWidth: 1,
    })),
    ...ordered.map(({ run, ghost }) => ({
      data: drawable(ghost),
      borderColor: colorOf(run, GHOST_SHARE),
      borderWidth: 1,
    })),
  ];
}

/** `span`: of the axis; a short one is told in fractions of a second, so that no two ticks read the same. */
export function axisText(value: number, axis: Axis, span = Number.POSITIVE_INFINITY): string {
  if (axis === 'seconds') return span < 10 ? `${Number(value.toPrecision(3))} s` : clock(value);
  return axis === 'tokens' || value >= 10_000 ? short(value) : value.toLocaleString('en-US');
}

function valueText(value: number): string {
  const exponent = Math.log10(Math.abs(value));
  if (value !== 0 && (exponent <= -3 || exponent >= 5)) {
    return Number.isInteger(exponent) ? powerOfTen(exponent) : value.toExponential(0);
  }
  return String(Number(value.toPrecision(4)));
}

function clamp(value: number, low: number, high: number): number {
  return Number.isNaN(value) ? low : Math.max(low, Math.min(high, value));
}
