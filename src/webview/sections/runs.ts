// All runs of the comparison as a table; wide layout only, since the panel says the same in its sections.
import type { Metric, RunView } from '../../protocol/messages.ts';
import { dataTable, h } from '../dom.ts';
import { fromJson, loss, short } from '../format.ts';
import { markerIcon, styleOf } from '../kinds.ts';
import type { Page, Section } from '../page.ts';
import { isBroken, stateText } from './states.ts';

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
    const rows = state.runs.map(run => {
      const speed = fromJson(run.last['tokensPerSecond']);
      const perStep = run.task && speed > 0 ? (1000 * run.task.tokensPerStep) / speed : Number.NaN;
      return {
        run,
        cells: [
          stateText(run),
          run.valLoss.mean.length > 0 ? loss(run.valLoss.mean.at(-1)) : '',
          ...(metric ? [metricCell(metric, run)] : []),
          speed > 0 ? short(speed) : '',
          perStep > 0 ? perStep.toFixed(perStep < 10 ? 1 : 0) : '',
        ],
      };
    });
    const key = JSON.stringify([
      rows.map(({ run, cells }) => [run.label, cells]),
      theme.version,
      theme.foreground,
    ]);
    if (key === this.drawn) return;
    this.drawn = key;
    this.body.replaceChildren(
      dataTable(
        'Runs',
        ['run', 'state', 'val', ...(metric ? [metric.label] : []), 'tokens/s', 'ms/step'],
        rows.map(({ run, cells }) => [
          h('span', {}, markerIcon(styleOf(run, theme)), ` ${run.label}`),
          h('span', {}, isBroken(run) && errorSign(), cells[0]!),
          h('b', { text: cells[1]! }),
          ...cells.slice(2),
        ]),
        2,
      ),
    );
    // scrolled by keyboard where it is wider than its column
    const { body } = this;
    if (body.scrollWidth > body.clientWidth) body.tabIndex = 0;
    else body.removeAttribute('tabindex');
  }
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
