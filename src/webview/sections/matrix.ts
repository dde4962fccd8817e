// The ability matrix: models by data, each figure beside what theory says. The head of a column chooses the data that the
// other sections are about.

import { dataTable, h, setText } from '../dom.ts';
import { fromJson, loss } from '../format.ts';
import { abilityLegend, abilityRows, columnsOf, shownColumn } from '../matrix-columns.ts';
import type { Page, Section } from '../page.ts';

export class MatrixSection implements Section {
  readonly element: HTMLElement;
  private readonly page: Page;
  private readonly body = h('div', {
    class: 'scroll',
    tabIndex: 0,
    role: 'region',
    label: 'Table of abilities',
  });
  private readonly legend = h('div', { class: 'quiet srow' });
  private drawn = '';

  constructor(page: Page) {
    this.page = page;
    this.element = h(
      'section',
      { id: 'matrix', label: 'Abilities' },
      h('div', { class: 'row' }, h('h2', { class: 'grow', text: 'Abilities' })),
      this.body,
      this.legend,
    );
  }

  render(): void {
    const { members, ui } = this.page;
    const columns = columnsOf(members);
    this.element.hidden = columns.length === 0;
    if (columns.length === 0) return;
    const chosen = shownColumn(members, ui.data);
    const rows = abilityRows(members, fromJson);
    const key = JSON.stringify([columns, chosen, rows]);
    if (key === this.drawn) return;
    const focused = [...this.body.querySelectorAll('button')].indexOf(
      document.activeElement as HTMLButtonElement,
    );
    this.drawn = key;
    const head = columns.map(column => {
      const isChosen = column.key === chosen?.key;
      const button = h('button', {
        class: isChosen ? 'link chosen' : 'link',
        text: column.title,
        title: `Show the runs of ${column.title} below`,
        attributes: { 'aria-pressed': String(isChosen) },
        on: { click: () => this.page.setUi({ data: column.key, zoom: null, metric: null }) },
      });
      button.type = 'button';
      return button;
    });
    const table = dataTable(
      'Abilities: models by data',
      ['model', ...head],
      rows.map(({ title, cells }) => [
        title,
        ...cells.map(cell => {
          if (!cell) return '–';
          const text = cell.unit === '%' ? `${Math.round(100 * cell.value)} %` : loss(cell.value);
          if (cell.can === null) return text;
          const theory = cell.can ? 'theory: can' : 'theory: cannot';
          return h(
            'span',
            { title: theory, label: `${text}, ${theory}`, role: 'img' },
            `${text} ${cell.can ? '✓' : '✗'}`,
          );
        }),
      ]),
    );
    this.body.replaceChildren(table);
    setText(this.legend, abilityLegend(columns, rows));
    if (focused >= 0) this.body.querySelectorAll('button')[focused]?.focus();
  }
}
