// Nothing to show yet: one sentence, two actions.
import type { PageCommand } from '../../protocol/messages.ts';
import { h } from '../dom.ts';
import type { Page, Section } from '../page.ts';
import { button } from './notes.ts';

export class EmptySection implements Section {
  readonly element = h('div', { class: 'empty' });
  private readonly page: Page;
  private drawn = '';

  constructor(page: Page) {
    this.page = page;
  }

  render(): void {
    const { offer, restricted, untrusted } = this.page.state;
    const key = JSON.stringify([offer, restricted, untrusted]);
    if (key === this.drawn) return;
    this.drawn = key;
    const run = (command: PageCommand) => () =>
      void this.page.connection.request('command/run', { command }).catch(() => {});
    if (restricted !== null) {
      this.element.replaceChildren(
        ...[
          heading(),
          h('p', { text: 'No runs yet.' }),
          h('p', { text: restricted }),
          untrusted && button('Manage workspace trust', false, run('trust')),
        ].filter(child => child instanceof Node),
      );
      return;
    }
    const what =
      offer === null ? ['Train a model on your data'] : ['Train the model of ', h('b', { text: offer })];
    this.element.replaceChildren(
      heading(),
      h('p', {}, 'No runs yet. ', ...what, ', or train three cells side by side and see which remembers.'),
      button(offer === null ? 'Train RNN…' : `Train ${offer}`, false, run('train')),
      button('Compare RNN · GRU · LSTM', true, run('compare')),
      h(
        'p',
        { class: 'quiet' },
        'Results are written to .unroll/runs in this workspace and stay on this machine. ',
        link('Open a sample', run('openSample')),
      ),
    );
  }
}

function link(text: string, onClick: () => void): HTMLElement {
  return h('button', { class: 'link', text, on: { click: onClick } });
}

function heading(): HTMLElement {
  return h('h1', { class: 'sr', text: 'Unroll' });
}
