// What the chosen run's recurrent matrices do to lengths, over training: their spectral radii as lines, the largest
// singular values dashed, the line of 1 between forgetting and growing; all figures in the table behind.
import type { RunView, SpectrumView } from '../../protocol/messages.ts';
import type { ChartSource } from '../charts/export.ts';
import { gappedLine, type Stroke } from '../charts/gapped-line.ts';
import { haloText, horizontal, type LayeredCanvas } from '../charts/layered-canvas.ts';
import type { ProfileArea } from '../charts/profile.ts';
import { linearScale, linearTicks } from '../charts/scales.ts';
import { dataTable, setText } from '../dom.ts';
import { count } from '../format.ts';
import { drawMarker, type RunStyle, styleOf } from '../kinds.ts';
import { matrixTitle, shortNames } from '../matrix-names.ts';
import type { Page, Section } from '../page.ts';
import { ChartFrame } from './chart-frame.ts';
import { GUTTER } from './flow.ts';

const FIGURES = 3;
const [RADIUS, SIGMA, CONDITION] = [0, 1, 2];
/** of lines of one colour, so that matrices are told apart */
const SHADES = [100, 62, 80, 45];
const AXIS = 20;
/** pixels that a line's name may stand below the line */
const LABEL_SHIFT = 12;

interface Shown {
  run: RunView;
  view: SpectrumView;
}

export class SpectrumSection implements Section {
  readonly element: HTMLElement;
  private readonly page: Page;
  private readonly frame: ChartFrame;
  private readonly surface: LayeredCanvas;

  constructor(page: Page) {
    this.page = page;
    const names = { id: 'spectrum', title: 'Spectrum', what: 'the spectrum' };
    this.frame = new ChartFrame(page, names, () => this.exported());
    this.element = this.frame.element;
    this.surface = this.frame.surface;
  }

  render(): void {
    const shown = this.shown();
    this.element.hidden = shown === null;
    if (!shown || this.element.clientWidth === 0) return;
    const { view } = shown;
    setText(
      this.frame.note,
      this.page.isWide ? 'ρ(W) of each recurrent matrix over training; dashed: σ_max' : 'ρ(W), dashed σ_max',
    );
    this.frame.show(this.height() + AXIS, {
      draw: () => this.draw(shown),
      stamp: `${shown.run.id} ${view.steps.at(-1)} ${view.steps.length} ${view.maps.length}`,
      table: () => tableOf(shown),
    });
    setText(this.frame.say, verdictOf(shown));
    this.surface.label = `Spectral radii by training step of ${shown.run.label}. ${verdictOf(shown)}`;
  }

  private shown(): Shown | null {
    const { chosen } = this.page;
    const view = chosen?.series.spectrum[0];
    return chosen && view ? { run: chosen, view } : null;
  }

  private exported(): ChartSource | null {
    const shown = this.shown();
    if (!shown || this.surface.width === 0) return null;
    const { run, view } = shown;
    return {
      name: `${run.label} spectrum`,
      width: this.surface.width,
      height: this.height() + AXIS,
      paint: context => this.draw(shown, context),
      head: ['run', 'matrix', 'step', 'radius', 'sigma', 'condition'],
      rows: view.maps.flatMap((map, index) =>
        Array.from(view.steps, (step, row) => [
          run.label,
          map,
          step,
          ...[RADIUS, SIGMA, CONDITION].map(figure => figureOf(view, row, index, figure)),
        ]),
      ),
    };
  }

  private height(): number {
    return this.page.isWide ? 110 : 80;
  }

  private area(): ProfileArea {
    return { left: GUTTER, right: this.surface.width - 1, top: 4, bottom: this.height() };
  }

  private draw({ run, view }: Shown, context = this.surface.drawBase()): void {
    const { theme } = this.page;
    const area = this.area();
    const values = view.maps.flatMap((_, map) =>
      Array.from(view.steps, (__, row) =>
        [RADIUS, SIGMA].map(figure => figureOf(view, row, map, figure)),
      ).flat(),
    );
    const finite = values.filter(Number.isFinite);
    const highest = Math.max(1.1, ...finite) * 1.05;
    const y = linearScale(0, highest, area.bottom, area.top);
    const x = linearScale(0, Math.max(1, view.steps.at(-1)!, run.step), area.left, area.right);
    context.font = `11px ${theme.font}`;
    context.textBaseline = 'middle';
    context.lineWidth = 1;
    for (const value of linearTicks(0, highest, 4)) {
      context.textAlign = 'right';
      context.fillStyle = theme.quiet;
      context.fillText(String(value), area.left - 6, Math.max(6, y(value)));
      context.strokeStyle = value === 0 ? theme.lines : theme.grid;
      horizontal(context, area.left, area.right, y(value));
    }
    context.strokeStyle = theme.foreground;
    context.globalAlpha = 0.7;
    context.setLineDash([2, 2]);
    horizontal(context, area.left, area.right, y(1));
    context.globalAlpha = 1;
    const { color } = styleOf(run, theme);
    const ends: { text: string; at: number }[] = [];
    const names = shortNames(run, view.maps);
    for (const [map, name] of names.entries()) {
      const share = theme.isHighContrast ? 100 : SHADES[map % SHADES.length]!;
      const shade = share === 100 ? color : `color-mix(in srgb, ${color} ${share}%, ${theme.foreground})`;
      const line = (figure: number, stroke: Pick<Stroke, 'width' | 'dash'>) =>
        gappedLine(
          context,
          view.steps.length,
          row => {
            const value = figureOf(view, row, map, figure);
            return Number.isFinite(value) ? [x(view.steps[row]!), y(value)] : null;
          },
          { color: shade, ...stroke },
        );
      line(SIGMA, { width: 1, dash: [4, 3] });
      line(RADIUS, { width: 1.75, dash: [] });
      // one step makes no line
      if (view.steps.length === 1) {
        for (const figure of [SIGMA, RADIUS]) {
          const at = y(figureOf(view, 0, map, figure));
          const look: RunStyle = { color: shade, dash: [], marker: 'circle', isHollow: figure === SIGMA };
          if (Number.isFinite(at)) drawMarker(context, look, x(view.steps[0]!), at, 2.5, theme.background);
        }
      }
      const last = figureOf(view, view.steps.length - 1, map, RADIUS);
      if (Number.isFinite(last)) ends.push({ text: name, at: y(last) });
    }
    this.drawNames(context, ends, area);
    drawSteps(context, area, x, Math.max(1, view.steps.at(-1)!, run.step), theme);
  }

  /** At the ends of the lines, the largest radius first, as far as each has room beside its own line. */
  private drawNames(
    context: CanvasRenderingContext2D,
    ends: { text: string; at: number }[],
    area: ProfileArea,
  ) {
    const { theme } = this.page;
    context.textAlign = 'right';
    context.font = `600 11px ${theme.font}`;
    ends.sort((a, b) => a.at - b.at);
    let from = area.top + 5;
    for (const { text, at } of ends) {
      const row = Math.max(from, at - 7);
      if (row > area.bottom - 4 || row - at > LABEL_SHIFT) continue;
      haloText(context, text, area.right - 3, row, theme.foreground, theme.background);
      from = row + 12;
    }
  }
}

function tableOf({ run, view }: Shown): HTMLTableElement {
  const rows = view.maps.flatMap((map, index) => [
    [
      matrixTitle(run, map),
      ...[RADIUS, SIGMA, CONDITION].flatMap(figure =>
        [0, view.steps.length - 1].map(row => figureText(figureOf(view, row, index, figure))),
      ),
    ],
  ]);
  const [first, last] = [count(view.steps[0]!), count(view.steps.at(-1)!)];
  const head = [
    'matrix',
    ...['ρ', 'σ_max', 'condition'].flatMap(name => [`${name}, ${first}`, `${name}, ${last}`]),
  ];
  return dataTable('Spectrum of each recurrent matrix, at the first and the newest step', head, rows);
}

function figureOf({ maps, figures }: SpectrumView, row: number, map: number, figure: number): number {
  return figures[(row * maps.length + map) * FIGURES + figure]!;
}

function figureText(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '–';
  return value >= 1e4 ? value.toExponential(1) : value.toPrecision(4);
}

function verdictOf({ run, view }: Shown): string {
  const row = view.steps.length - 1;
  const figures = view.maps.map((map, index) => ({ map, radius: figureOf(view, row, index, RADIUS) }));
  const largest = figures.reduce((a, b) => (b.radius > a.radius || Number.isNaN(a.radius) ? b : a));
  if (Number.isNaN(largest.radius)) return 'No spectrum could be computed at the newest step.';
  return `Largest ρ ${largest.radius.toFixed(3)} (${matrixTitle(run, largest.map)}), at step ${count(view.steps[row]!)}`;
}

function drawSteps(
  context: CanvasRenderingContext2D,
  area: ProfileArea,
  x: (step: number) => number,
  last: number,
  theme: Page['theme'],
): void {
  context.font = `11px ${theme.font}`;
  context.fillStyle = theme.quiet;
  const y = area.bottom + 11;
  context.textAlign = 'right';
  const end = `step ${count(last)}`;
  context.fillText(end, area.right, y);
  const room = area.right - context.measureText(end).width - 30;
  context.textAlign = 'center';
  for (const step of linearTicks(0, last, 4))
    if (Number.isInteger(step) && x(step) < room) context.fillText(count(step), x(step), y);
}
