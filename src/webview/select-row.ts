// One of several names in a list that opens, with a word before it: for what would take many lines as buttons.
import '@vscode-elements/elements/dist/vscode-single-select/index.js';
import { h } from './dom.ts';

interface Select extends HTMLElement {
  value: string;
}

export interface SelectOption {
  /** not empty */
  value: string;
  text: string;
  title?: string;
}

export class SelectRow {
  readonly element = h('label', { class: 'row layer' });
  private readonly label: string;
  private readonly word: string;
  private readonly onChange: (value: string) => void;
  private select: Select | null = null;
  private drawn = '';

  /** `word` is seen before the list, `label` is heard. */
  constructor(label: string, word: string, onChange: (value: string) => void) {
    this.label = label;
    this.word = word;
    this.onChange = onChange;
  }

  /** The list is made anew only when its options are others. */
  update(options: readonly SelectOption[], value: string): void {
    const key = JSON.stringify(options);
    if (key !== this.drawn) {
      this.drawn = key;
      const select = document.createElement('vscode-single-select') as Select;
      select.setAttribute('label', this.label);
      select.append(
        ...options.map(each => {
          const option = document.createElement('vscode-option');
          option.setAttribute('value', each.value);
          option.textContent = each.text;
          if (each.title) option.title = each.title;
          return option;
        }),
      );
      select.addEventListener('change', () => this.onChange(select.value));
      this.element.replaceChildren(h('span', { class: 'quiet', text: this.word }), select);
      this.select = select;
    }
    if (this.select) this.select.value = value;
  }
}
