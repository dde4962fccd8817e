// The name of a run wherever it stands, in legends, tables and tiles: it can be hidden, shown alone and highlighted there,
// by the same gestures.
import type { RunView } from '../protocol/messages.ts';
import { h } from './dom.ts';
import { markerIcon, styleOf } from './kinds.ts';
import type { Page } from './page.ts';

export const GESTURES = 'Alt+click or H hides or shows it, Shift+click or S shows it alone';

/** `current`: the run as it is when something happens, since elements outlive pictures. */
export function withGestures<E extends HTMLElement>(
  page: Page,
  current: () => RunView | null,
  element: E,
): E {
  const act = (how: (run: RunView) => void) => (event: Event) => {
    const run = current();
    if (!run) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    how(run);
  };
  const toggle = act(run => page.toggle(run));
  const solo = act(run => page.solo(run));
  // before what a click does otherwise
  element.addEventListener(
    'click',
    event => {
      if (event.altKey) toggle(event);
      else if (event.shiftKey) solo(event);
    },
    { capture: true },
  );
  element.addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'h' || event.key === 'H') toggle(event);
    else if (event.key === 's' || event.key === 'S') solo(event);
  });
  const enter = () => page.highlight(current()?.id ?? null);
  const leave = () => page.highlight(null);
  element.addEventListener('pointerenter', enter);
  element.addEventListener('pointerleave', leave);
  element.addEventListener('focusin', enter);
  element.addEventListener('focusout', leave);
  return element;
}

/** Names of runs in a line; each is a switch that hides and shows. Made anew only when names or looks change. */
export class Legend {
  readonly element = h('div', { class: 'legend', role: 'group', label: 'Runs in the chart' });
  private readonly page: Page;
  private readonly buttons = new Map<string, HTMLButtonElement>();
  private runs: readonly RunView[] = [];
  private key = '';

  constructor(page: Page) {
    this.page = page;
  }

  update(runs: readonly RunView[]): void {
    const { theme } = this.page;
    this.runs = runs;
    this.element.hidden = runs.length < 2;
    const key = runs.map(run => `${run.id} ${run.label} ${styleOf(run, theme).color}`).join('\n');
    if (key !== this.key) this.build(key);
    for (const run of runs) {
      const isShown = !this.page.isHidden(run);
      const button = this.buttons.get(run.id)!;
      button.setAttribute('aria-pressed', String(isShown));
      button.classList.toggle('off', !isShown);
    }
  }

  private build(key: string): void {
    const focused = [...this.buttons].find(([, button]) => button === document.activeElement)?.[0];
    this.key = key;
    this.buttons.clear();
    this.element.replaceChildren(
      ...this.runs.map(({ id, label }) => {
        const current = () => this.runs.find(run => run.id === id) ?? null;
        const run = current()!;
        const button = h(
          'button',
          {
            class: 'name',
            title: `${label}: click hides or shows it, Shift+click or S shows it alone`,
            on: { click: () => this.page.toggle(current()!) },
          },
          markerIcon(styleOf(run, this.page.theme)),
          h('span', { text: label }),
        );
        this.buttons.set(id, withGestures(this.page, current, button));
        return button;
      }),
    );
    if (focused !== undefined) this.buttons.get(focused)?.focus();
  }
}
