// What it says: generated text, or predictions against the truth, of the chosen run.
import type { Sample } from '../../protocol/messages.ts';
import { type ChartSource, saveButton } from '../charts/export.ts';
import { gappedLine, type Stroke } from '../charts/gapped-line.ts';
import { haloText, horizontal, LayeredCanvas, vertical } from '../charts/layered-canvas.ts';
import { dateTicks, linearScale, linearTicks, type Tick } from '../charts/scales.ts';
import { dataTable, h, iconButton, RadioGroup, setText, tableBehind } from '../dom.ts';
import { fromJson, lossExact, short } from '../format.ts';
import { markerIcon, type RunStyle, styleOf } from '../kinds.ts';
import type { Page, Section } from '../page.ts';
import { tableButton } from './chart-frame.ts';
import { ForecastErrors } from './samples/forecast-errors.ts';
import { written } from './samples/index.ts';
import { placesOf, placeText } from './samples/places.ts';

type Forecast = Extract<Sample, { type: 'series' }>;

const LEFT = 44;
/** above the curves: what they are */
const KEY = 20;
const AXIS = 18;

export class SampleSection implements Section {
  readonly element: HTMLElement;
  private readonly page: Page;
  private readonly note = h('span', { class: 'quiet grow' });
  private readonly all: HTMLButtonElement;
  private readonly tableButton: HTMLButtonElement;
  private readonly saveMenu: HTMLElement;
  private readonly body = h('div', { class: 'body' });
  private readonly surface = new LayeredCanvas('Forecast');
  private readonly stretch = h('span', { class: 'quiet' });
  private readonly errors = new ForecastErrors();
  /** of several columns that are predicted together, the one that is shown */
  private readonly column: RadioGroup<string>;
  private target: string | null = null;
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
    this.tableButton = tableButton(page, 'sample', 'the forecast');
    this.saveMenu = saveButton(page, 'the forecast', () => this.exported());
    this.column = new RadioGroup('Column', 'seg', '', target => {
      this.target = target;
      this.index = null;
      this.render();
    });
    this.element = h(
      'section',
      { id: 'sample', label: 'Sample' },
      h(
        'div',
        { class: 'row' },
        h('h2', { text: 'Sample' }),
        this.note,
        this.all,
        this.tableButton,
        this.saveMenu,
      ),
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
    this.tableButton.hidden = this.saveMenu.hidden = sample.type !== 'series';
    this.tableButton.setAttribute('aria-pressed', String(ui.tables.sample === true));
    const stamp = [
      chosen.samples,
      chosen.id,
      theme,
      width,
      ui.allSamples,
      ui.tables.sample,
      isWide,
      this.target,
    ];
    if (stamp.every((value, i) => value === this.drawn[i])) return;
    this.drawn = stamp;
    const details =
      sample.type === 'text'
        ? `, temperature ${sample.temperature}`
        : sample.type === 'series'
          ? `, ${this.shown(sample).target}`
          : '';
    this.note.replaceChildren(
      markerIcon(styleOf(chosen, theme)),
      ` ${chosen.label}, step ${step.toLocaleString('en-US')}${details}`,
    );
    if (sample.type === 'series') this.renderForecast(sample, this.shown(sample), width);
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
    const x = this.scales(sample).x(placesOf(sample)[this.index]!);
    context.strokeStyle = this.page.theme.foreground;
    context.lineWidth = 1;
    vertical(context, x, KEY, this.height() - AXIS);
  }

  private forecast(): Forecast | null {
    const sample = this.page.chosen?.samples.findLast(each => each.sample.type !== 'augmented')?.sample;
    return sample?.type === 'series' ? this.shown(sample) : null;
  }

  /** The series of the chosen column, else of the first. */
  private shown(sample: Forecast): Forecast {
    const other = sample.others?.find(({ target }) => target === this.target);
    return other ? { ...sample, ...other } : sample;
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
    const paths = sample.paths?.flatMap(({ prediction }) => prediction) ?? [];
    const values = [...sample.truth, ...sample.prediction, ...paths].map(fromJson).filter(Number.isFinite);
    const low = Math.min(...values);
    const high = Math.max(...values);
    const margin = (high - low || 1) * 0.06;
    const places = placesOf(sample);
    const first = places[0] ?? 0;
    const last = places.at(-1) ?? 1;
    return {
      x: linearScale(first, last, LEFT, this.surface.width - 2),
      y: linearScale(low - margin, high + margin, this.height() - AXIS, KEY),
      low: low - margin,
      high: high + margin,
      first,
      last,
    };
  }

  private renderForecast(whole: Forecast, sample: Forecast, width: number): void {
    const { ui, chosen, theme } = this.page;
    const height = this.height();
    const targets = [whole, ...(whole.others ?? [])].map(({ target }) => target);
    this.column.element.hidden = targets.length === 1;
    this.column.update(
      targets.map(target => ({ value: target, content: target })),
      sample.target,
    );
    if (ui.tables.sample) {
      const rows = sample.index.map((_, i) => [
        placeText(sample, i),
        ...[sample.truth, sample.prediction, sample.persistence].map(column =>
          lossExact(fromJson(column[i])),
        ),
      ]);
      const table = dataTable(
        `Forecast of ${sample.target}`,
        [sample.dates ? 'date' : 'row', 'truth', 'prediction', 'persistence'],
        rows,
      );
      this.body.replaceChildren(this.column.element, tableBehind(height + 20, table));
      return;
    }
    const hasErrors = sample.steps !== undefined || sample.origins !== undefined;
    if (this.surface.element.parentNode !== this.body || hasErrors !== this.errors.element.isConnected)
      this.body.replaceChildren(
        ...[this.column.element, this.surface.element, this.stretch],
        ...(hasErrors ? [this.errors.element] : []),
      );
    this.surface.resize(width, height);
    this.paint(sample);
    if (hasErrors) this.errors.render(sample, this.page, styleOf(chosen!, theme), width);
    this.surface.label = `Forecast of ${sample.target}: truth, prediction and persistence over ${sample.index.length} rows of validation data. Arrow keys read the values.`;
    this.renderReading();
  }

  private paint(sample: Forecast, context = this.surface.drawBase()): void {
    const { theme, chosen } = this.page;
    const { width } = this.surface;
    const height = this.height();
    const { x, y, low, high, first, last } = this.scales(sample);
    const places = placesOf(sample);
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
    for (const [from, to] of gapsOf(sample)) {
      const [begin, end] = [x(places[from]!), x(places[to]!)];
      context.fillStyle = `color-mix(in srgb, ${theme.quiet} ${theme.isHighContrast ? 40 : 22}%, transparent)`;
      context.fillRect(begin + 1, KEY, Math.max(2, end - begin - 2), height - AXIS - KEY);
    }
    context.textAlign = 'center';
    const ticks: Tick[] = sample.dates
      ? dateTicks(first, last, Math.max(2, Math.floor((width - LEFT) / 80)))
      : linearTicks(first, last, 4).map(value => ({ value, label: short(value) }));
    context.fillStyle = theme.quiet;
    for (const { value, label } of ticks) {
      const half = context.measureText(label).width / 2;
      if (x(value) - half > LEFT - 4 && x(value) + half < width)
        context.fillText(label, x(value), height - 7);
    }
    const style = styleOf(chosen!, theme);
    const ends = new Set(gapsOf(sample).map(([, end]) => end));
    const line = (values: Forecast['truth'], stroke: Stroke) =>
      gappedLine(
        context,
        places.length,
        at => {
          const value = fromJson(values[at]);
          return Number.isFinite(value + places[at]!) ? [x(places[at]!), y(value)] : null;
        },
        stroke,
        at => ends.has(at),
      );
    line(sample.persistence, { color: theme.quiet, width: 1, dash: [1, 3] });
    line(sample.truth, { color: theme.foreground, width: 1.25, dash: [] });
    line(sample.prediction, { color: style.color, width: 2.25, dash: style.dash });
    for (const path of sample.paths ?? []) this.path(context, path, x, y, style.color);
    this.labels(context, sample, style);
  }

  /** A whole forecast, from a dot at its first row. */
  private path(
    context: CanvasRenderingContext2D,
    path: NonNullable<Forecast['paths']>[number],
    x: (value: number) => number,
    y: (value: number) => number,
    color: string,
  ): void {
    const { first, last } = this.scales(this.forecast()!);
    const points = placesOf(path)
      .map((place, at): [number, number] => [place, fromJson(path.prediction[at])])
      .filter(([place, value]) => place >= first && place <= last && Number.isFinite(value));
    const [begin] = points;
    if (!begin) return;
    context.strokeStyle = context.fillStyle = color;
    context.lineWidth = 1;
    context.beginPath();
    for (const [place, value] of points) context.lineTo(x(place), y(value));
    context.stroke();
    context.beginPath();
    context.arc(x(begin[0]), y(begin[1]), 2.5, 0, 2 * Math.PI);
    context.fill();
  }

  private exported(): ChartSource | null {
    const sample = this.forecast();
    if (!sample || this.surface.width === 0) return null;
    return {
      name: `${this.page.state.title ?? 'run'} forecast ${sample.target}`,
      width: this.surface.width,
      height: this.height(),
      paint: context => this.paint(sample, context),
      head: ['row', ...(sample.dates ? ['date'] : []), 'truth', 'prediction', 'persistence'],
      rows: sample.index.map((row, i) => [
        row,
        ...(sample.dates ? [placeText(sample, i)] : []),
        ...[sample.truth, sample.prediction, sample.persistence].map(column => fromJson(column[i])),
      ]),
    };
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
    at += context.measureText('persistence').width + 10;
    if (sample.paths) {
      const word = '• whole forecasts';
      const end = at + context.measureText(word).width + 10;
      if (end < this.surface.width + 10) haloText(context, word, at, 10, style.color, theme.background);
      at = end;
    }
    if (gapsOf(sample).length > 0) {
      context.fillStyle = `color-mix(in srgb, ${theme.quiet} ${theme.isHighContrast ? 40 : 22}%, transparent)`;
      context.fillRect(at, 5, 10, 10);
      haloText(context, 'no value', at + 14, 10, theme.quiet, theme.background);
    }
    if (sample.index.length === 0) haloText(context, 'no rows', LEFT + 6, 30, theme.quiet, theme.background);
  }

  private indexAt(pixel: number): number | null {
    const sample = this.forecast();
    if (!sample || sample.index.length === 0) return null;
    const wanted = this.scales(sample).x.invert(pixel);
    let best = 0;
    const places = placesOf(sample);
    places.forEach((value, i) => {
      if (Math.abs(value - wanted) < Math.abs(places[best]! - wanted)) best = i;
    });
    return best;
  }

  private spoken(sample: Forecast, i: number): string {
    const value = (column: Forecast['truth']) => lossExact(fromJson(column[i]));
    return `${sample.dates ? '' : 'row '}${placeText(sample, i)}: truth ${value(sample.truth)}, prediction ${value(sample.prediction)}, persistence ${value(sample.persistence)}`;
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

/** [last before, first after] of stretches whose rows have no value of their own. */
function gapsOf({ index }: Forecast): [number, number][] {
  return index.flatMap((row, i): [number, number][] =>
    i > 0 && row > index[i - 1]! + 1 ? [[i - 1, i]] : [],
  );
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
