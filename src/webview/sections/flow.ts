// How far back the gradient reaches: one small map a run to choose from, the chosen one large, and its newest row
// as a line that shares the map's time axis and is its colour scale.
import '@vscode-elements/elements/dist/vscode-option/index.js';
import type { FlowView, RunView } from '../../protocol/messages.ts';
import { type ChartSource, saveButton } from '../charts/export.ts';
import { drawMap, levelOf, rowAt } from '../charts/heatmap.ts';
import { fitCanvas, haloText, horizontal, LayeredCanvas, vertical } from '../charts/layered-canvas.ts';
import { drawProfiles, type ProfileArea, type ProfileLine, timeX } from '../charts/profile.ts';
import { linearTicks } from '../charts/scales.ts';
import { type Child, dataTable, h, RadioGroup, setDotted, tableBehind } from '../dom.ts';
import { count, ratio as ratioText } from '../format.ts';
import { markerIcon, styleOf } from '../kinds.ts';
import { isLiving, type Page, type Section } from '../page.ts';
import { GESTURES, withGestures } from '../run-names.ts';
import { SelectRow } from '../select-row.ts';
import { tableButton } from './chart-frame.ts';

export const GUTTER = 44;
/** pixels between map and profile: a line of text */
const BETWEEN = 16;
const CASING = '#00224e';

/** Time maps that this version knows; others go by the name of their series. */
const WORDS: Readonly<Record<string, { short: string; long: string; full: string; spoken: string }>> = {
  'gradient-flow': {
    short: 'reach',
    long: 'Gradient of the last step’s loss alone: what arrives from far',
    full: 'Reach: norm of the gradient of the last step’s loss with respect to the state at t, mean over the batch, relative to t = T',
    spoken: 'gradient of the last step’s loss',
  },
  'gradient-flow-full': {
    short: 'full',
    long: 'Gradient of the whole training loss, every step’s share included',
    full: 'Full gradient: norm of the gradient of the training loss with respect to the state at t, mean over the batch, relative to t = T',
    spoken: 'full gradient',
  },
  'jacobian-flow': {
    short: 'Jacobian',
    long: 'How the recurrence alone changes the length of a vector from step T back to t',
    full: 'Jacobian: length of vᵀ ∂h_T/∂h_t of a vector v of unit length, mean over sequences, relative to t = T',
    spoken: 'product of the Jacobians',
  },
};

function mapsOf(run: RunView): readonly FlowView[] {
  return run.series['time-map'];
}

export class FlowSection implements Section {
  readonly element: HTMLElement;
  private readonly page: Page;
  private readonly what = h('span', { class: 'quiet grow' });
  private readonly maps: RadioGroup<string>;
  private readonly runs: RadioGroup<string>;
  private readonly layer: SelectRow;
  private readonly surface = new LayeredCanvas('Gradient flow');
  private readonly map = h('canvas', { class: 'map' });
  private readonly tip = h('div', { class: 'tip', hidden: true });
  private readonly body = h('div', { class: 'body' });
  private readonly verdict = h('p', { class: 'verdict' });
  private readonly tableButton: HTMLButtonElement;
  private readonly thumbnails = new Map<string, HTMLCanvasElement>();
  private drawn = new Map<string, unknown[]>();

  constructor(page: Page) {
    this.page = page;
    this.maps = new RadioGroup('Which gradient', 'seg', '', map => page.setUi({ map }));
    this.runs = new RadioGroup('Run shown in the heat map', 'multi', 'small', run => page.setUi({ run }));
    this.layer = new SelectRow('Layer', 'layer', layer => page.setUi({ layer }));
    this.tableButton = tableButton(page, 'flow', 'the gradient flow');
    this.surface.element.prepend(this.map);
    this.surface.element.append(this.tip);
    this.surface.element.classList.add('flow');
    this.element = h(
      'section',
      { id: 'flow', label: 'Gradient flow' },
      h(
        'div',
        { class: 'row' },
        h('h2', { text: 'Gradient flow' }),
        this.what,
        this.maps.element,
        this.tableButton,
        saveButton(page, 'the gradient flow', () => this.exported()),
      ),
      this.layer.element,
      this.runs.element,
      this.body,
      this.verdict,
    );
    this.listen();
  }

  render(): void {
    const { ui, state, chosen, isWide } = this.page;
    const names = [...new Set(state.runs.flatMap(run => mapsOf(run).map(({ name }) => name)))];
    const any = names.length > 0;
    this.maps.element.hidden = names.length < 2;
    this.maps.update(
      names.map(name => ({ value: name, content: WORDS[name]?.short ?? name, title: WORDS[name]?.long })),
      this.shown(),
    );
    this.renderWhat();
    this.tableButton.setAttribute('aria-pressed', String(ui.tables.flow === true));
    this.tableButton.hidden = !any;
    this.renderLayers();
    this.renderRuns();
    const width = this.element.clientWidth;
    if (width === 0) return;
    if (!any) {
      this.drawn.clear();
      this.renderWaiting();
      return;
    }
    const heights = this.heights();
    if (ui.tables.flow) this.renderTable(heights.total);
    else {
      if (this.body.firstChild !== this.surface.element) this.body.replaceChildren(this.surface.element);
      this.surface.resize(width, heights.total);
      this.draw();
    }
    this.renderVerdict();
    if (chosen) this.surface.label = this.describe(chosen, isWide);
  }

  renderReading(): void {
    if (this.page.ui.tables.flow || this.surface.width === 0 || !this.surface.element.isConnected) return;
    const { theme, reading, chosen } = this.page;
    const context = this.surface.drawOverlay();
    const flow = chosen && this.flowOf(chosen);
    this.tip.hidden = true;
    if (!flow || !chosen) return;
    const { map, profile } = this.areas();
    if (reading.step !== null && reading.step <= this.lastStep()) {
      const y = this.yOf(reading.step);
      context.lineWidth = 3;
      context.strokeStyle = CASING;
      horizontal(context, map.left, map.right, y);
      context.lineWidth = 1;
      context.strokeStyle = '#fff';
      context.setLineDash([3, 3]);
      horizontal(context, map.left, map.right, y);
      context.setLineDash([]);
    }
    if (reading.t === null || reading.t > flow.seqLen) return;
    const x = timeX(map, reading.t, flow.seqLen);
    context.lineWidth = 3;
    context.strokeStyle = CASING;
    vertical(context, x, map.top, map.bottom);
    context.lineWidth = 1;
    context.strokeStyle = '#fff';
    vertical(context, x, map.top, map.bottom);
    context.strokeStyle = theme.foreground;
    vertical(context, x, profile.top, profile.bottom);
    if (reading.step === null) return;
    this.tip.textContent = this.spoken(flow);
    this.tip.hidden = false;
    const isLeft = x > this.surface.width * 0.55;
    this.tip.style.left = isLeft ? 'auto' : `${x + 8}px`;
    this.tip.style.right = isLeft ? `${this.surface.width - x + 8}px` : 'auto';
    this.tip.style.top = `${Math.max(0, this.yOf(reading.step) - 30)}px`;
  }

  /** The series that is shown: the one that was chosen, where the chosen run has it. */
  private shown(): string {
    const { chosen, ui } = this.page;
    const maps = chosen ? mapsOf(chosen) : [];
    return (maps.find(({ name }) => name === ui.map) ?? maps[0])?.name ?? ui.map;
  }

  private flowOf(run: RunView): FlowView | null {
    const shown = this.shown();
    return mapsOf(run).find(({ name }) => name === shown) ?? null;
  }

  private layerOf(flow: FlowView): number {
    return levelOf(flow, this.page.ui.layer);
  }

  /** Among runs each is told by its own name; of a run alone, the layer is what is to be told. */
  private nameOf(run: RunView, flow: FlowView): string {
    const isAlone = this.page.state.runs.length === 1 && flow.layers.length > 1;
    return isAlone ? flow.titles[this.layerOf(flow)]! : run.label;
  }

  /** One scale of steps for all maps. */
  private lastStep(): number {
    return Math.max(1, ...this.page.visible.map(run => this.flowOf(run)?.steps.at(-1) ?? 0));
  }

  private heights() {
    const { isWide } = this.page;
    const map = isWide ? Math.max(210, Math.min(300, Math.round(this.element.clientWidth * 0.34))) : 112;
    const profile = isWide ? 98 : 70;
    return { map, profile, total: map + BETWEEN + profile + 20 };
  }

  private areas(): { map: ProfileArea; profile: ProfileArea } {
    const { map, profile } = this.heights();
    const left = GUTTER;
    const right = this.surface.width - 1;
    return {
      map: { left, right, top: 0, bottom: map },
      profile: { left, right, top: map + BETWEEN, bottom: map + BETWEEN + profile },
    };
  }

  private yOf(step: number): number {
    const { map } = this.areas();
    return map.top + (step / this.lastStep()) * (map.bottom - map.top);
  }

  private renderWhat(): void {
    const flow = this.page.chosen && this.flowOf(this.page.chosen);
    const shown = this.shown();
    const isReach = shown === 'gradient-flow';
    const layer = flow && flow.layers.length > 1 ? `, ${flow.titles[this.layerOf(flow)]}` : '';
    const rest = this.page.isWide ? `${layer}; rows: training step, newest at the bottom` : '';
    const key = `${shown} ${rest}`;
    if (this.what.dataset['key'] === key) return;
    this.what.dataset['key'] = key;
    this.what.title = WORDS[shown]?.full ?? '';
    if (!WORDS[shown]) {
      this.what.replaceChildren(`${shown} ÷ its value at T${rest}`);
      return;
    }
    const [of, over] = shown === 'jacobian-flow' ? ['‖vᵀ ∂h', '/∂h'] : ['‖∂L', '/∂h'];
    const ofLast = isReach || shown === 'jacobian-flow';
    this.what.replaceChildren(
      of,
      ...(ofLast ? [h('sub', { text: 'T' })] : []),
      over,
      h('sub', { text: 't' }),
      `‖ ÷ its value at T${rest}`,
    );
  }

  private renderLayers(): void {
    const flow = this.page.chosen && this.flowOf(this.page.chosen);
    const names = flow && flow.layers.length > 1 ? flow.titles : [];
    this.layer.element.hidden = names.length === 0;
    if (!flow) return;
    this.layer.update(
      names.map((text, index) => {
        const value = flow.layers[index]?.name ?? '';
        return { value, text, title: value };
      }),
      flow.layers[this.layerOf(flow)]!.name,
    );
  }

  private renderRuns(): void {
    const { state, chosen, theme, isWide } = this.page;
    this.runs.element.hidden = state.runs.length < 2;
    if (state.runs.length < 2) return;
    const anew = this.runs.update(
      state.runs.map(run => ({
        value: run.id,
        label: run.label,
        content: () => {
          const canvas = h('canvas');
          this.thumbnails.set(run.id, canvas);
          return h('div', {}, h('div', { class: 'cap' }), canvas);
        },
      })),
      chosen?.id ?? '',
    );
    if (anew) {
      this.drawn.clear();
      for (const [id, button] of this.runs.buttons) {
        button.title = GESTURES;
        withGestures(this.page, () => this.page.state.runs.find(run => run.id === id) ?? null, button);
      }
    }
    const columns = Math.min(3, state.runs.length);
    this.runs.element.style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
    const width = Math.floor((this.element.clientWidth - (columns - 1) * 12) / columns) - 6;
    const height = isWide && state.runs.length <= 6 ? 64 : 34;
    for (const run of state.runs) {
      const flow = this.flowOf(run);
      const button = this.runs.buttons.get(run.id)!;
      const reach = flow?.reach[this.layerOf(flow)];
      const number =
        reach === null || reach === undefined ? '' : `${reach}${reach >= flow!.seqLen - 1 ? '+' : ''}`;
      const isHidden = this.page.isHidden(run);
      button.setAttribute(
        'aria-label',
        `${run.label}${number ? `, reach ${number}` : ''}${isHidden ? ', hidden' : ''}`,
      );
      button.classList.toggle('off', isHidden);
      // where both do not fit, the number alone
      const text = number !== '' && width >= 74 + run.label.length * 8 ? `reach ${number}` : number;
      button.style.setProperty('--hue', styleOf(run, theme).color);
      const cap = button.querySelector('.cap')!;
      const key = `${run.label} ${text} ${styleOf(run, theme).color}`;
      if ((cap as HTMLElement).dataset['key'] !== key) {
        (cap as HTMLElement).dataset['key'] = key;
        cap.replaceChildren(
          markerIcon(styleOf(run, theme)),
          h('b', { text: run.label }),
          h('span', { text }),
        );
      }
      const canvas = this.thumbnails.get(run.id);
      if (canvas && width > 0) this.drawOnce(run.id, canvas, run, width, height);
    }
  }

  /** Draws a map only when something of it is another than before. */
  private drawOnce(
    key: string,
    canvas: HTMLCanvasElement,
    run: RunView,
    width: number,
    height: number,
  ): void {
    const { theme } = this.page;
    const flow = this.flowOf(run);
    const stamp = [
      flow,
      run.state,
      width,
      height,
      this.lastStep(),
      theme,
      flow && this.layerOf(flow),
      window.devicePixelRatio,
    ];
    const old = this.drawn.get(key);
    if (old && stamp.every((value, i) => value === old[i])) return;
    this.drawn.set(key, stamp);
    if (flow)
      drawMap(
        canvas,
        { flow, layer: this.layerOf(flow), lastStep: this.lastStep(), isOver: !isLiving(run) },
        width,
        height,
        theme,
      );
    else {
      fitCanvas(canvas, width, height);
      canvas.getContext('2d')!.clearRect(0, 0, canvas.width, canvas.height);
    }
  }

  private draw(context = this.surface.drawBase()): void {
    const { theme, visible, chosen, highlighted } = this.page;
    const { map, profile } = this.areas();
    const flow = chosen && this.flowOf(chosen);
    this.map.hidden = !flow;
    this.map.style.left = `${map.left}px`;
    if (chosen && flow) {
      this.drawOnce(' chosen', this.map, chosen, map.right - map.left, map.bottom - map.top);
      this.drawContour(context, chosen, flow, map);
      this.drawCut(context, chosen, flow, map, profile);
    }
    this.drawStepAxis(context, map);
    const lines = visible.flatMap((run): ProfileLine[] => {
      const own = this.flowOf(run);
      return own ? [{ run, flow: own, layer: this.layerOf(own) }] : [];
    });
    drawProfiles(context, profile, lines, highlighted ?? chosen?.id ?? null, theme);
    this.renderReading();
  }

  private exported(): ChartSource | null {
    const { chosen, visible, state } = this.page;
    const flow = chosen && this.flowOf(chosen);
    if (!flow || this.surface.width === 0) return null;
    const { map } = this.areas();
    return {
      name: `${state.title ?? 'run'} ${chosen.label} ${this.shown()}`,
      width: this.surface.width,
      height: this.heights().total,
      paint: context => {
        // its own size until the picture is drawn
        this.drawOnce(' chosen', this.map, chosen, map.right - map.left, map.bottom - map.top);
        context.drawImage(this.map, map.left, map.top, map.right - map.left, map.bottom - map.top);
        this.draw(context);
      },
      head: ['run', 'layer', 'step', 't', 'ratio'],
      rows: visible.flatMap(run => {
        const own = this.flowOf(run);
        return own ? rowsOf(run.label, own) : [];
      }),
    };
  }

  private drawStepAxis(context: CanvasRenderingContext2D, map: ProfileArea): void {
    const { theme } = this.page;
    const last = this.lastStep();
    context.textAlign = 'right';
    context.textBaseline = 'middle';
    context.fillStyle = theme.quiet;
    context.font = `11px ${theme.font}`;
    for (const step of linearTicks(0, last, this.page.isWide ? 5 : 3)) {
      const y = this.yOf(step);
      if (Number.isInteger(step) && y < map.bottom - 16)
        context.fillText(stepText(step), map.left - 6, Math.max(6, y));
    }
    context.font = `600 11px ${theme.font}`;
    context.fillStyle = theme.foreground;
    context.fillText(stepText(last), map.left - 6, map.bottom - 5);
  }

  private drawContour(
    context: CanvasRenderingContext2D,
    run: RunView,
    flow: FlowView,
    map: ProfileArea,
  ): void {
    const layer = this.layerOf(flow);
    const layers = flow.layers.length;
    const points: [number, number][] = [];
    flow.steps.forEach((step, row) => {
      const reach = flow.contour[row * layers + layer]!;
      const previous = row > 0 ? flow.steps[row - 1]! : 0;
      // beyond its end a line says nothing: the row of an explosion has no reach of its own
      if (Number.isNaN(reach)) return;
      const x = timeX(map, flow.seqLen - reach, flow.seqLen);
      points.push([Math.max(map.left + 1, Math.min(map.right - 1, x)), this.yOf((step + previous) / 2)]);
    });
    const { theme } = this.page;
    context.font = `11px ${theme.font}`;
    context.textBaseline = 'middle';
    this.surfaceAbove(context, () => {
      for (const [color, width] of [
        [CASING, 3.5],
        ['#ffffff', 1.5],
      ] as const) {
        context.strokeStyle = color;
        context.lineWidth = width;
        context.lineJoin = 'round';
        context.beginPath();
        points.forEach(([x, y], i) => {
          if (i === 0) context.moveTo(x, y);
          else context.lineTo(x, y);
        });
        context.stroke();
      }
      const middle = points[Math.floor(points.length * 0.4)];
      if (!middle) return;
      const name = this.nameOf(run, flow);
      const text = `${name.length > 24 ? `${name.slice(0, 23)}…` : name} reach, 1 %`;
      const width = context.measureText(text).width;
      const isRight = middle[0] + width + 14 < map.right;
      context.textAlign = 'left';
      const y = Math.max(map.top + 10, Math.min(map.bottom - 10, middle[1] + 10));
      haloText(
        context,
        text,
        isRight ? middle[0] + 9 : Math.max(map.left + 4, middle[0] - width - 9),
        y,
        '#ffffff',
        CASING,
      );
    });
    this.drawEndNote(context, run, flow, map);
  }

  /** Where truncated BPTT cuts the gradient of the last step's loss. */
  private drawCut(
    context: CanvasRenderingContext2D,
    { window }: RunView,
    flow: FlowView,
    ...areas: ProfileArea[]
  ): void {
    if (window === null || window >= flow.seqLen || flow.name === 'gradient-flow-full') return;
    const { theme } = this.page;
    // between the last step that is cut off and the first that is not
    const x = timeX(areas[0]!, flow.seqLen - window + 0.5, flow.seqLen);
    for (const [index, area] of areas.entries()) {
      const [line, edge] = index === 0 ? ['#ffffff', CASING] : [theme.foreground, theme.background];
      context.lineWidth = 3;
      context.strokeStyle = edge;
      vertical(context, x, area.top, area.bottom);
      context.lineWidth = 1;
      context.strokeStyle = line;
      context.setLineDash([4, 3]);
      vertical(context, x, area.top, area.bottom);
      context.setLineDash([]);
    }
    context.font = `11px ${theme.font}`;
    context.textBaseline = 'middle';
    const text = `cut: window ${window}`;
    const isRight = x - context.measureText(text).width - 10 < areas[0]!.left;
    context.textAlign = isRight ? 'left' : 'right';
    haloText(context, text, x + (isRight ? 6 : -6), areas[0]!.top + 10, '#ffffff', CASING);
  }

  private surfaceAbove(context: CanvasRenderingContext2D, draw: () => void): void {
    context.save();
    draw();
    context.restore();
  }

  private drawEndNote(
    context: CanvasRenderingContext2D,
    run: RunView,
    flow: FlowView,
    map: ProfileArea,
  ): void {
    const end = this.yOf(flow.steps.at(-1) ?? 0);
    if (isLiving(run) || map.bottom - end < 16) return;
    const { theme } = this.page;
    context.textAlign = 'center';
    context.font = `600 11px ${theme.font}`;
    const broken = run.trainLoss.broken[0];
    const text =
      run.state === 'diverged'
        ? `no gradient after NaN at ${broken ?? run.step}`
        : `no gradient after step ${flow.steps.at(-1)}`;
    haloText(
      context,
      text,
      (map.left + map.right) / 2,
      (end + map.bottom) / 2,
      theme.foreground,
      theme.background,
    );
  }

  private renderWaiting(): void {
    setDotted(this.verdict, '');
    const recurrent = this.page.state.runs.some(run => run.cell !== null);
    const living = this.page.state.runs.some(run => isLiving(run) || run.state === 'queued');
    const text = !recurrent
      ? 'This model has no recurrent layer.'
      : living
        ? 'Waiting for the first probe.'
        : 'No probe of the gradient was recorded.';
    const box = h('div', { class: 'frame quiet', text });
    box.style.height = `${this.heights().map}px`;
    this.body.replaceChildren(box);
  }

  private renderVerdict(): void {
    const { visible, theme, isWide } = this.page;
    const found = visible
      .flatMap(run => {
        const flow = this.flowOf(run);
        const reach = flow?.reach[this.layerOf(flow)];
        return flow && reach !== null && reach !== undefined
          ? [{ run, name: this.nameOf(run, flow), reach, seqLen: flow.seqLen }]
          : [];
      })
      .sort((a, b) => a.reach - b.reach);
    const seqLen = found[0]?.seqLen ?? 0;
    const key =
      found.map(({ run, name, reach }) => `${run.id} ${name} ${reach} ${styleOf(run, theme).color}`).join() +
      isWide;
    if (this.verdict.dataset['key'] === key) return;
    const parts: Child[][] = found.map(({ run, name, reach, seqLen: length }) => [
      h(
        'span',
        { class: 'pair' },
        markerIcon(styleOf(run, theme)),
        ` ${name} `,
        h('b', { text: `${reach}${reach >= length - 1 ? '+' : ''}` }),
      ),
    ]);
    parts[0]?.unshift(isWide ? `Gradient from step ${seqLen} reaches ` : 'Reach ');
    parts.at(-1)?.push(' steps back');
    setDotted(this.verdict, key, parts);
  }

  private renderTable(height: number): void {
    const shown = this.page.visible.flatMap(run => {
      const flow = this.flowOf(run);
      return flow ? [{ run, flow, layer: this.layerOf(flow) }] : [];
    });
    const stamp = shown.map(({ flow, layer }) => `${flow.steps.at(-1)} ${layer}`).join();
    if (this.body.dataset['stamp'] === stamp && this.body.querySelector('.data')) return;
    this.body.dataset['stamp'] = stamp;
    const seqLen = Math.max(1, ...shown.map(({ flow }) => flow.seqLen));
    const every = Math.max(1, Math.round(seqLen / 100));
    const rows: string[][] = [];
    for (let back = 0; back < seqLen; back += every)
      rows.push([
        String(back),
        String(seqLen - back),
        ...shown.map(({ flow, layer }) => {
          const value = flow.profile[(layer + 1) * flow.seqLen - 1 - back];
          return back < flow.seqLen && value !== undefined ? ratioText(value) : '';
        }),
      ]);
    const scrolled = this.body.querySelector('.data')?.scrollTop ?? 0;
    const box = tableBehind(
      height,
      dataTable(
        'Gradient ratio by time step, newest probes',
        ['steps back', 't', ...shown.map(({ run, flow }) => this.nameOf(run, flow))],
        rows,
      ),
    );
    this.body.replaceChildren(box);
    box.scrollTop = scrolled;
  }

  private describe(run: RunView, isWide: boolean): string {
    const flow = this.flowOf(run);
    if (!flow) return `No gradient was recorded of ${run.label}.`;
    const reach = flow.reach[this.layerOf(flow)];
    const size = reach === null ? '' : ` Reach ${reach} of ${flow.seqLen - 1} steps back.`;
    return `Heat map of the ${WORDS[flow.name]?.spoken ?? flow.name} of ${run.label}.${size} Arrow keys move the reading lines${isWide ? ': left and right over time steps, up and down over training' : ''}.`;
  }

  private spoken(flow: FlowView): string {
    const { step, t } = this.page.reading;
    if (step === null || t === null) return '';
    const row = rowAt(flow.steps, step);
    const index = row < 0 ? -1 : (row * flow.layers.length + this.layerOf(flow)) * flow.seqLen + t - 1;
    const value = index < 0 ? Number.NaN : flow.ratios[index]!;
    const at = row < 0 ? step : flow.steps[row]!;
    return `t = ${t} (${flow.seqLen - t} back), step ${count(at)}: ${row < 0 ? 'no gradient' : ratioText(value)}`;
  }

  private listen(): void {
    const { element } = this.surface;
    element.addEventListener('pointermove', event => {
      const flow = this.page.chosen && this.flowOf(this.page.chosen);
      if (!flow) return;
      const box = element.getBoundingClientRect();
      const { map } = this.areas();
      const x = event.clientX - box.left;
      const y = event.clientY - box.top;
      if (x < map.left || x >= map.right) return this.page.setReading({ t: null, step: null });
      const t = Math.max(
        1,
        Math.min(flow.seqLen, 1 + Math.floor(((x - map.left) / (map.right - map.left)) * flow.seqLen)),
      );
      const share = (y - map.top) / (map.bottom - map.top);
      this.page.setReading({ t, step: share <= 1 ? Math.round(share * this.lastStep()) : null });
    });
    element.addEventListener('pointerleave', () => this.page.setReading({ t: null, step: null }));
    element.addEventListener('keydown', event => this.onKey(event));
  }

  private onKey(event: KeyboardEvent): void {
    const flow = this.page.chosen && this.flowOf(this.page.chosen);
    if (!flow) return;
    const { reading } = this.page;
    const size = event.shiftKey ? 10 : 1;
    const sideways = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const along = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const newest = flow.steps.at(-1) ?? 0;
    if (event.key === 'Escape') {
      this.page.setReading({ t: null, step: null });
      event.preventDefault();
      return;
    }
    if (!sideways && !along) return;
    event.preventDefault();
    const t = Math.max(1, Math.min(flow.seqLen, (reading.t ?? flow.seqLen) + (sideways ?? 0) * size));
    const row = rowAt(flow.steps, reading.step ?? newest);
    const next = Math.max(
      0,
      Math.min(flow.steps.length - 1, (row < 0 ? flow.steps.length - 1 : row) + (along ?? 0) * size),
    );
    this.page.setReading({ t, step: flow.steps[next]! });
    this.page.announce(this.spoken(flow));
  }
}

function rowsOf(label: string, { layers, titles, seqLen, steps, ratios }: FlowView) {
  return Array.from(steps, (step, row) =>
    layers.flatMap((_, layer) =>
      Array.from({ length: seqLen }, (_, t) => [
        label,
        titles[layer]!,
        step,
        t + 1,
        ratios[(row * layers.length + layer) * seqLen + t]!,
      ]),
    ),
  ).flat();
}

function stepText(step: number): string {
  if (step >= 1e6) return `${Number((step / 1e6).toFixed(2))}M`;
  if (step >= 1e5) return `${Math.round(step / 1000)}k`;
  return step >= 1e4 ? `${Number((step / 1000).toFixed(1))}k` : count(step);
}
