// Why the gradient reaches: mean activation of every gate by time step, and how long a memory lasts.
import type { GatesView, RunView } from '../../protocol/messages.ts';
import type { ChartSource } from '../charts/export.ts';
import { haloText, horizontal, type LayeredCanvas, vertical } from '../charts/layered-canvas.ts';
import { drawTimeAxis, type ProfileArea, timeX } from '../charts/profile.ts';
import { type Child, dataTable, h, setDotted, setText } from '../dom.ts';
import { markerIcon, styleOf } from '../kinds.ts';
import type { Page, Section } from '../page.ts';
import { ChartFrame } from './chart-frame.ts';
import { GUTTER } from './flow.ts';

/** By their share of what a cell does: i f g o of an LSTM, r z n of a GRU. */
const WORDS: Readonly<Record<string, string>> = {
  i: 'input',
  f: 'forget (keeps)',
  g: 'candidate',
  o: 'output',
  r: 'reset',
  z: 'update (keeps)',
  n: 'candidate',
};
/** whose activations are drawn; how far gates are saturated is a series of its own */
const SERIES = 'gates';
const BAR_OF: Readonly<Record<string, string>> = { f: 'f̄', z: 'z̄' };

interface KeptLine {
  run: RunView;
  gates: GatesView;
  half: GatesView['halfLife'][number];
}

export class GatesSection implements Section {
  readonly element: HTMLElement;
  private readonly page: Page;
  private readonly frame: ChartFrame;
  private readonly surface: LayeredCanvas;

  constructor(page: Page) {
    this.page = page;
    const names = { id: 'gates', title: 'Memory gates', what: 'the gates' };
    this.frame = new ChartFrame(page, names, () => this.exported());
    this.element = this.frame.element;
    this.surface = this.frame.surface;
    this.surface.element.addEventListener('pointermove', event => {
      const area = this.area();
      const seqLen = this.seqLen();
      const x = event.clientX - this.surface.element.getBoundingClientRect().left;
      const t = 1 + Math.floor(((x - area.left) / (area.right - area.left)) * seqLen);
      page.setReading({ t: t >= 1 && t <= seqLen ? t : null, step: null });
    });
    this.surface.element.addEventListener('pointerleave', () => page.setReading({ t: null }));
    this.surface.element.addEventListener('keydown', event => this.onKey(event));
  }

  render(): void {
    const kept = this.kept();
    // a comparison of simple cells alone has nothing to show here
    this.element.hidden = kept.length === 0;
    if (kept.length === 0 || this.element.clientWidth === 0) return;
    const { chosen } = this.page;
    const bare = chosen?.cell && !chosen.cell.hasGates ? chosen.cell.title : null;
    setText(
      this.frame.note,
      `${this.page.isWide ? 'mean over units by t' : 'mean by t'}${bare ? `; ${bare} has none` : this.page.isWide ? ', same t axis as above; thin: the other gates of the chosen run' : ''}`,
    );
    this.frame.show(this.height() + 22, {
      draw: () => {
        this.draw(kept);
        this.renderReading();
      },
      stamp: kept.map(({ run, gates }) => `${run.id} ${run.label} ${gates.step}`).join(),
      table: () => this.table(kept),
    });
    this.renderSay(kept);
  }

  renderReading(): void {
    if (this.surface.width === 0 || this.frame.showsTable) return;
    const context = this.surface.drawOverlay();
    const { t } = this.page.reading;
    const kept = this.kept();
    if (t === null || t > this.seqLen()) return;
    const area = this.area();
    const { theme } = this.page;
    const x = timeX(area, t, this.seqLen());
    context.strokeStyle = theme.foreground;
    context.lineWidth = 1;
    vertical(context, x, area.top, area.bottom);
    context.font = `11px ${theme.font}`;
    context.textBaseline = 'middle';
    const isLeft = x > this.surface.width * 0.6;
    context.textAlign = isLeft ? 'right' : 'left';
    const text = `t = ${t}: ${this.valuesAt(kept, t)}`;
    haloText(context, text, x + (isLeft ? -6 : 6), area.bottom - 8, theme.foreground, theme.background);
  }

  private exported(): ChartSource | null {
    const kept = this.kept();
    if (kept.length === 0 || this.surface.width === 0) return null;
    return {
      name: `${this.page.state.title ?? 'run'} gates`,
      width: this.surface.width,
      height: this.height() + 22,
      paint: context => this.draw(kept, context),
      head: ['run', 'layer', 'gate', 't', 'mean'],
      rows: kept.flatMap(({ run, gates }) =>
        gates.gates.flatMap(({ layer, name }, gate) =>
          Array.from({ length: gates.seqLen }, (_, t) => [
            run.label,
            gates.layers[layer]?.name ?? '',
            name,
            t + 1,
            gates.mean[gate * gates.seqLen + t]!,
          ]),
        ),
      ),
    };
  }

  private kept(): KeptLine[] {
    return this.page.visible.flatMap(run => {
      const gates = run.series.gates.find(({ name }) => name === SERIES);
      if (!gates) return [];
      const { layer } = this.page.ui;
      const half =
        gates.halfLife.find(item => gates.layers[item.layer]?.name === layer) ?? gates.halfLife.at(-1);
      return half ? [{ run, gates, half }] : [];
    });
  }

  private seqLen(): number {
    return Math.max(1, ...this.kept().map(({ gates }) => gates.seqLen));
  }

  private height(): number {
    return this.page.isWide ? 80 : 56;
  }

  private area(): ProfileArea {
    return { left: GUTTER, right: this.surface.width - 1, top: 4, bottom: this.height() };
  }

  private draw(kept: readonly KeptLine[], context = this.surface.drawBase()): void {
    const { theme, chosen } = this.page;
    const area = this.area();
    const y = (value: number) => area.bottom - value * (area.bottom - area.top);
    context.font = `11px ${theme.font}`;
    context.textAlign = 'right';
    context.textBaseline = 'middle';
    context.lineWidth = 1;
    for (const value of [0, 0.5, 1]) {
      context.fillStyle = theme.quiet;
      context.fillText(String(value), area.left - 6, Math.max(6, y(value)));
      context.strokeStyle = value === 0 ? theme.lines : theme.grid;
      horizontal(context, area.left, area.right, y(value));
    }
    const seqLen = this.seqLen();
    const line = (gates: GatesView, gate: number) => {
      context.beginPath();
      for (let t = 1; t <= gates.seqLen; t++) {
        const value = Math.max(0, Math.min(1, gates.mean[gate * gates.seqLen + t - 1]!));
        const x = timeX(area, t + seqLen - gates.seqLen, seqLen);
        if (t === 1) context.moveTo(x, y(value));
        else context.lineTo(x, y(value));
      }
      context.stroke();
    };
    const ordered = [...kept].sort(
      (a, b) => Number(a.run.id === chosen?.id) - Number(b.run.id === chosen?.id),
    );
    for (const { run, gates, half } of ordered) {
      const style = styleOf(run, theme);
      const isChosen = run.id === chosen?.id;
      context.strokeStyle = style.color;
      context.setLineDash(style.dash);
      context.lineWidth = isChosen ? 2.25 : 1.25;
      line(gates, half.gate);
      context.setLineDash([]);
      if (isChosen) this.drawOthers(context, gates, half, style.color, line, y, area);
    }
    drawTimeAxis(context, area, seqLen, theme);
    this.surface.label = `Mean gate activations by time step: ${kept.map(({ run, half, gates }) => `${run.label} ${WORDS[gates.gates[half.gate]!.name] ?? ''} ${half.mean.toFixed(2)}`).join(', ')}. Arrow keys move the reading line.`;
  }

  /** The sigmoid gates beside the one that keeps; candidates run from −1 to 1 and are in the table. */
  private drawOthers(
    context: CanvasRenderingContext2D,
    gates: GatesView,
    half: GatesView['halfLife'][number],
    color: string,
    line: (gates: GatesView, gate: number) => void,
    y: (value: number) => number,
    area: ProfileArea,
  ): void {
    const { theme } = this.page;
    const labels: { text: string; at: number }[] = [];
    gates.gates.forEach(({ layer, name }, gate) => {
      if (layer !== half.layer || name === 'g' || name === 'n') return;
      const last = gates.mean[(gate + 1) * gates.seqLen - 1]!;
      labels.push({ text: name, at: y(last) });
      if (gate === half.gate) return;
      context.strokeStyle = `color-mix(in srgb, ${color} ${theme.isHighContrast ? 80 : 55}%, transparent)`;
      context.lineWidth = 1;
      line(gates, gate);
    });
    labels.sort((a, b) => a.at - b.at);
    for (let i = 1; i < labels.length; i++) labels[i]!.at = Math.max(labels[i]!.at, labels[i - 1]!.at + 11);
    context.textAlign = 'right';
    context.font = `600 11px ${theme.font}`;
    for (const { text, at } of labels)
      haloText(
        context,
        text,
        area.right - 3,
        Math.max(area.top + 5, Math.min(area.bottom - 5, at)),
        theme.foreground,
        theme.background,
      );
  }

  private valuesAt(kept: readonly KeptLine[], t: number): string {
    return kept
      .map(({ run, gates, half }) => {
        const value = gates.mean[half.gate * gates.seqLen + t - 1];
        return value === undefined
          ? ''
          : `${run.label} ${BAR_OF[gates.gates[half.gate]!.name] ?? ''} ${value.toFixed(3)}`;
      })
      .filter(Boolean)
      .slice(0, 4)
      .join(' · ');
  }

  private renderSay(kept: readonly KeptLine[]): void {
    const { theme, state, isWide } = this.page;
    const { say } = this.frame;
    const key =
      kept
        .map(({ run, half }) => `${run.id}${run.label}${half.mean.toFixed(3)}${styleOf(run, theme).color}`)
        .join() + isWide;
    if (say.dataset['key'] === key) return;
    const parts: Child[][] = kept.map(({ run, gates, half }) => [
      h(
        'span',
        { class: 'pair' },
        markerIcon(styleOf(run, theme)),
        ` ${run.label} `,
        h('b', { text: half.steps === null ? '∞' : half.steps.toFixed(1) }),
        h('span', {
          class: 'quiet',
          text: ` (${BAR_OF[gates.gates[half.gate]!.name] ?? ''} ${half.mean.toFixed(2)})`,
        }),
      ),
    ]);
    const bare = new Set(state.runs.flatMap(({ cell }) => (cell && !cell.hasGates ? [cell.title] : [])));
    const rest = isWide ? [...bare].map(title => [`${title} has no gates`]) : [];
    parts[0]?.unshift('Half-life ');
    parts.at(-1)?.push(' steps');
    setDotted(say, key, [...parts, ...rest]);
  }

  private table(kept: readonly KeptLine[]): HTMLTableElement {
    const columns = kept.flatMap(({ run, gates, half }) =>
      gates.gates.flatMap(({ layer, name }, gate) =>
        layer === half.layer ? [{ run, gates, gate, name }] : [],
      ),
    );
    const seqLen = this.seqLen();
    const every = Math.max(1, Math.round(seqLen / 100));
    const rows: string[][] = [];
    for (let t = 1; t <= seqLen; t += every)
      rows.push([
        String(t),
        ...columns.map(({ gates, gate }) => gates.mean[gate * gates.seqLen + t - 1]?.toFixed(3) ?? ''),
      ]);
    const head = [
      't',
      ...columns.map(({ run, name }) =>
        h('span', { title: WORDS[name] ?? name, text: `${run.label} ${name}` }),
      ),
    ];
    return dataTable('Mean gate by time step', head, rows);
  }

  private onKey(event: KeyboardEvent): void {
    const direction = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
    if (event.key === 'Escape') this.page.setReading({ t: null, step: null });
    else if (direction) {
      const seqLen = this.seqLen();
      const t = Math.max(
        1,
        Math.min(seqLen, (this.page.reading.t ?? seqLen) + direction * (event.shiftKey ? 10 : 1)),
      );
      this.page.setReading({ t, step: null }, `t = ${t}: ${this.valuesAt(this.kept(), t)}`);
    } else return;
    event.preventDefault();
  }
}
