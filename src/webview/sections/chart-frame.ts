// What sections with a chart have in common: the button that puts the data in a table in its place, and, of those with
// one chart alone, the head with a note and the words beneath.
import { type ChartSource, saveButton } from '../charts/export.ts';
import { LayeredCanvas } from '../charts/layered-canvas.ts';
import { h, iconButton, tableBehind } from '../dom.ts';
import type { Page } from '../page.ts';

/** `section`: the element's id. `what`: as in "Show the gates as a data table". */
export function tableButton(page: Page, section: string, what: string): HTMLButtonElement {
  const toggle = () => page.setUi({ tables: { ...page.ui.tables, [section]: !page.ui.tables[section] } });
  return iconButton('table', `Show ${what} as a data table`, toggle, false);
}

export class ChartFrame {
  readonly element: HTMLElement;
  readonly note = h('span', { class: 'quiet grow' });
  readonly surface: LayeredCanvas;
  readonly say = h('p', { class: 'verdict' });
  private readonly page: Page;
  private readonly id: string;
  private readonly body = h('div', { class: 'body' });
  private readonly button: HTMLButtonElement;

  constructor(
    page: Page,
    { id, title, what }: { id: string; title: string; what: string },
    source: () => ChartSource | null,
  ) {
    this.page = page;
    this.id = id;
    this.surface = new LayeredCanvas(title);
    this.button = tableButton(page, id, what);
    this.element = h(
      'section',
      { id, label: title },
      h(
        'div',
        { class: 'row' },
        h('h2', { text: title }),
        this.note,
        this.button,
        saveButton(page, what, source),
      ),
      this.body,
      this.say,
    );
  }

  get showsTable(): boolean {
    return this.page.ui.tables[this.id] === true;
  }

  /** Puts up what was asked for: the chart, which `draw` fills, or a table, made anew where its stamp is another. */
  show(
    height: number,
    { draw, stamp, table }: { draw(): void; stamp: string; table(): HTMLTableElement },
  ): void {
    const { body, surface } = this;
    this.button.setAttribute('aria-pressed', String(this.showsTable));
    if (!this.showsTable) {
      if (body.firstChild !== surface.element) body.replaceChildren(surface.element);
      surface.resize(this.element.clientWidth, height);
      draw();
    } else if (body.dataset['stamp'] !== stamp || !body.querySelector('.data')) {
      body.dataset['stamp'] = stamp;
      body.replaceChildren(tableBehind(height, table()));
    }
  }
}
