// At what cost: parameters of the three cells at equal units or at equal parameters, with formula and convention.
import type { ParameterView } from '../../protocol/messages.ts';
import { dataTable, h, iconButton, RadioGroup } from '../dom.ts';
import { count } from '../format.ts';
import { markerIcon, styleOf } from '../kinds.ts';
import type { Page, Section, UiState } from '../page.ts';

const NAMES = { rnn: 'RNN', gru: 'GRU', lstm: 'LSTM' } as const;

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
    this.tableButton = iconButton(
      'table',
      'Show the parameters as a data table',
      () => page.setUi({ tables: { ...page.ui.tables, parameters: !page.ui.tables.parameters } }),
      false,
    );
    this.element = h(
      'section',
      { id: 'parameters', label: 'Parameters' },
      h(
        'div',
        { class: 'row' },
        h('h2', { class: 'grow', text: 'Parameters' }),
        this.equal.element,
        this.tableButton,
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
      theme.cells,
    ]);
    if (key === this.drawn) return;
    this.drawn = key;
    const views = ui.equal === 'units' ? parameters.equalUnits : parameters.equalParameters;
    const own = views.find(({ cell }) => cell === chosen.cell) ?? views[0]!;
    const asTable = ui.tables.parameters === true;
    this.body.replaceChildren(
      ...[
        asTable && !isWide ? null : this.bars(views),
        asTable || isWide ? this.split(views) : key3(own),
        asTable ? this.layers() : null,
        h('div', { class: 'mono wrap', text: `${NAMES[own.cell]} ${own.formula} = ${count(own.total)}` }),
        h('div', {
          class: 'quiet',
          text: `${parameters.note}${isWide ? '' : ` One bias: ${count(own.oneBias)}.`}`,
        }),
        ui.equal === 'parameters' &&
          h('div', { class: 'quiet', text: 'Units: the most that stay within the LSTM count.' }),
      ].filter(child => child instanceof Node),
    );
  }

  private styleOfCell(cell: ParameterView['cell']) {
    return styleOf({ cell, variant: 0 }, this.page.theme);
  }

  private bars(views: readonly ParameterView[]): HTMLElement {
    const largest = Math.max(...views.map(({ total }) => total));
    const reference = views.find(({ cell }) => cell === 'lstm')!.total;
    const box = h('div', {
      class: 'pbars',
      role: 'img',
      label: `Parameters of the recurrent layer: ${views.map(({ cell, total }) => `${NAMES[cell]} ${count(total)}`).join(', ')}`,
    });
    for (const view of views) {
      const style = this.styleOfCell(view.cell);
      const bar = h('span', { class: 'pbar' });
      bar.style.setProperty('--hue', style.color);
      for (const [name, value] of [
        ['in', view.input],
        ['re', view.recurrent],
        ['bias', view.bias],
      ] as const) {
        const part = h('i', { class: name });
        part.style.width = `${(100 * value) / largest}%`;
        bar.append(part);
      }
      box.append(
        h(
          'span',
          { class: 'name' },
          markerIcon(style),
          ` ${NAMES[view.cell]} `,
          h('small', { text: String(view.units) }),
        ),
        bar,
        h('b', { class: 'num', text: count(view.total) }),
        h('small', { class: 'num share', text: shareOf(view.total, reference) }),
      );
    }
    return box;
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
      h('span', {}, markerIcon(this.styleOfCell(view.cell)), ` ${NAMES[view.cell]}`),
      count(view.input),
      count(view.recurrent),
      count(view.bias),
      count(view.oneBias),
    ]);
    const table = dataTable('Parameters of the recurrent layer, split', head, rows);
    table.classList.add('split');
    return table;
  }

  private layers(): HTMLElement | null {
    const { layers, total } = this.page.chosen!.parameters!;
    if (layers.length === 0) return null;
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

function key3({ input, recurrent, bias }: ParameterView): HTMLElement {
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
