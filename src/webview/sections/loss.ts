// Does it learn: loss of runs of one unit over training, with the raw curve behind, NaN marked, and values at the ends.
import type { Curve, Metric, RunView } from '../../protocol/messages.ts';
import { type ChartSource, saveButton } from '../charts/export.ts';
import { LayeredCanvas, vertical } from '../charts/layered-canvas.ts';
import { axisText, LossChart, type LossPicture } from '../charts/loss-chart.ts';
import {
  type Extent,
  indexAt,
  type LossLines,
  lastX,
  linesOf,
  metricLines,
  seedLines,
  valueAt,
  valueExtent,
} from '../charts/loss-data.ts';
import { dataTable, h, iconButton, RadioGroup, setDotted, setText, tableBehind } from '../dom.ts';
import { lossExact } from '../format.ts';
import { drawMarker, markerIcon, styleOf } from '../kinds.ts';
import type { Axis, Page, Section, UiState } from '../page.ts';
import { Legend } from '../run-names.ts';
import { hasSeeds, membersOf, type SeedView } from '../seeds.ts';
import { SelectRow } from '../select-row.ts';
import { BestLine } from './best-line.ts';
import { tableButton } from './chart-frame.ts';

const MIN_RANGE_MILLISECONDS = 500;
const RANGE_POINTS = 1200;
const TABLE_ROWS = 1000;
/** metrics of a narrow page that are buttons beside that of the loss */
const MOST_BUTTONS = 4;
/** no metric has this name */
const LOSS = 'loss of training and validation';

/** What makes losses comparable: task and unit. */
export function unitOf(run: RunView): string {
  return run.task ? `${run.task.name} ${run.task.lossUnit}` : '';
}

export class LossSection implements Section {
  readonly element: HTMLElement;
  private readonly page: Page;
  private readonly unit = h('span', { class: 'quiet' });
  private readonly key = keyLine();
  private readonly scale: RadioGroup<UiState['scale']>;
  private readonly axis: RadioGroup<Axis>;
  private readonly seeds: RadioGroup<SeedView>;
  /** which scalar is drawn; "": the loss */
  private readonly metric: RadioGroup<string>;
  private readonly heading = h('h2', { text: 'Loss' });
  /** in place of many buttons in a narrow page */
  private readonly metricList: SelectRow;
  private readonly metricRow: HTMLElement;
  private readonly slider: HTMLInputElement;
  private readonly smoothingValue = h('span', { class: 'quiet num smoothing' });
  private readonly follow: HTMLButtonElement;
  private readonly whole: HTMLButtonElement;
  private readonly tableButton: HTMLButtonElement;
  private readonly surface = new LayeredCanvas('Loss');
  private readonly tip = h('div', { class: 'tip', hidden: true });
  private readonly body = h('div', { class: 'body' });
  private readonly chart: LossChart;
  private lines: LossLines[] = [];
  private extents = new Map<string, Extent>();
  private extentOf = '';
  private finer = new Map<string, Curve>();
  private finerOf = '';
  private finerAt = 0;
  private finerTimer: ReturnType<typeof setTimeout> | undefined;
  private smoothTimer: ReturnType<typeof setTimeout> | undefined;
  private tableStamp = '';
  private drag: { from: number; to: number } | null = null;
  private readonly legend: Legend;
  private readonly best: BestLine;
  /** null: all runs have the same */
  private unitKey: string | null = null;

  constructor(page: Page, id = 'loss') {
    this.page = page;
    this.legend = new Legend(page);
    this.best = new BestLine(page);
    this.scale = new RadioGroup('Loss scale', 'seg', '', scale => page.setUi({ scale }));
    this.axis = new RadioGroup('Horizontal axis', 'seg', '', axis => page.setUi({ axis, zoom: null }));
    this.metric = new RadioGroup('What the chart shows', 'seg', '', name => {
      page.setUi({ metric: name === '' ? null : name });
    });
    this.metricList = new SelectRow('What the chart shows', 'show', name => {
      page.setUi({ metric: name === LOSS ? null : name });
    });
    this.metricRow = h('div', { class: 'row tools' }, this.metric.element);
    this.seeds = new RadioGroup('Seeds of one model', 'seg', '', seeds => page.setUi({ seeds }));
    this.slider = h('input', {
      class: 'slider',
      label: 'Smoothing of the training loss',
      title: 'Smoothing of the training loss',
      attributes: { type: 'range', min: '0', max: '0.99', step: '0.01' },
      on: { input: () => this.smooth(Number(this.slider.value)) },
    });
    this.follow = iconButton(
      'arrow-right',
      'Follow the newest step',
      () => page.setUi({ follow: !page.ui.follow }),
      true,
    );
    this.whole = iconButton('screen-full', 'Show all steps (0)', () =>
      page.setUi({ zoom: null, follow: true }),
    );
    this.tableButton = tableButton(page, 'loss', 'the loss');
    this.chart = new LossChart(this.surface.base);
    this.surface.element.append(this.tip);
    this.element = h(
      'section',
      { id, class: 'loss', label: 'Loss' },
      h(
        'div',
        { class: 'row' },
        this.heading,
        this.unit,
        h('span', { class: 'grow' }, this.key),
        this.scale.element,
        this.tableButton,
        saveButton(page, 'the chart', () => this.exported()),
      ),
      this.metricRow,
      this.metricList.element,
      this.legend.element,
      this.body,
      this.best.element,
      h(
        'div',
        { class: 'row tools' },
        this.axis.element,
        this.seeds.element,
        h('span', { class: 'grow' }),
        h('span', { class: 'quiet word', text: 'smooth' }),
        this.slider,
        this.smoothingValue,
        this.whole,
        this.follow,
      ),
    );
    this.listen();
  }

  /** Draws the runs of this unit alone. */
  setUnit(unit: string | null): void {
    this.unitKey = unit;
  }

  private ofUnit(runs: readonly RunView[]): readonly RunView[] {
    return this.unitKey === null ? runs : runs.filter(run => unitOf(run) === this.unitKey);
  }

  /** Of this unit, hidden ones too. */
  private get named(): readonly RunView[] {
    return this.ofUnit(this.page.state.runs);
  }

  private get runs(): readonly RunView[] {
    return this.ofUnit(this.page.visible);
  }

  /** What is read step by step. */
  private get seen(): string {
    const [first = 'time steps', ...more] = new Set(this.named.map(({ seen }) => seen));
    return more.length === 0 ? first : 'time steps';
  }

  render(): void {
    const { ui } = this.page;
    const task = this.named.find(run => run.task)?.task;
    this.legend.update(this.named);
    const metric = this.shownMetric();
    this.renderChoice(metric);
    this.best.render(this.unitKey === null && metric === null);
    this.scale.element.hidden = metric?.better === 'higher';
    const better = metric
      ? [metric.unit, `${metric.better} is better`]
      : [task?.lossUnit ?? '', ...(this.unitKey === null ? [] : [task?.name ?? ''])];
    setDotted(this.unit, better.filter(Boolean).join(' · '));
    this.scale.update(
      [
        { value: 'log', content: 'log' },
        { value: 'linear', content: 'linear' },
      ],
      this.scaleNow(),
    );
    this.axis.update(
      [
        { value: 'step', content: 'step' },
        { value: 'seconds', content: 'time', title: 'Training time of each run' },
        { value: 'tokens', content: this.seen, title: `How many ${this.seen} were read in training` },
      ],
      ui.axis,
    );
    this.seeds.element.hidden = !hasSeeds(this.page.members);
    this.seeds.update(
      [
        { value: 'range', content: 'min–max', title: 'Seeds of one model: mean, least and most' },
        { value: 'sd', content: '± sd', title: 'Seeds of one model: mean and standard deviation' },
        { value: 'each', content: 'each', title: 'Each seed by itself' },
      ],
      ui.seeds,
    );
    if (document.activeElement !== this.slider) this.slider.value = String(ui.smoothing);
    setText(this.smoothingValue, ui.smoothing.toFixed(2));
    this.whole.hidden = ui.zoom === null;
    this.follow.setAttribute('aria-pressed', String(ui.follow));
    this.tableButton.setAttribute('aria-pressed', String(ui.tables.loss === true));
    this.key.hidden = ui.tables.loss === true || metric !== null;
    const width = this.element.clientWidth;
    if (width === 0) return;
    const height = this.height(width);
    this.update();
    if (ui.tables.loss) {
      this.showTable(height);
      return;
    }
    if (this.body.firstChild !== this.surface.element) this.body.replaceChildren(this.surface.element);
    this.tableStamp = '';
    this.surface.resizeOverlay(width, height);
    this.chart.draw(this.picture(), width, height);
    this.surface.label = this.describe();
    this.renderReading();
  }

  private height(width: number): number {
    return this.page.isWide ? Math.max(240, Math.min(330, Math.round(width * 0.42))) : 160;
  }

  private picture(): LossPicture {
    const { ui, theme } = this.page;
    const metric = this.shownMetric();
    const [from, to] = this.range();
    const extent = this.extent(from, to);
    return {
      lines: this.lines,
      scale: this.scaleNow(),
      axis: ui.axis,
      from,
      to,
      low: extent.min,
      high: extent.max,
      chosen: this.page.chosen?.id ?? null,
      highlighted: this.page.highlighted,
      theme,
      baseline: metric ? null : (this.named.find(run => run.task)?.task?.baseline ?? null),
      labelWidth: this.labelWidth(),
    };
  }

  private exported(): ChartSource | null {
    const width = this.element.clientWidth;
    if (this.lines.length === 0 || width === 0) return null;
    const height = this.height(width);
    return {
      name: `${this.page.state.title ?? 'run'} ${this.shownMetric()?.label ?? 'loss'}`,
      width,
      height,
      paint: context => {
        const { canvas } = context;
        const isSvg = !(canvas instanceof HTMLCanvasElement);
        const chart = new LossChart(isSvg ? canvas : h('canvas'), true, isSvg ? 1 : 2);
        chart.draw(this.picture(), width, height);
        if (!isSvg) context.drawImage(chart.canvas, 0, 0, width, height);
        chart.dispose();
      },
      ...curveRows(this.runs),
    };
  }

  renderReading(): void {
    const { theme, reading } = this.page;
    if (this.page.ui.tables.loss || this.surface.width === 0) return;
    const context = this.surface.drawOverlay();
    const { area } = this.chart;
    if (this.drag) {
      const [a, b] = [this.chart.pixelOf(this.drag.from), this.chart.pixelOf(this.drag.to)];
      context.fillStyle = `color-mix(in srgb, ${theme.focus} 25%, transparent)`;
      context.fillRect(Math.min(a, b), area.top, Math.abs(b - a), area.bottom - area.top);
    }
    const x = reading.step === null ? null : this.xOfStep(reading.step);
    const [from, to] = this.range();
    this.tip.hidden = x === null || x < from || x > to || this.drag !== null;
    if (x === null || x < from || x > to) return;
    const pixel = this.chart.pixelOf(x);
    context.strokeStyle = theme.foreground;
    context.lineWidth = 1;
    vertical(context, pixel, area.top, area.bottom);
    for (const { run, train } of this.lines) {
      const y = this.chart.yPixelOf(valueAt(train, x));
      if (Number.isFinite(y) && y >= area.top && y <= area.bottom)
        drawMarker(context, styleOf(run, theme), pixel, y, 3, theme.background);
    }
    this.fillTip(x, pixel);
  }

  private update(): void {
    const { ui } = this.page;
    if (this.finerOf !== this.zoomStamp()) this.finer.clear();
    const metric = this.shownMetric();
    const lines = (run: RunView, isOne: boolean) =>
      metric
        ? metricLines(run, run.metrics[metric.name], metric.unit === '%' ? 100 : 1, ui.axis)
        : linesOf(run, (isOne && this.finer.get(run.id)) || run.trainLoss, ui.axis);
    this.lines = this.runs.map(run => {
      const members = membersOf(run);
      if (members.length < 2) return lines(run, true);
      return seedLines(
        lines(run, false),
        members.map(member => lines(member, false)),
        ui.seeds,
      );
    });
    if (ui.zoom && !metric) this.askForFiner();
  }

  /** Those that any of the shown runs names and has recorded. */
  private metrics(): Metric[] {
    const named = this.named.flatMap(run =>
      (run.task?.metrics ?? []).filter(({ name }) => run.metrics[name]),
    );
    return named.filter(({ name }, i) => named.findIndex(other => other.name === name) === i);
  }

  private shownMetric(): Metric | null {
    return this.metrics().find(({ name }) => name === this.page.ui.metric) ?? null;
  }

  /** A share is drawn as it is: on a log scale the way from 98 to 99 % would not be seen. */
  private scaleNow(): UiState['scale'] {
    return this.shownMetric()?.better === 'higher' ? 'linear' : this.page.ui.scale;
  }

  private renderChoice(shown: Metric | null): void {
    const metrics = this.metrics();
    const isList = !this.page.isWide && metrics.length > MOST_BUTTONS;
    this.metricRow.hidden = metrics.length === 0 || isList;
    this.metricList.element.hidden = !isList;
    setText(this.heading, shown?.label ?? 'Loss');
    const options = metrics.map(({ name, label }) => ({
      value: name,
      text: /^[A-Z][a-z]/.test(label) ? label[0]!.toLowerCase() + label.slice(1) : label,
    }));
    if (isList) this.metricList.update([{ value: LOSS, text: 'loss' }, ...options], shown?.name ?? LOSS);
    else
      this.metric.update(
        [{ value: '', content: 'loss' }, ...options.map(({ value, text }) => ({ value, content: text }))],
        shown?.name ?? '',
      );
  }

  private zoomStamp(): string {
    const { zoom, axis, smoothing } = this.page.ui;
    return zoom ? `${zoom.from} ${zoom.to} ${axis} ${smoothing}` : '';
  }

  private range(): [number, number] {
    const { zoom, follow } = this.page.ui;
    const end = lastX(this.lines) || 1;
    if (!zoom) return [0, end];
    if (!follow) return [zoom.from, zoom.to];
    const span = zoom.to - zoom.from;
    return [Math.max(0, end - span), Math.max(span, end)];
  }

  /** Grows at once and never shrinks, while the same thing is shown. */
  private extent(from: number, to: number): Extent {
    const { ui } = this.page;
    const key = `${ui.metric} ${this.scaleNow()} ${this.runs.map(({ id }) => id).join(' ')} ${this.zoomStamp()} ${ui.smoothing}`;
    if (key !== this.extentOf) this.extents.clear();
    this.extentOf = key;
    const now = valueExtent(this.lines, from, to, this.scaleNow());
    const before = this.extents.get('y');
    const grown =
      now && before
        ? { min: Math.min(now.min, before.min), max: Math.max(now.max, before.max) }
        : (now ?? before);
    if (grown) this.extents.set('y', grown);
    const { min, max } = grown ?? (this.scaleNow() === 'log' ? { min: 0.1, max: 10 } : { min: 0, max: 1 });
    return min < max ? { min, max } : { min: min * 0.9, max: max * 1.1 || 1 };
  }

  private labelWidth(): number {
    const longest = Math.max(3, ...this.runs.map(({ label }) => label.length));
    return Math.min(this.page.isWide ? 150 : 110, 66 + longest * 7);
  }

  /** The run whose steps the time axis is read by. */
  private clock(): RunView | null {
    const { chosen } = this.page;
    return this.runs.find(({ id }) => id === chosen?.id) ?? this.runs[0] ?? null;
  }

  private xOfStep(step: number): number | null {
    const { axis } = this.page.ui;
    if (axis === 'step') return step;
    const run = this.clock();
    if (!run) return null;
    const curve = run.trainLoss;
    const values = axis === 'seconds' ? curve.seconds : curve.tokens;
    return values[Math.max(0, indexAt(curve.step, step))] ?? null;
  }

  private stepOfX(x: number): number {
    const { axis } = this.page.ui;
    const run = this.clock();
    if (axis === 'step' || !run) return Math.round(x);
    const curve = run.trainLoss;
    return curve.step[Math.max(0, indexAt(axis === 'seconds' ? curve.seconds : curve.tokens, x))] ?? 0;
  }

  private fillTip(x: number, pixel: number): void {
    const { axis } = this.page.ui;
    const { theme } = this.page;
    const name = axis === 'seconds' ? 'time' : axis === 'tokens' ? this.seen : 'step';
    const rows = this.lines.map(({ run, train, val, broken }) => {
      const isOver = broken !== null && x >= broken.x;
      const show = (line: typeof val) =>
        isOver ? 'NaN' : line.length === 0 || x < line[0]!.x ? '–' : lossExact(valueAt(line, x));
      return [
        h('span', {}, markerIcon(styleOf(run, theme)), ` ${run.label}`),
        h('b', { text: show(val) }),
        show(train),
      ];
    });
    this.tip.replaceChildren(
      dataTable(
        `${this.shownMetric()?.label ?? 'Loss'} at the reading line`,
        [
          `${name} ${axisText(axis === 'seconds' ? x : Math.round(x), axis, lastX(this.lines))}`,
          'val',
          'train',
        ],
        rows.slice(0, 12),
      ),
    );
    this.tip.hidden = this.runs.length === 0;
    const isLeft = pixel > this.surface.width / 2;
    this.tip.style.left = isLeft ? 'auto' : `${pixel + 8}px`;
    this.tip.style.right = isLeft ? `${this.surface.width - pixel + 8}px` : 'auto';
    this.tip.style.top = '6px';
  }

  private spoken(step: number): string {
    const x = this.xOfStep(step) ?? step;
    const values = this.lines.map(({ run, val, train }) => {
      const v = valueAt(val, x);
      return `${run.label} ${Number.isNaN(v) ? `train ${lossExact(valueAt(train, x))}` : lossExact(v)}`;
    });
    return `step ${step}: ${values.join(', ')}`;
  }

  private describe(): string {
    const ends = this.lines.map(({ run, val, broken }) => {
      if (broken) return `${run.label} became NaN at step ${broken.step}`;
      const last = val.findLast(({ y }) => Number.isFinite(y));
      return `${run.label} ${last ? lossExact(last.y) : 'no value yet'}`;
    });
    return `${this.shownMetric()?.label ?? 'Loss'} by training step. ${ends.join(', ')}. Arrow keys move the reading line, plus and minus zoom, 0 shows all.`;
  }

  private showTable(height: number): void {
    const stamp = [
      this.page.ui.metric,
      this.page.ui.axis,
      ...this.lines.map(
        ({ run, val, train }) => `${run.id} ${val.length} ${val.at(-1)?.x ?? train.at(-1)?.x}`,
      ),
    ].join();
    if (stamp === this.tableStamp && this.body.firstChild !== this.surface.element) return;
    this.tableStamp = stamp;
    const steps = this.tableSteps();
    const { axis } = this.page.ui;
    const name = axis === 'seconds' ? 'time' : axis;
    const head = [name, ...this.lines.flatMap(({ run }) => [`${run.label} val`, 'train'])];
    const rows = steps.map(step => [
      axis === 'step' ? String(step) : axisText(this.xOfStep(step) ?? 0, axis, lastX(this.lines)),
      ...this.lines.flatMap(({ val, train, broken }) => {
        const x = this.xOfStep(step) ?? step;
        if (broken && x >= broken.x) return ['NaN', 'NaN'];
        return [val, train].map(line =>
          line.length === 0 || x < line[0]!.x ? '' : lossExact(valueAt(line, x)),
        );
      }),
    ]);
    const scrolled = this.body.querySelector('.data')?.scrollTop ?? 0;
    const box = tableBehind(height, dataTable(`${this.shownMetric()?.label ?? 'Loss'} by step`, head, rows));
    this.body.replaceChildren(box);
    box.scrollTop = scrolled;
  }

  /** Newest first: every validation, or where there is none, evenly. */
  private tableSteps(): number[] {
    const { runs } = this;
    const steps = new Set<number>();
    for (const { valLoss } of runs) for (const step of valLoss.step) steps.add(step);
    if (steps.size === 0)
      for (const { trainLoss } of runs) {
        const every = Math.max(1, Math.floor(trainLoss.step.length / 50));
        for (let i = trainLoss.step.length - 1; i >= 0; i -= every) steps.add(trainLoss.step[i]!);
      }
    return [...steps].sort((a, b) => b - a).slice(0, TABLE_ROWS);
  }

  private smooth(smoothing: number): void {
    this.page.setUi({ smoothing });
    clearTimeout(this.smoothTimer);
    this.smoothTimer = setTimeout(
      () => void this.page.connection.request('curve/smooth', { smoothing }).catch(() => {}),
      60,
    );
  }

  private askForFiner(): void {
    if (this.finerTimer !== undefined) return;
    const wait = Math.max(80, MIN_RANGE_MILLISECONDS - (performance.now() - this.finerAt));
    this.finerTimer = setTimeout(() => {
      this.finerTimer = undefined;
      void this.fetchFiner();
    }, wait);
  }

  private async fetchFiner(): Promise<void> {
    const stamp = this.zoomStamp();
    if (stamp === '') return;
    this.finerAt = performance.now();
    const [from, to] = this.range();
    const worth = this.runs.filter(({ trainLoss }) => trainLoss.rowsPerPoint > 1);
    const found = await Promise.all(
      worth.map(async (run): Promise<[string, Curve]> => {
        const [first, last] = this.stepsBetween(run, from, to);
        const params = {
          runId: run.id,
          curve: 'trainLoss' as const,
          from: first,
          to: last,
          points: RANGE_POINTS,
        };
        return [run.id, await this.page.connection.request('curve/range', params)];
      }),
    ).catch(() => []);
    if (stamp !== this.zoomStamp() || found.length === 0) return;
    const isNew =
      this.finerOf !== stamp ||
      found.some(([id, curve]) => this.finer.get(id)?.step.at(-1) !== curve.step.at(-1));
    this.finerOf = stamp;
    this.finer = new Map(found);
    if (isNew) this.render();
  }

  private stepsBetween(run: RunView, from: number, to: number): [number, number] {
    const { axis } = this.page.ui;
    if (axis === 'step') return [Math.max(0, from), Math.max(0, to)];
    const curve = run.trainLoss;
    const values = axis === 'seconds' ? curve.seconds : curve.tokens;
    const last = Math.max(0, curve.step.length - 1);
    const at = (index: number) => curve.step[Math.max(0, Math.min(last, index))] ?? 0;
    return [at(indexAt(values, from)), at(indexAt(values, to) + 1)];
  }

  private zoomTo(from: number, to: number): void {
    const end = lastX(this.lines) || 1;
    const low = Math.max(0, Math.min(from, to));
    const high = Math.min(end, Math.max(from, to));
    if (high - low < Math.max(2, end * 1e-4) && this.page.ui.axis === 'step') return;
    if (low <= 0 && high >= end) this.page.setUi({ zoom: null });
    else this.page.setUi({ zoom: { from: low, to: high }, follow: high >= end });
  }

  private zoomAround(x: number, factor: number): void {
    const [from, to] = this.range();
    this.zoomTo(x - (x - from) * factor, x + (to - x) * factor);
  }

  private listen(): void {
    const { element } = this.surface;
    const at = (event: MouseEvent) => event.clientX - element.getBoundingClientRect().left;
    element.addEventListener('pointermove', event => {
      const pixel = at(event);
      if (this.drag) {
        this.drag.to = this.chart.xAt(pixel);
        this.renderReading();
        return;
      }
      const { left, right } = this.chart.area;
      if (pixel < left - 2 || pixel > right + 4) this.page.setReading({ step: null });
      else
        this.page.setReading({
          step: this.stepOfX(Math.max(this.range()[0], Math.min(this.range()[1], this.chart.xAt(pixel)))),
          t: null,
        });
    });
    element.addEventListener('pointerleave', () => {
      if (!this.drag) this.page.setReading({ step: null });
    });
    element.addEventListener('pointerdown', event => {
      if (event.button !== 0) return;
      const x = this.chart.xAt(at(event));
      this.drag = { from: x, to: x };
      element.setPointerCapture(event.pointerId);
    });
    element.addEventListener('pointerup', () => {
      const drag = this.drag;
      this.drag = null;
      if (!drag) return;
      const pixels = Math.abs(this.chart.pixelOf(drag.from) - this.chart.pixelOf(drag.to));
      if (pixels > 6) this.zoomTo(drag.from, drag.to);
      else this.renderReading();
    });
    element.addEventListener('pointercancel', () => {
      this.drag = null;
      this.renderReading();
    });
    element.addEventListener('dblclick', () => this.page.setUi({ zoom: null, follow: true }));
    element.addEventListener(
      'wheel',
      event => {
        // without a key the page scrolls, as everywhere
        if (!event.ctrlKey && !event.metaKey) return;
        event.preventDefault();
        this.zoomAround(this.chart.xAt(at(event)), event.deltaY > 0 ? 1.25 : 0.8);
      },
      { passive: false },
    );
    element.addEventListener('keydown', event => this.onKey(event));
  }

  private onKey(event: KeyboardEvent): void {
    const direction = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
    const [from, to] = this.range();
    const middle = this.xOfStep(this.page.reading.step ?? -1) ?? (from + to) / 2;
    if (event.key === 'Escape') this.page.setReading({ step: null, t: null });
    else if (event.key === '+' || event.key === '=')
      this.zoomAround(middle >= from && middle <= to ? middle : (from + to) / 2, 0.6);
    else if (event.key === '-') this.zoomAround((from + to) / 2, 1 / 0.6);
    else if (event.key === '0') this.page.setUi({ zoom: null, follow: true });
    else if (direction) {
      const last = this.stepOfX(to);
      const first = this.stepOfX(from);
      const size = Math.max(1, Math.round((last - first) / 100)) * (event.shiftKey ? 10 : 1);
      const now = this.page.reading.step ?? last;
      const step = Math.max(first, Math.min(last, now + direction * size));
      this.page.setReading({ step, t: null }, this.spoken(step));
    } else return;
    event.preventDefault();
  }
}

/** Every point that the page has of every curve. */
function curveRows(runs: readonly RunView[]): Pick<ChartSource, 'head' | 'rows'> {
  const members = runs.flatMap(run => membersOf(run));
  return {
    head: ['run', 'curve', 'step', 'seconds', 'tokens', 'mean', 'min', 'max', 'smooth'],
    rows: members.flatMap(run =>
      Object.entries({ trainLoss: run.trainLoss, valLoss: run.valLoss, ...run.metrics }).flatMap(
        ([name, { step, seconds, tokens, mean, min, max, smooth }]) =>
          Array.from(step, (at, i) => [
            run.label,
            name,
            at,
            seconds[i]!,
            tokens[i]!,
            mean[i]!,
            min[i]!,
            max[i]!,
            smooth[i]!,
          ]),
      ),
    ),
  };
}

function keyLine(): HTMLElement {
  return h('span', { class: 'quiet key2' }, h('i'), 'validation', h('i', { class: 'thin' }), 'train');
}
