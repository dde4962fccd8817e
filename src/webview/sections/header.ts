// Is it well: what runs, how far it is, and the controls.
import '@vscode-elements/elements/dist/vscode-context-menu/index.js';
import type { PageCommand, RunAction, RunView } from '../../protocol/messages.ts';
import { h, iconButton, setDotted, setText } from '../dom.ts';
import { clock, count, fromJson, megabytes, short } from '../format.ts';
import { isLiving, type Page, type Section } from '../page.ts';
import { stateOfAll, statesText } from './states.ts';

interface Menu extends HTMLElement {
  show: boolean;
  data: { label?: string; value?: string; separator?: boolean; tabindex?: number }[];
}

export class HeaderSection implements Section {
  readonly element: HTMLElement;
  private readonly page: Page;
  private readonly title = h('h1');
  private readonly subtitle = h('span', { class: 'quiet grow' });
  private readonly icons = h('span', { class: 'icons' });
  private readonly bar = h('div', { class: 'bar', role: 'progressbar' }, h('i'));
  private readonly state = h('b');
  private readonly step = h('span');
  private readonly time = h('div', { class: 'quiet time' });
  private readonly contention = h('div', { class: 'quiet contention' });
  private readonly beganTitle = h('summary');
  private readonly began = h('details', { class: 'quiet' }, this.beganTitle);
  private drawnBegan = '';
  private readonly engine = h('span', { class: 'badge' });
  private readonly menu: Menu;
  private readonly more: HTMLButtonElement;
  private buttons = '';

  constructor(page: Page) {
    this.page = page;
    this.menu = document.createElement('vscode-context-menu') as Menu;
    this.menu.addEventListener('vsc-context-menu-select', event =>
      this.choose((event as CustomEvent<{ value: string }>).detail.value),
    );
    this.more = iconButton('ellipsis', 'More actions', () => this.openMenu());
    this.more.setAttribute('aria-haspopup', 'menu');
    this.element = h(
      'header',
      {},
      h(
        'div',
        { class: 'row head' },
        this.title,
        this.subtitle,
        h('span', { class: 'icons' }, this.icons, this.more, h('span', { class: 'menu' }, this.menu)),
      ),
      this.bar,
      h('div', { class: 'row where' }, h('span', { class: 'grow' }, this.state, ' ', this.step), this.engine),
      this.time,
      this.contention,
      this.began,
    );
  }

  render(): void {
    const { state, chosen } = this.page;
    const runs = this.page.members;
    setText(this.title, state.title ?? '');
    setDotted(this.subtitle, state.subtitle);
    this.subtitle.title = state.subtitle;
    const all = stateOfAll(runs);
    setDotted(this.state, statesText(runs));
    // runs that are still going say how far the whole is
    const going = runs.filter(
      run => isLiving(run) || run.state === 'crashed' || run.state === 'silent' || run.state === 'queued',
    );
    const counted = going.length > 0 ? going : runs;
    const step = Math.max(0, ...counted.map(run => run.step));
    const steps = Math.max(1, ...counted.map(run => run.steps));
    setText(
      this.step,
      all === 'queued' ? 'until a run before it ends' : `step ${count(step)} / ${count(steps)}`,
    );
    this.bar.setAttribute('aria-label', 'Training progress');
    this.bar.setAttribute('aria-valuenow', String(step));
    this.bar.setAttribute('aria-valuemax', String(steps));
    this.bar.setAttribute('aria-valuetext', `step ${step} of ${steps}`);
    (this.bar.firstElementChild as HTMLElement).style.width = `${Math.min(100, (100 * step) / steps)}%`;
    setDotted(this.time, this.timeText(all, counted, chosen));
    const engine = chosen?.engine || (runs.find(run => run.engine)?.engine ?? '');
    this.engine.hidden = engine === '';
    setText(this.engine, engine);
    this.engine.title = chosen?.engineWhy ?? '';
    this.contention.hidden = !chosen?.contention;
    setText(this.contention, chosen?.contention ?? '');
    const began = chosen?.began ?? null;
    this.began.hidden = began === null;
    this.renderBegan(began);
    this.renderButtons(runs);
  }

  private renderBegan(began: RunView['began']): void {
    const key = JSON.stringify(began);
    if (!began || key === this.drawnBegan) return;
    this.drawnBegan = key;
    setText(this.beganTitle, began.title);
    this.began.replaceChildren(this.beganTitle, ...began.lines.map(text => h('p', { text })));
  }

  private timeText(all: string, counted: readonly RunView[], chosen: RunView | null): string {
    const age = Math.max(0, ...counted.map(run => run.heartbeatAge ?? 0));
    if (all === 'crashed' || all === 'silent') return `no sign of life for ${clock(age)}`;
    if (all === 'queued') return '';
    const elapsed = this.page.members.reduce((sum, run) => sum + run.elapsed, 0);
    const etas = counted.flatMap(run => (run.eta === null || !isLiving(run) ? [] : [run.eta]));
    const parts = [`${clock(elapsed)} trained`];
    // each estimate already counts the turns of the other members of its worker
    if (etas.length > 0 && all === 'training') parts.push(`${clock(Math.max(...etas))} left`);
    if (chosen) {
      const speed = fromJson(chosen.last['tokensPerSecond']);
      const memory = fromJson(chosen.last['memoryBytes']);
      // of a comparison these are the figures of one
      const whose = this.page.members.length > 1 ? `${chosen.label} ` : '';
      if (speed > 0) parts.push(`${whose}${short(speed)} ${chosen.seen}/s`);
      if (speed > 0 && chosen.task) {
        const milliseconds = (1000 * chosen.task.tokensPerStep) / speed;
        parts.push(
          `${milliseconds < 9.95 ? milliseconds.toPrecision(2) : milliseconds.toFixed(0)} ms a step`,
        );
      }
      if (memory > 0) parts.push(megabytes(memory));
      const waiting = fromJson(chosen.last['waiting']);
      if (waiting >= 0.02) parts.push(`${(100 * waiting).toFixed(0)} % waiting for data`);
      // the newest batch's; where sequences have one length there is none
      const padding = fromJson(chosen.last['padding']);
      if (padding > 0) parts.push(`${(100 * padding).toFixed(0)} % padding`);
      // of the steps of the newest row, which may be one
      const clipped = fromJson(chosen.last['clipped']);
      if (clipped > 0)
        parts.push(clipped === 1 ? 'gradient clipped' : `${(100 * clipped).toFixed(0)} % clipped`);
    }
    return parts.join(' · ');
  }

  private renderButtons(runs: readonly RunView[]): void {
    const has = (...states: string[]) => runs.some(run => states.includes(run.state));
    const mayContinue = has('stopped', 'crashed', 'silent') && this.page.state.restricted === null;
    const key = [
      has('training', 'starting'),
      has('paused'),
      has('training', 'starting', 'paused', 'queued'),
      mayContinue,
      this.page.chosen?.tryForm != null,
    ].join();
    if (key === this.buttons) return;
    const focused = this.icons.contains(document.activeElement);
    this.buttons = key;
    const control = (action: RunAction, ...states: string[]) => {
      const runIds = this.page.members.filter(run => states.includes(run.state)).map(({ id }) => id);
      void this.page.connection.request('run/control', { runIds, action }).catch(() => {});
    };
    this.icons.replaceChildren(
      ...[
        has('training', 'starting') &&
          iconButton('debug-pause', 'Pause', () => control('pause', 'training', 'starting')),
        has('paused') && iconButton('debug-continue', 'Resume', () => control('resume', 'paused')),
        has('training', 'starting', 'paused', 'queued') &&
          iconButton('debug-stop', 'Stop, keep the checkpoint', () =>
            control('stop', 'training', 'starting', 'paused', 'queued'),
          ),
        mayContinue &&
          iconButton('debug-restart', 'Continue from the last checkpoint', () => this.continueRuns()),
        this.page.chosen?.tryForm != null && iconButton('beaker', 'Try it', () => this.page.focus('try')),
      ].filter(button => button instanceof Node),
    );
    if (focused) (this.icons.querySelector('button') ?? this.more).focus();
  }

  private continueRuns(): void {
    const states = ['stopped', 'crashed', 'silent'];
    const runIds = this.page.members.filter(run => states.includes(run.state)).map(({ id }) => id);
    void this.page.connection.request('run/continue', { runIds }).catch(() => {});
  }

  private openMenu(): void {
    const runs = this.page.members;
    const living = runs.some(run => isLiving(run));
    this.menu.data = [
      { label: 'Open in an editor tab', value: 'openTab', tabindex: 0 },
      ...(this.page.state.pinned === null
        ? []
        : [{ label: 'Follow the newest run', value: 'followNewest', tabindex: 0 }]),
      ...(living ? [{ label: 'Write a checkpoint now', value: 'checkpoint', tabindex: 0 }] : []),
      ...(runs.length > 1
        ? [
            { separator: true },
            { label: 'Copy the comparison as Markdown', value: 'copyComparison', tabindex: 0 },
            { label: 'Save the comparison as CSV…', value: 'saveComparison', tabindex: 0 },
          ]
        : []),
      { separator: true },
      { label: 'Export as PyTorch, CSV, TensorBoard…', value: 'export', tabindex: 0 },
      { label: 'Show the experiment as it was trained', value: 'openExperiment', tabindex: 0 },
      { label: 'Open the run folder', value: 'openFolder', tabindex: 0 },
    ];
    this.menu.show = !this.menu.show;
    if (this.menu.show) this.menu.focus();
  }

  private choose(value: string): void {
    this.menu.show = false;
    this.more.focus();
    const { connection, chosen, members } = this.page;
    if (value === 'checkpoint') {
      const runIds = members.filter(isLiving).map(({ id }) => id);
      void connection.request('run/control', { runIds, action: 'checkpoint' }).catch(() => {});
    } else {
      const command = value as PageCommand;
      void connection
        .request('command/run', chosen ? { command, runId: chosen.id } : { command })
        .catch(() => {});
    }
  }
}
