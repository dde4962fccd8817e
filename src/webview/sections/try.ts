// Try It: one input for the chosen run, and what it says of it. The answer comes from a process that the extension starts.
import type { Tried, TryForm, TryGiven } from '../../protocol/messages.ts';
import { h } from '../dom.ts';
import type { Page, Section } from '../page.ts';
import { button } from './notes.ts';
import { tried } from './tried.ts';

interface Field {
  name: 'length' | 'beams' | 'temperature' | 'topK' | 'topP' | 'seed';
  label: string;
  value: string;
  step: string;
  min: string;
}

const FIELDS: Readonly<Record<NonNullable<TryForm['writes']>, readonly Field[]>> = {
  text: [
    { name: 'length', label: 'length', value: '200', step: '1', min: '1' },
    { name: 'temperature', label: 'temperature', value: '', step: 'any', min: '0' },
    { name: 'topK', label: 'top-k', value: '', step: '1', min: '1' },
    { name: 'topP', label: 'top-p', value: '', step: 'any', min: '0' },
    { name: 'seed', label: 'seed', value: '', step: '1', min: '0' },
  ],
  target: [
    { name: 'beams', label: 'beams', value: '1', step: '1', min: '1' },
    { name: 'temperature', label: 'temperature', value: '', step: 'any', min: '0' },
    { name: 'topK', label: 'top-k', value: '', step: '1', min: '1' },
    { name: 'topP', label: 'top-p', value: '', step: 'any', min: '0' },
    { name: 'seed', label: 'seed', value: '', step: '1', min: '0' },
  ],
};

export class TrySection implements Section {
  readonly element: HTMLElement;
  private readonly page: Page;
  private readonly form = h('form');
  private readonly note = h('span', { class: 'quiet grow' });
  private readonly body = h('div', { class: 'body' });
  private text: HTMLTextAreaElement | null = null;
  private row: HTMLInputElement | null = null;
  private fields: { field: Field; input: HTMLInputElement }[] = [];
  private readonly buttons: HTMLElement[] = [];
  /** the run and form that stand in the page */
  private drawn = '';
  /** of the question that was asked last: an older answer is passed over */
  private asked = 0;

  constructor(page: Page) {
    this.page = page;
    this.element = h(
      'section',
      { id: 'try', label: 'Try it' },
      h('div', { class: 'row' }, h('h2', { text: 'Try it' }), this.note),
      this.form,
      this.body,
    );
    this.form.addEventListener('submit', event => event.preventDefault());
    this.form.addEventListener('keydown', event => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        this.askTyped();
      }
    });
  }

  render(): void {
    const { chosen } = this.page;
    const form = chosen?.tryForm ?? null;
    this.element.hidden = !chosen || !form;
    if (!chosen || !form) return;
    const { restricted } = this.page.state;
    const key = JSON.stringify([chosen.id, form, restricted]);
    if (key === this.drawn) return;
    this.drawn = key;
    this.asked++;
    this.note.textContent = chosen.label;
    this.body.replaceChildren();
    this.form.replaceChildren(
      ...(restricted === null ? this.controls(form) : [h('p', { text: restricted })]),
    );
  }

  private controls(form: TryForm): Node[] {
    this.buttons.length = 0;
    this.text = this.row = null;
    const parts: Node[] = [];
    if (form.typed !== null) {
      this.text = h('textarea', { attributes: { rows: '3', spellcheck: 'false', 'data-first': '' } });
      parts.push(h('label', { class: 'typed' }, form.typed, this.text));
    }
    this.fields = (form.writes === null ? [] : FIELDS[form.writes]).map(field => {
      const { value, step, min } = field;
      const input = h('input', { attributes: { type: 'number', step, min } });
      input.value = value;
      return { field, input };
    });
    if (this.fields.length > 0)
      parts.push(
        h(
          'div',
          { class: 'fields' },
          ...this.fields.map(({ field, input }) => h('label', {}, field.label, input)),
        ),
      );
    if (form.row !== null) {
      this.row = h('input', { attributes: { type: 'number', step: '1', min: '1' } });
      this.row.value = '1';
      // a form without text begins with its row
      if (form.typed === null) this.row.dataset['first'] = '';
    }
    const asks = [
      form.typed === null ? null : button('Answer', false, () => this.askTyped()),
      form.sound ? button('Choose WAV File…', false, () => this.ask({ sound: true })) : null,
      form.row === 'row' ? button('Newest Window', true, () => this.ask({})) : null,
    ].filter(each => each !== null);
    this.buttons.push(...asks);
    parts.push(h('div', { class: 'buttons' }, ...asks));
    if (this.row) {
      const take = button(
        form.row === 'row'
          ? 'Answer after This Row'
          : `Answer for This ${form.row![0]!.toUpperCase()}${form.row!.slice(1)}`,
        true,
        () => this.ask({ row: Number(this.row!.value) }),
      );
      this.buttons.push(take);
      parts.push(h('div', { class: 'fields' }, h('label', {}, `or ${form.row} of the data`, this.row), take));
    }
    return parts;
  }

  private askTyped(): void {
    if (this.text) this.ask({ text: this.text.value });
  }

  private ask(given: TryGiven): void {
    const { chosen } = this.page;
    if (!chosen) return;
    const whole = { ...given };
    for (const { field, input } of this.fields)
      if (input.value !== '') whole[field.name] = Number(input.value);
    const number = ++this.asked;
    this.show([h('p', { class: 'quiet', text: 'Asking…' })]);
    this.page.connection.request('run/try', { runId: chosen.id, given: whole }).then(
      answer => {
        if (number !== this.asked) return;
        this.show(answer ? tried(answer) : []);
        if (answer) this.page.announce(spoken(answer));
      },
      (cause: Error) => {
        if (number !== this.asked) return;
        this.show([h('p', { class: 'verdict', role: 'alert', text: cause.message })]);
      },
    );
  }

  private show(nodes: Node[]): void {
    this.body.replaceChildren(...nodes);
  }
}

function spoken({ answer, likely, table }: Tried): string {
  const share = likely[0] ? `, ${(100 * likely[0].probability).toFixed(0)} %` : '';
  return `Answer: ${answer || `${table?.rows.length ?? 0} steps`}${share}`.slice(0, 300);
}
