// Elements without a framework. Text is always set as text: what comes from a run folder is never markup.

export interface Properties {
  class?: string;
  id?: string;
  text?: string;
  title?: string;
  role?: string;
  label?: string;
  tabIndex?: number;
  hidden?: boolean;
  on?: { [E in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[E]) => void };
  attributes?: Record<string, string>;
}

export type Child = Node | string | null | false;

export function h<T extends keyof HTMLElementTagNameMap>(
  tag: T,
  properties: Properties = {},
  ...children: Child[]
): HTMLElementTagNameMap[T] {
  const element = document.createElement(tag);
  if (properties.class) element.className = properties.class;
  if (properties.id) element.id = properties.id;
  if (properties.text !== undefined) element.textContent = properties.text;
  if (properties.title) element.title = properties.title;
  if (properties.role) element.setAttribute('role', properties.role);
  if (properties.label) element.setAttribute('aria-label', properties.label);
  if (properties.tabIndex !== undefined) element.tabIndex = properties.tabIndex;
  if (properties.hidden) element.hidden = true;
  for (const [name, value] of Object.entries(properties.attributes ?? {})) element.setAttribute(name, value);
  for (const [name, handler] of Object.entries(properties.on ?? {}))
    element.addEventListener(name, handler as EventListener);
  element.append(...children.filter(child => child !== null && child !== false));
  return element;
}

export function iconButton(
  icon: string,
  label: string,
  onClick: () => void,
  pressed?: boolean,
): HTMLButtonElement {
  const button = h(
    'button',
    { class: 'icon', title: label, label, on: { click: onClick } },
    h('span', { class: `codicon codicon-${icon}`, attributes: { 'aria-hidden': 'true' } }),
  );
  button.type = 'button';
  if (pressed !== undefined) button.setAttribute('aria-pressed', String(pressed));
  return button;
}

/** Replaces an element's text only when it differs, so that a screen reader and a selection are left alone. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Parts of a line with dots between them, made anew only when `key` differs; a text is cut at its own dots. A dot belongs
 * to the part that it precedes, and is hidden where that begins a line (`.dotted` in dashboard.css).
 */
export function setDotted(element: HTMLElement, text: string): void;
export function setDotted(element: HTMLElement, key: string, parts: readonly Child[][]): void;
export function setDotted(
  element: HTMLElement,
  key: string,
  parts: readonly Child[][] = key === '' ? [] : key.split(' · ').map(part => [part]),
): void {
  if (element.dataset['key'] === key) return;
  element.dataset['key'] = key;
  element.classList.add('dotted');
  element.replaceChildren(
    ...parts.map((part, index) =>
      h('span', { class: 'part' }, h('span', { class: 'dot', text: index > 0 ? ' · ' : '' }), ...part),
    ),
  );
}

export interface Choice<V extends string> {
  value: V;
  content: string | (() => Node);
  label?: string;
  title?: string;
}

/** A radio group of buttons: arrows choose, one tab stop. Its items are made anew only when their keys differ. */
export class RadioGroup<V extends string> {
  readonly element: HTMLElement;
  private readonly choose: (value: V) => void;
  private readonly itemClass: string;
  private key = '';
  private values: V[] = [];
  readonly buttons = new Map<V, HTMLButtonElement>();

  constructor(label: string, groupClass: string, itemClass: string, choose: (value: V) => void) {
    this.choose = choose;
    this.itemClass = itemClass;
    this.element = h('div', { class: groupClass, role: 'radiogroup', label });
    this.element.addEventListener('keydown', event => this.onKey(event));
  }

  /** @returns whether the items were made anew */
  update(choices: readonly Choice<V>[], current: V): boolean {
    const key = choices
      .map(
        ({ value, label, content }) =>
          `${value} ${label ?? ''} ${typeof content === 'string' ? content : ''}`,
      )
      .join('\n');
    const anew = key !== this.key;
    if (anew) this.build(choices, key);
    for (const [value, button] of this.buttons) {
      button.setAttribute('aria-checked', String(value === current));
      button.tabIndex = value === current ? 0 : -1;
    }
    return anew;
  }

  private build(choices: readonly Choice<V>[], key: string): void {
    const focused = [...this.buttons].find(([, button]) => button === document.activeElement)?.[0];
    this.key = key;
    this.values = choices.map(({ value }) => value);
    this.buttons.clear();
    this.element.replaceChildren(
      ...choices.map(({ value, content, label, title }) => {
        const button = h(
          'button',
          { class: this.itemClass, role: 'radio', label, title, on: { click: () => this.choose(value) } },
          typeof content === 'string' ? content : content(),
        );
        button.type = 'button';
        this.buttons.set(value, button);
        return button;
      }),
    );
    if (focused !== undefined) this.buttons.get(focused)?.focus();
  }

  private onKey(event: KeyboardEvent): void {
    const direction = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (!direction) return;
    event.preventDefault();
    event.stopPropagation();
    const now = this.values.findIndex(value => this.buttons.get(value) === document.activeElement);
    const next = this.values[(now + direction + this.values.length) % this.values.length];
    if (next === undefined) return;
    this.choose(next);
    this.buttons.get(next)?.focus();
  }
}

export type Row = (string | Node)[];

/** A table with numbers aligned right; the first column names the row. */
export function dataTable(label: string, head: Row, rows: Row[], textColumns = 1): HTMLTableElement {
  const cell = (tag: 'td' | 'th', content: string | Node, column: number) =>
    h(
      tag,
      { class: column >= textColumns ? 'num' : '', attributes: tag === 'th' ? { scope: 'col' } : {} },
      content,
    );
  return h(
    'table',
    { label },
    h('thead', {}, h('tr', {}, ...head.map((content, column) => cell('th', content, column)))),
    h(
      'tbody',
      {},
      ...rows.map(row => h('tr', {}, ...row.map((content, column) => cell('td', content, column)))),
    ),
  );
}

/** The table behind a chart: of the chart's height, so that nothing below moves; scrolls by keyboard. */
export function tableBehind(height: number, table: HTMLTableElement): HTMLElement {
  const box = h(
    'div',
    { class: 'data', tabIndex: 0, role: 'region', label: table.getAttribute('aria-label') ?? '' },
    table,
  );
  box.style.height = `${height}px`;
  return box;
}
