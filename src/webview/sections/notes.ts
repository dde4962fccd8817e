// What went wrong, and the one action that mends it: a dead worker, findings, and why training is not possible here.
import '@vscode-elements/elements/dist/vscode-button/index.js';
import type { Finding, Fix, RunView } from '../../protocol/messages.ts';
import { h, setDotted } from '../dom.ts';
import { clock, count } from '../format.ts';
import type { Page, Section } from '../page.ts';
import { membersOf } from '../seeds.ts';

const SIGNS: Readonly<Record<Finding['severity'], [string, string]>> = {
  error: ['error', 'err'],
  warning: ['warning', 'warn'],
  info: ['info', 'quiet'],
};
const SHOWN = 4;

export class NotesSection implements Section {
  readonly element = h('div', { class: 'notes' });
  private readonly page: Page;
  private drawn = '';

  constructor(page: Page) {
    this.page = page;
  }

  render(): void {
    const { state } = this.page;
    const { members } = this.page;
    const dead = members.filter(run => run.state === 'crashed' || run.state === 'silent');
    const findings = findingsOf(state.runs);
    const told = members.filter(
      run =>
        run.message &&
        (run.state === 'failed' ||
          (run.state === 'diverged' &&
            !findings.some(({ owner, finding }) => owner === run && finding.id === 'diverged'))),
    );
    const problems = [...new Set(members.flatMap(run => run.problems))].slice(0, 2);
    const key = JSON.stringify([
      dead.map(run => [run.id, run.state, run.lastCheckpoint, run.step]),
      findings.map(({ run, label, finding }) => [run.id, label, finding]),
      told.map(run => [run.id, run.message]),
      problems,
      state.restricted,
      state.untrusted,
    ]);
    if (key === this.drawn) return;
    this.drawn = key;
    this.element.replaceChildren(
      ...[
        state.restricted !== null && this.restricted(state.restricted, state.untrusted),
        dead.length > 0 && this.dead(dead),
        ...told.map(run =>
          line('error', 'err', members.length > 1 ? `${run.label}: ` : '', run.message!, []),
        ),
        ...findings.slice(0, SHOWN).map(found => this.finding(found)),
        ...problems.map(problem => line('warning', 'warn', '', problem, [])),
      ].filter(child => child instanceof Node),
    );
  }

  private dead(runs: RunView[]): HTMLElement {
    const step = Math.max(...runs.map(run => run.step));
    const checkpoints = runs.flatMap(run => run.lastCheckpoint ?? []);
    const last = checkpoints.length > 0 ? Math.max(...checkpoints) : null;
    const isCrashed = runs.some(run => run.state === 'crashed');
    const names =
      runs.length < this.page.members.length ? `${runs.map(({ label }) => label).join(', ')}: ` : '';
    const text = isCrashed
      ? `${names}${names === '' ? 'T' : 't'}raining ended unexpectedly at step ${count(step)}. ${last === null ? 'There is no checkpoint yet: it would begin anew.' : `The last checkpoint is at step ${count(last)}.`}`
      : `${names}${names === '' ? 'N' : 'n'}o sign of life from the machine that trains this, for ${clock(Math.max(...runs.map(run => run.heartbeatAge ?? 0)))}. It may still be training.`;
    const title = last === null ? 'Begin anew' : `Resume from step ${count(last)}`;
    const runIds = runs.map(({ id }) => id);
    return h(
      'div',
      { class: 'note', role: 'group', label: isCrashed ? 'Crashed' : 'Silent' },
      h('p', { text }),
      h(
        'div',
        { class: 'buttons' },
        this.page.state.restricted === null
          ? button(
              title,
              false,
              () => void this.page.connection.request('run/continue', { runIds }).catch(() => {}),
            )
          : null,
        button(
          'Open run folder',
          true,
          () =>
            void this.page.connection
              .request('command/run', { command: 'openFolder', runId: runIds[0]! })
              .catch(() => {}),
        ),
      ),
    );
  }

  private restricted(why: string, untrusted: boolean): HTMLElement {
    return h(
      'div',
      { class: 'note calm', role: 'group', label: 'Training is off' },
      h('p', { text: why }),
      untrusted
        ? h(
            'div',
            { class: 'buttons' },
            button(
              'Manage workspace trust',
              true,
              () => void this.page.connection.request('command/run', { command: 'trust' }).catch(() => {}),
            ),
          )
        : null,
    );
  }

  private finding({ run, owner, label, finding }: Found): HTMLElement {
    const [icon, style] = SIGNS[finding.severity];
    const isNamed =
      label !== run.label || (this.page.state.runs.length > 1 && !finding.message.includes(label));
    const fixes = finding.fixes.slice(0, 2).map(fix =>
      h('button', {
        class: 'link',
        text: fix.title,
        title: 'Edits the experiment in its editor; you save and train',
        on: { click: () => this.fix(owner, fix) },
      }),
    );
    return line(icon, style, isNamed ? `${label}: ` : '', finding.message, fixes);
  }

  private fix(run: RunView, fix: Fix): void {
    void this.page.connection.request('finding/fix', { runId: run.id, fix }).catch(() => {});
  }
}

interface Found {
  /** as it is shown, and the member that told it first */
  run: RunView;
  owner: RunView;
  /** "RNN, 3 of 3 seeds" */
  label: string;
  finding: RunView['findings'][number];
}

/** The newest of each kind and run, seeds of one model together, errors first. */
export function findingsOf(runs: readonly RunView[]): Found[] {
  const order = { error: 0, warning: 1, info: 2 };
  return runs
    .flatMap(run => {
      const members = membersOf(run);
      const ids = new Set(members.flatMap(({ findings }) => findings.map(({ id }) => id)));
      return [...ids].flatMap((id): Found[] => {
        const with_ = members.filter(({ findings }) => findings.some(finding => finding.id === id));
        const [owner] = with_;
        const finding = owner?.findings.findLast(each => each.id === id);
        if (!owner || !finding) return [];
        const label =
          members.length > 1 ? `${run.label}, ${with_.length} of ${members.length} seeds` : run.label;
        return [{ run, owner, label, finding }];
      });
    })
    .sort((a, b) => order[a.finding.severity] - order[b.finding.severity] || b.finding.step - a.finding.step);
}

/** Two lines of text until it is opened, and below it what can be done. */
function line(icon: string, style: string, label: string, text: string, actions: HTMLElement[]): HTMLElement {
  const words = h('span', { class: 'words' }, label !== '' && h('b', { text: label }), text);
  const more = h('button', {
    class: 'link',
    text: 'more',
    hidden: true,
    attributes: { 'aria-expanded': 'false' },
    on: {
      click: () => {
        const isOpen = words.classList.toggle('open');
        more.textContent = isOpen ? 'less' : 'more';
        more.setAttribute('aria-expanded', String(isOpen));
      },
    },
  });
  // only what does not fit is opened
  new ResizeObserver(() => {
    if (!words.classList.contains('open')) more.hidden = words.scrollHeight <= words.clientHeight + 1;
  }).observe(words);
  const links = h('div', { class: 'links' });
  setDotted(
    links,
    'links',
    [more, ...actions].map(action => [action]),
  );
  return h(
    'div',
    { class: 'finding' },
    h('span', { class: `codicon codicon-${icon} ${style}`, attributes: { 'aria-hidden': 'true' } }),
    h('div', { class: 'grow' }, words, links),
  );
}

export function button(text: string, secondary: boolean, onClick: () => void): HTMLElement {
  const element = document.createElement('vscode-button');
  element.textContent = text;
  if (secondary) element.setAttribute('secondary', '');
  element.addEventListener('click', onClick);
  return element;
}
