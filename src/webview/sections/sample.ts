// What it says: generated text, or predictions against the truth, of the chosen run.
import type { Sample } from '../../protocol/messages.ts';
import { haloText, horizontal, LayeredCanvas, vertical } from '../charts/layered-canvas.ts';
import { linearScale, linearTicks } from '../charts/scales.ts';
import { dataTable, h, iconButton, setText, tableBehind } from '../dom.ts';
import { fromJson, lossExact, short } from '../format.ts';
import { markerIcon, type RunStyle, styleOf } from '../kinds.ts';
import type { Page, Section } from '../page.ts';
import { written } from './samples/index.ts';

type Forecast = Extract<Sample, { type: 'series' }>;

const LEFT = 44;

export class SampleSection implements Section {
  readonly element: HTMLElement;
  private readonly page: Page;
  private readonly note = h('span', { class: 'quiet grow' });
  private readonly all: HTMLButtonElement;
  private readonly tableButton: HTMLButtonElement;
  private readonly body = h('div', { class: 'body' });
  private readonly surface = new LayeredCanvas('Forecast');
  private readonly stretch = h('span', { class: 'quiet' });
  private index: number | null = null;
  private drawn: unknown[] = [];

  constructor(page: Page) {
    this.page = page;
    this.all = iconButton(
      'history',
      'Show earlier samples',
      () => page.setUi({ allSamples: !page.ui.allSamples }),
      false,
    );
    this.tableButton = iconButton(
      'table',
      'Show the forecast as a data table',
      () => page.setUi({ tables: { ...page.ui.tables, sample: !page.ui.tables.sample } }),
      false,
    );
    this.element = h(
      'section',
      { id: 'sample', label: 'Sample' },
      h('div', { class: 'row' }, h('h2', { text: 'Sample' }), this.note, this.all, this.tableButton),
      this.body,
    );
    this.surface.element.addEventListener('pointermove', event => {
      this.index = this.indexAt(event.clientX - this.surface.element.getBoundingClientRect().left);
      this.renderReading();
    });
    this.surface.element.addEventListener('pointerleave', () => {
      this.index = null;
      this.renderReading();
    });
    this.surface.element.addEventListener('keydown', event => this.onKey(event));
  }

  render(): void {
    const { chosen, theme, ui, isWide } = this.page;
    const said = chosen?.samples.filter(({ sample }) => sample.type !== 'augmented') ?? [];
    const varied = chosen?.samples.findLast(({ sample }) => sample.type === 'augmented');
    const newest = said.at(-1) ?? varied;
    this.element.hidden = !newest;
    const width = this.element.clientWidth;
    if (!chosen || !newest || width === 0) return;
    const { sample, step } = newest;
    this.all.hidden = sample.type === 'series' || said.length < 2;
    this.all.setAttribute('aria-pressed', String(ui.allSamples));
    this.tableButton.hidden = sample.type !== 'series';
    this.tableButton.setAttribute('aria-pressed', String(ui.tables.sample === true));
    const stamp = [chosen.samples, chosen.id, theme, width, ui.allSamples, ui.tables.sample, isWide];
    if (stamp.every((value, i) => value === this.drawn[i])) return;
    this.drawn = stamp;
    const details =
      sample.type === 'text'
        ? `, temperature ${sample.temperature}`
        : sample.type === 'series'
          ? `, ${sample.target}`
          : '';
    this.note.replaceChildren(
      markerIcon(styleOf(chosen, theme)),
      ` ${chosen.label}, step ${step.toLocaleString('en-US')}${details}`,
    );
    if (sample.type === 'series') this.renderForecast(sample, width);
    else {
      const shown =
        ui.allSamples || (isWide && sample.type === 'text')
          ? said.slice(ui.allSamples ? 0 : -3).reverse()
          : [newest];
      this.body.replaceChildren(...shown.flatMap(item => this.one(item, shown.length > 1)));
      if (varied && varied !== newest) this.body.append(...this.one(varied, shown.length > 1));
    }
  }

  renderReading(): void {
    const sample = this.forecast();
    if (!sample || this.page.ui.tables.sample || this.surface.width === 0) return;
    const context = this.surface.drawOverlay();
    setText(this.stretch, this.index === null ? keyText(sample) : this.spoken(sample, this.index));
    if (this.index === null) return;
    const x = this.scales(sample).x(sample.index[this.index]!);
    context.strokeStyle = this.page.theme.foreground;
    context.lineWidth = 1;
    vertical(context, x, 4, this.height() - 18);
  }

  private forecast(): Forecast | null {
    const sample = this.page.chosen?.samples.findLast(each => each.sample.type !== 'augmented')?.sample;
    return sample?.type === 'series' ? sample : null;
  }

  private one({ step, sample }: { step: number; sample: Sample }, withStep: boolean): Node[] {
    const head = withStep
      ? [h('div', { class: 'quiet srow', text: `step ${step.toLocaleString('en-US')}` })]
      : [];
    return sample.type === 'series' ? head : [...head, ...written(sample)];
  }

  private height(): number {
    return this.page.isWide ? 180 : 140;
  }

  private scales(sample: Forecast) {
    const values = [...sample.truth, ...sample.prediction].map(fromJson).filter(Number.isFinite);
    const low = Math.min(...values);
    const high = Math.max(...values);
    const margin = (high - low || 1) * 0.06;
    const first = sample.index[0] ?? 0;
    const last = sample.index.at(-1) ?? 1;
    return {
      x: linearScale(first, last, LEFT, this.surface.width - 2),
      y: linearScale(low - margin, high + margin, this.height() - 18, 4),
      low: low - margin,
      high: high + margin,
      first,
      last,
    };
  }

  private renderForecast(sample: Forecast, width: number): void {
    const { ui, theme, chosen } = this.page;
    const height = this.height();
    if (ui.tables.sample) {
      const rows = sample.index.map((index, i) => [
        String(index),
        ...[sample.truth, sample.prediction, sample.persistence].map(column =>
          lossExact(fromJson(column[i])),
        ),
      ]);
      const table = dataTable(
        `Forecast of ${sample.target}`,
        ['row', 'truth', 'prediction', 'persistence'],
        rows,
      );
      this.body.replaceChildren(tableBehind(height + 20, table));
      return;
    }
    if (this.body.firstChild !== this.surface.element)
      this.body.replaceChildren(this.surface.element, this.stretch);
    this.surface.resize(width, height);
    const context = this.surface.drawBase();
    const { x, y, low, high, first, last } = this.scales(sample);
    context.font = `11px ${theme.font}`;
    context.textBaseline = 'middle';
    context.textAlign = 'right';
    context.lineWidth = 1;
    for (const tick of linearTicks(low, high, 4)) {
      context.strokeStyle = theme.grid;
      horizontal(context, LEFT, width - 2, y(tick));
      context.fillStyle = theme.quiet;
      context.fillText(Math.abs(tick) >= 10_000 ? short(tick) : String(tick), LEFT - 6, y(tick));
    }
    context.textAlign = 'center';
    for (const tick of linearTicks(first, last, 4))
      if (x(tick) > LEFT + 14 && x(tick) < width - 20) context.fillText(short(tick), x(tick), height - 7);
    const style = styleOf(chosen!, theme);
    this.line(context, sample, sample.persistence, x, y, theme.quiet, 1, [1, 3]);
    this.line(context, sample, sample.truth, x, y, theme.foreground, 1.25, []);
    this.line(context, sample, sample.prediction, x, y, style.color, 2.25, style.dash);
    this.labels(context, sample, style);
    this.surface.label = `Forecast of ${sample.target}: truth, prediction and persistence over ${sample.index.length} rows of validation data. Arrow keys read the values.`;
    this.renderReading();
  }

  private labels(context: CanvasRenderingContext2D, sample: Forecast, style: RunStyle): void {
    const { theme } = this.page;
    context.textAlign = 'left';
    const words: [string, string][] = [
      ['truth', theme.foreground],
      ['prediction', style.color],
    ];
    let at = LEFT + 6;
    for (const [word, color] of words) {
      haloText(context, word, at, 10, color, theme.background);
      at += context.measureText(word).width + 10;
    }
    haloText(context, 'persistence', at, 10, theme.quiet, theme.background);
    if (sample.index.length === 0) haloText(context, 'no rows', LEFT + 6, 30, theme.quiet, theme.background);
  }

  private line(
    context: CanvasRenderingContext2D,
    sample: Forecast,
    values: Forecast['truth'],
    x: (value: number) => number,
    y: (value: number) => number,
    color: string,
    width: number,
    dash: number[],
  ): void {
    context.strokeStyle = color;
    context.lineWidth = width;
    context.setLineDash(dash);
    context.beginPath();
    let isDown = false;
    sample.index.forEach((index, i) => {
      const value = fromJson(values[i]);
      if (!Number.isFinite(value)) isDown = false;
      else {
        if (isDown) context.lineTo(x(index), y(value));
        else context.moveTo(x(index), y(value));
        isDown = true;
      }
    });
    context.stroke();
    context.setLineDash([]);
  }

  private indexAt(pixel: number): number | null {
    const sample = this.forecast();
    if (!sample || sample.index.length === 0) return null;
    const wanted = this.scales(sample).x.invert(pixel);
    let best = 0;
    sample.index.forEach((value, i) => {
      if (Math.abs(value - wanted) < Math.abs(sample.index[best]! - wanted)) best = i;
    });
    return best;
  }

  private spoken(sample: Forecast, i: number): string {
    const value = (column: Forecast['truth']) => lossExact(fromJson(column[i]));
    return `row ${sample.index[i]}: truth ${value(sample.truth)}, prediction ${value(sample.prediction)}, persistence ${value(sample.persistence)}`;
  }

  private onKey(event: KeyboardEvent): void {
    const sample = this.forecast();
    const direction = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
    if (!sample || (event.key !== 'Escape' && !direction)) return;
    event.preventDefault();
    const last = sample.index.length - 1;
    this.index = direction
      ? Math.max(0, Math.min(last, (this.index ?? last) + direction * (event.shiftKey ? 10 : 1)))
      : null;
    this.renderReading();
    if (this.index !== null) this.page.announce(this.spoken(sample, this.index));
  }
}

/** Root mean squared errors over the stretch that is shown. */
function keyText({ truth, prediction, persistence }: Forecast): string {
  const rmse = (values: Forecast['truth']) => {
    const errors = values
      .map((value, i) => (fromJson(value) - fromJson(truth[i])) ** 2)
      .filter(Number.isFinite);
    return Math.sqrt(errors.reduce((sum, error) => sum + error, 0) / Math.max(1, errors.length));
  };
  return `error over this stretch: prediction ${lossExact(rmse(prediction))}, persistence ${lossExact(rmse(persistence))} (root mean square)`;
}
