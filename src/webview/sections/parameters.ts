// At what cost: parameters of the model's cell beside the known ones, at equal units or at equal parameters, with
// formula and convention, and of each layer.
import type { ParameterView } from '../../protocol/messages.ts';
import { type ChartSource, saveButton } from '../charts/export.ts';
import { dataTable, h, RadioGroup } from '../dom.ts';
import { count } from '../format.ts';
import { markerIcon, styleOf } from '../kinds.ts';
import type { Page, Section, UiState } from '../page.ts';
import { tableButton } from './chart-frame.ts';

/** of the picture that is saved, in pixels: a bar with its name and total */
const LINE = 20;
const NAMES = 110;
const TOTALS = 80;

export class ParametersSection implements Section {
  readonly element: HTMLElement;
  private readonly page: Page;
  private readonly equal: RadioGroup<UiState['equal']>;
  private readonly tableButton: HTMLButtonElement;
  private readonly body = h('div');
  private drawn = '';

  constructor(page: Page) {
    this.page = page;
    this.equal = new RadioGroup('Compare at', 'seg', '', equal => page.setUi({ equal }));
    this.tableButton = tableButton(page, 'parameters', 'the parameters');
    this.element = h(
      'section',
      { id: 'parameters', label: 'Parameters' },
      h(
        'div',
        { class: 'row' },
        h('h2', { class: 'grow', text: 'Parameters' }),
        this.equal.element,
        this.tableButton,
        saveButton(page, 'the parameters', () => this.exported()),
      ),
      this.body,
    );
  }

  render(): void {
    const { chosen, ui, isWide, theme } = this.page;
    const parameters = chosen?.parameters ?? null;
    this.element.hidden = parameters === null;
    if (!parameters || !chosen) return;
    this.equal.update(
      [
        { value: 'units', content: 'equal units' },
        { value: 'parameters', content: 'equal parameters' },
      ],
      ui.equal,
    );
    this.tableButton.setAttribute('aria-pressed', String(ui.tables.parameters === true));
    const key = JSON.stringify([
      parameters,
      ui.equal,
      ui.tables.parameters,
      isWide,
      chosen.cell,
      theme.version,
    ]);
    if (key === this.drawn) return;
    this.drawn = key;
    this.equal.element.hidden = parameters.layer === null;
    if (parameters.layer === null)
      this.body.replaceChildren(this.layers(), h('div', { class: 'quiet', text: parameters.note }));
    else this.compare(ui.equal === 'units' ? parameters.equalUnits : parameters.equalParameters);
  }

  private compare(views: readonly ParameterView[]): void {
    const { chosen, ui, isWide } = this.page;
    const { note, layers } = chosen!.parameters!;
    const own = views.find(({ cell }) => cell.type === chosen!.cell?.type) ?? views[0]!;
    const asTable = ui.tables.parameters === true;
    this.body.replaceChildren(
      ...[
        asTable && !isWide ? null : this.bars(views),
        asTable || isWide ? this.split(views) : key3(own),
        asTable && layers.length > 0 ? this.layers() : null,
        h('div', { class: 'mono wrap', text: `${own.cell.title} ${own.formula} = ${count(own.total)}` }),
        h('div', { class: 'quiet', text: `${note}${isWide ? '' : ` One bias: ${count(own.oneBias)}.`}` }),
        ui.equal === 'parameters' &&
          h('div', {
            class: 'quiet',
            text: `Units: the most that stay within the ${largest(views).cell.title} count.`,
          }),
      ].filter(child => child instanceof Node),
    );
  }

  private styleOfCell(cell: ParameterView['cell']) {
    return styleOf({ cell, variant: 0 }, this.page.theme);
  }

  private bars(views: readonly ParameterView[]): HTMLElement {
    const most = largest(views).total;
    const reference = referenceOf(views).total;
    const box = h('div', {
      class: 'pbars',
      role: 'img',
      label: `Parameters of the layer: ${views.map(({ cell, total }) => `${cell.title} ${count(total)}`).join(', ')}`,
    });
    for (const view of views) {
      const style = this.styleOfCell(view.cell);
      const bar = h('span', { class: 'pbar' });
      bar.style.setProperty('--hue', style.color);
      const { input, recurrent, bias } = view.parts ?? { input: view.total, recurrent: 0, bias: 0 };
      for (const [name, value] of [
        ['in', input],
        ['re', recurrent],
        ['bias', bias],
      ] as const) {
        const part = h('i', { class: name });
        part.style.width = `${(100 * value) / most}%`;
        bar.append(part);
      }
      box.append(
        h(
          'span',
          { class: 'name' },
          markerIcon(style),
          ` ${view.cell.title} `,
          h('small', { text: view.units === null ? '' : String(view.units) }),
        ),
        bar,
        h('b', { class: 'num', text: count(view.total) }),
        h('small', { class: 'num share', text: shareOf(view.total, reference) }),
      );
    }
    return box;
  }

  private exported(): ChartSource | null {
    const { chosen, ui, state, theme } = this.page;
    const parameters = chosen?.parameters;
    if (!parameters) return null;
    const views = ui.equal === 'units' ? parameters.equalUnits : parameters.equalParameters;
    const width = Math.max(320, this.element.clientWidth);
    return {
      name: `${state.title ?? 'run'} parameters`,
      width,
      height: LINE * Math.max(1, views.length) + 8,
      paint: context => {
        const most = Math.max(1, ...views.map(({ total }) => total));
        const room = width - NAMES - TOTALS;
        context.font = `11px ${theme.font}`;
        context.textBaseline = 'middle';
        for (const [index, view] of views.entries()) {
          const y = LINE * (index + 0.5) + 4;
          const { color } = this.styleOfCell(view.cell);
          context.textAlign = 'left';
          context.fillStyle = theme.foreground;
          context.fillText(`${view.cell.title} ${view.units ?? ''}`, 4, y);
          let x = NAMES;
          const { input, recurrent, bias } = view.parts ?? { input: view.total, recurrent: 0, bias: 0 };
          for (const [value, fill] of [
            [input, null],
            [recurrent, color],
            [bias, theme.foreground],
          ] as const) {
            const length = (room * value) / most;
            context.fillStyle = fill ?? theme.background;
            context.fillRect(x, y - 6, length, 12);
            context.strokeStyle = fill ?? color;
            context.lineWidth = 1;
            context.strokeRect(x, y - 6, length, 12);
            x += length;
          }
          context.textAlign = 'right';
          context.fillStyle = theme.foreground;
          context.fillText(count(view.total), width - 4, y);
        }
      },
      head: ['cell', 'units', 'parameters', 'input', 'recurrent', 'bias', 'one bias', 'formula'],
      rows: views.map(view => [
        view.cell.title,
        view.units,
        view.total,
        view.parts?.input ?? null,
        view.parts?.recurrent ?? null,
        view.parts?.bias ?? null,
        view.oneBias,
        view.formula,
      ]),
    };
  }

  private split(views: readonly ParameterView[]): HTMLElement {
    const head = [
      'cell',
      h('span', { class: 'key' }, h('i'), 'input'),
      h('span', { class: 'key' }, h('i', { class: 're' }), 'recurrent'),
      h('span', { class: 'key' }, h('i', { class: 'bi' }), 'bias'),
      'one bias',
    ];
    const rows = views.map(view => [
      h('span', {}, markerIcon(this.styleOfCell(view.cell)), ` ${view.cell.title}`),
      view.parts ? count(view.parts.input) : '',
      view.parts ? count(view.parts.recurrent) : '',
      view.parts ? count(view.parts.bias) : '',
      count(view.oneBias),
    ]);
    const table = dataTable('Parameters of the layer, split', head, rows);
    table.classList.add('split');
    return table;
  }

  private layers(): HTMLElement {
    const { layers, total } = this.page.chosen!.parameters!;
    const rows = [
      ...layers.map(layer => [
        layer.name,
        layer.type,
        count(layer.count),
        h('span', { class: 'mono', text: layer.formula }),
      ]),
      ['all', '', count(total), ''],
    ];
    const table = dataTable('Parameters by layer', ['layer', 'type', 'parameters', 'formula'], rows, 2);
    return h('div', { class: 'scroll', tabIndex: 0, role: 'region', label: 'Parameters by layer' }, table);
  }
}

/** What the others are shares of: the last of the cells that everyone knows. */
function referenceOf(views: readonly ParameterView[]): ParameterView {
  return views.findLast(({ cell }) => cell.classic !== null) ?? views[0]!;
}

function largest(views: readonly ParameterView[]): ParameterView {
  return views.reduce((most, view) => (view.total > most.total ? view : most));
}

function key3({ parts }: ParameterView): HTMLElement | null {
  if (!parts) return null;
  const { input, recurrent, bias } = parts;
  return h(
    'div',
    { class: 'quiet' },
    h('span', { class: 'key' }, h('i'), `input ${count(input)}`),
    h('span', { class: 'key' }, h('i', { class: 're' }), `recurrent ${count(recurrent)}`),
    h('span', { class: 'key' }, h('i', { class: 'bi' }), `bias ${count(bias)}`),
  );
}

function shareOf(value: number, reference: number): string {
  if (value === reference) return '';
  const percent = 100 * (value / reference - 1);
  return `${percent < 0 ? '−' : '+'}${Math.abs(percent).toFixed(Math.abs(percent) < 5 ? 1 : 0)} %`;
}
