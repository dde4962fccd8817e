// All runs of the comparison as a table; wide layout only, since the panel says the same in its sections.
import type { Metric, RunView } from '../../protocol/messages.ts';
import { dataTable, h } from '../dom.ts';
import { count, fromJson, loss, short } from '../format.ts';
import { markerIcon, styleOf } from '../kinds.ts';
import type { Page, Section } from '../page.ts';
import { bestOf, meanSd, membersOf } from '../seeds.ts';
import { isBroken, statesText, stateText } from './states.ts';

export class RunsSection implements Section {
  readonly element: HTMLElement;
  private readonly page: Page;
  private readonly body = h('div', { class: 'scroll' });
  private drawn = '';

  constructor(page: Page) {
    this.page = page;
    this.element = h(
      'section',
      { id: 'runs', label: 'Runs' },
      h('div', { class: 'row' }, h('h2', { class: 'grow', text: 'Runs' })),
      this.body,
    );
  }

  render(): void {
    const { state, theme, isWide } = this.page;
    this.element.hidden = !isWide;
    if (!isWide) return;
    const metric = state.runs.flatMap(run => run.task?.metrics?.[0] ?? [])[0];
    const bests = state.runs.map(run =>
      meanSd(membersOf(run).map(each => bestOf(each)?.value ?? Number.NaN)),
    );
    const least = Math.min(...bests.map(best => best?.mean ?? Number.POSITIVE_INFINITY));
    const rows = state.runs.map((run, index) => {
      const speed = fromJson(run.last['tokensPerSecond']);
      const perStep = run.task && speed > 0 ? (1000 * run.task.tokensPerStep) / speed : Number.NaN;
      const members = membersOf(run);
      const best = bests[index]!;
      return {
        run,
        cells: [
          members.length > 1 ? statesText(members).toLowerCase() : stateText(run),
          spreadText(meanSd(members.map(({ valLoss }) => valLoss.mean.at(-1) ?? Number.NaN))),
          spreadText(best),
          members.length > 1 ? '' : count(bestOf(run)?.step ?? 0),
          state.runs.length < 2 || !best
            ? ''
            : best.mean === least
              ? 'best'
              : `+${loss(best.mean - least)} (${Math.round((100 * (best.mean - least)) / Math.abs(least))} %)`,
          ...(metric ? [metricCell(metric, run)] : []),
          run.parameters ? count(run.parameters.total) : '',
          speed > 0 ? short(speed) : '',
          perStep > 0 ? perStep.toFixed(perStep < 10 ? 1 : 0) : '',
        ],
      };
    });
    const key = JSON.stringify([
      this.body.clientWidth,
      rows.map(({ run, cells }) => [run.label, cells]),
      theme.version,
      theme.foreground,
    ]);
    if (key === this.drawn) return;
    this.drawn = key;
    const columns: Column[] = [
      { head: 'state', rank: 0 },
      { head: 'val', rank: 0 },
      { head: 'best', rank: 0 },
      { head: 'at step', rank: 5 },
      { head: 'behind', rank: 0 },
      ...(metric ? [{ head: metric.label, rank: 1 }] : []),
      { head: 'params', rank: 2 },
      { head: 'tokens/s', rank: 3 },
      { head: 'ms/step', rank: 4 },
    ];
    // what says nothing goes first, then by rank until the rest fits
    const shown = new Set(
      columns.flatMap((_, column) => (rows.some(({ cells }) => cells[column] !== '') ? [column] : [])),
    );
    for (;;) {
      this.body.replaceChildren(this.table(rows, columns, shown));
      if (this.body.scrollWidth <= this.body.clientWidth) break;
      const least = [...shown].sort((a, b) => columns[b]!.rank - columns[a]!.rank)[0];
      if (least === undefined || columns[least]!.rank === 0) break;
      shown.delete(least);
    }
    // scrolled by keyboard where it is wider than its column
    const { body } = this;
    if (body.scrollWidth > body.clientWidth) body.tabIndex = 0;
    else body.removeAttribute('tabindex');
  }

  private table(
    rows: readonly { run: RunView; cells: string[] }[],
    columns: readonly Column[],
    shown: ReadonlySet<number>,
  ): HTMLTableElement {
    const { theme } = this.page;
    const kept = columns.flatMap((_, column) => (shown.has(column) ? [column] : []));
    const cell = (run: RunView, text: string, { head }: Column) => {
      if (head === 'state') return h('span', {}, isBroken(run) && errorSign(), text);
      return head === 'val' ? h('b', { text }) : text;
    };
    return dataTable(
      'Runs',
      ['run', ...kept.map(column => columns[column]!.head)],
      rows.map(({ run, cells }) => [
        h('span', {}, markerIcon(styleOf(run, theme)), ` ${run.label}`),
        ...kept.map(column => cell(run, cells[column]!, columns[column]!)),
      ]),
      2,
    );
  }
}

interface Column {
  head: string;
  /** the highest goes first where there is little room; 0 stays */
  rank: number;
}

/** "1.70 ± 0.02" */
function spreadText(spread: { mean: number; sd: number | null } | null): string {
  if (!spread) return '';
  return spread.sd ? `${loss(spread.mean)} ± ${loss(spread.sd)}` : loss(spread.mean);
}

/** The newest value of the task's first metric. */
function metricCell({ name, unit }: Metric, run: RunView): string {
  const value = run.metrics[name]?.mean.at(-1);
  if (value === undefined) return '';
  return unit === '%' ? `${Number((100 * value).toPrecision(3))} %` : loss(value);
}

/** A sign rather than coloured words: the themes' error colour is too faint for small text. */
function errorSign(): HTMLElement {
  return h('span', { class: 'codicon codicon-error err sign', attributes: { 'aria-hidden': 'true' } });
}
