// All runs of the comparison as a table: sorted, hidden, shown alone, and compared with the best or with a pinned one. What
// does not fit is left out by rank.
import type { ComparisonRow, PageCommand, RunView } from '../../protocol/messages.ts';
import { h, iconButton, setDotted } from '../dom.ts';
import { markerIcon, styleOf } from '../kinds.ts';
import type { Page, Section } from '../page.ts';
import { GESTURES, withGestures } from '../run-names.ts';
import { membersOf } from '../seeds.ts';
import { unitOf } from './loss.ts';
import { isBroken, statesText, stateText } from './states.ts';

interface Shown {
  row: ComparisonRow;
  run: RunView;
  cells: ReadonlyMap<string, { text: string; value: number | string | null }>;
}

interface Column {
  name: string;
  title: string;
  hint?: string;
  /** never left out */
  stays?: boolean;
}

export class RunsSection implements Section {
  readonly element: HTMLElement;
  private readonly page: Page;
  private readonly copy: HTMLButtonElement;
  private readonly save: HTMLButtonElement;
  private readonly body = h('div', { class: 'scroll' });
  private readonly effects = h('div', { class: 'effects' });
  private drawn = '';
  /** a button that is pressed is not replaced before it is released */
  private isPressed = false;

  constructor(page: Page) {
    this.page = page;
    this.copy = iconButton('copy', 'Copy the comparison as Markdown', () => this.command('copyComparison'));
    this.save = iconButton('save', 'Save the comparison as CSV', () => this.command('saveComparison'));
    this.body.addEventListener('pointerdown', () => {
      this.isPressed = true;
    });
    for (const end of ['pointerup', 'pointercancel'])
      window.addEventListener(end, () => {
        this.isPressed = false;
      });
    this.element = h(
      'section',
      { id: 'runs', label: 'Runs' },
      h('div', { class: 'row' }, h('h2', { class: 'grow', text: 'Runs' }), this.copy, this.save),
      this.body,
      this.effects,
    );
  }

  render(): void {
    const { state, theme, isWide, ui } = this.page;
    // a lone run says the same in the other sections
    this.element.hidden = state.runs.length < 2 && !isWide;
    if (this.element.hidden) return;
    this.copy.hidden = this.save.hidden = state.runs.length < 2;
    const { columns, rows } = this.table();
    const key = JSON.stringify([
      this.body.clientWidth,
      columns,
      rows.map(({ row, run, cells }) => [row.runs, run.label, [...cells], this.page.isHidden(run)]),
      state.comparison.baseline,
      state.comparison.effects,
      state.runs.map(unitOf),
      ui.sort,
      theme.version,
    ]);
    if (key === this.drawn || this.isPressed) return;
    this.drawn = key;
    this.draw(columns, rows);
    this.renderEffects();
  }

  private command(command: PageCommand): void {
    void this.page.connection.request('command/run', { command }).catch(() => {});
  }

  private table(): { columns: Column[]; rows: Shown[] } {
    const { comparison, runs } = this.page.state;
    const list = this.page.ui.seeds === 'each' ? comparison.each : comparison.rows;
    const pinned = list.find(({ isBaseline }) => isBaseline && comparison.baseline !== null);
    const against: Column = {
      name: 'difference',
      title: pinned ? `to ${pinned.label}` : 'to best',
      hint: 'Difference of the best loss; p: exact paired test over the seeds',
      stays: true,
    };
    const columns: Column[] = [
      { name: 'state', title: 'state' },
      ...comparison.columns.flatMap((column): Column[] =>
        column.name === 'best' ? [{ ...column, stays: true }, against] : [column],
      ),
    ];
    const rows = list.flatMap((row): Shown[] => {
      const run = runs.find(each => membersOf(each).some(({ id }) => id === row.runs[0]));
      if (!run) return [];
      const members = membersOf(run);
      const states = members.length > 1 ? statesText(members).toLowerCase() : stateText(run);
      const cells = new Map<string, { text: string; value: number | string | null }>([
        ['run', { text: run.label, value: run.label }],
        ['state', { text: states, value: states }],
        ...comparison.columns.map(
          ({ name }, index) => [name, row.cells[index]!] satisfies [string, ComparisonRow['cells'][number]],
        ),
        ['difference', differenceCell(row, comparison.baseline !== null, list.length > 1, this.page.isWide)],
      ]);
      return [{ row, run, cells }];
    });
    const used = columns.filter(({ name }) => rows.some(({ cells }) => cells.get(name)?.text));
    return { columns: used, rows: sorted(rows, this.page.ui.sort) };
  }

  private draw(columns: readonly Column[], rows: readonly Shown[]): void {
    const focused = (document.activeElement as HTMLElement | null)?.dataset['key'];
    const kept = [...columns];
    this.body.classList.remove('tight');
    for (;;) {
      this.body.replaceChildren(this.tableOf(kept, rows));
      if (this.body.scrollWidth <= this.body.clientWidth) break;
      const last = kept.findLastIndex(({ stays }) => !stays);
      if (last < 0) {
        this.body.classList.add('tight');
        break;
      }
      kept.splice(last, 1);
    }
    // scrolled by keyboard where it is wider than its column
    const { body } = this;
    if (body.scrollWidth > body.clientWidth || body.scrollHeight > body.clientHeight) body.tabIndex = 0;
    else body.removeAttribute('tabindex');
    if (focused) body.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  private tableOf(columns: readonly Column[], rows: readonly Shown[]): HTMLTableElement {
    const { sort } = this.page.ui;
    const isSeveral = rows.length > 1;
    const head = ({ name, title, hint }: Column, isText: boolean) => {
      const direction = sort?.by === name ? (sort.down ? 'descending' : 'ascending') : 'none';
      const button = h('button', {
        class: 'sort',
        text: `${title}${direction === 'none' ? '' : direction === 'ascending' ? ' ↑' : ' ↓'}`,
        title: hint ?? `Sort by ${title}`,
        on: { click: () => this.sortBy(name) },
      });
      button.dataset['key'] = `sort ${name}`;
      return h(
        'th',
        {
          class: isText ? '' : 'num',
          attributes: { scope: 'col', ...(isSeveral && { 'aria-sort': direction }) },
        },
        isSeveral ? button : title,
      );
    };
    return h(
      'table',
      { label: 'Runs' },
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          head({ name: 'run', title: 'run' }, true),
          ...columns.map(column => head(column, column.name === 'state')),
          isSeveral && h('th', { attributes: { scope: 'col' } }, h('span', { class: 'sr', text: 'actions' })),
        ),
      ),
      h('tbody', {}, ...rows.map(shown => this.row(shown, columns, isSeveral))),
    );
  }

  private row({ row, run, cells }: Shown, columns: readonly Column[], isSeveral: boolean): HTMLElement {
    const { theme, state } = this.page;
    const isHidden = this.page.isHidden(run);
    const name = h(
      'button',
      {
        class: 'name',
        title: `${run.label}: click chooses it. ${GESTURES}`,
        on: { click: () => this.page.setUi({ run: run.id }) },
      },
      markerIcon(styleOf(run, theme)),
      h('span', { text: run.label }),
    );
    name.dataset['key'] = `name ${run.id}`;
    const act = (icon: string, label: string, what: () => void, pressed: boolean) => {
      const button = iconButton(icon, label, what, pressed);
      button.dataset['key'] = `${icon.split('-')[0]} ${run.id}`;
      return button;
    };
    const isPinned = row.isBaseline && state.comparison.baseline !== null;
    return h(
      'tr',
      { class: isHidden ? 'off' : '' },
      h(
        'td',
        {},
        withGestures(this.page, () => run, name),
      ),
      ...columns.map(({ name: column }) => {
        const { text } = cells.get(column)!;
        if (column === 'state') return h('td', {}, isBroken(run) && errorSign(), text);
        return h('td', { class: 'num' }, column === 'best' ? h('b', { text }) : text);
      }),
      isSeveral &&
        h(
          'td',
          { class: 'acts' },
          act(
            'pin',
            isPinned
              ? `Compare with the best again, not with ${run.label}`
              : `Compare the others with ${run.label}`,
            () => this.pin(isPinned ? null : run.id),
            isPinned,
          ),
          act(
            isHidden ? 'eye-closed' : 'eye',
            `${isHidden ? 'Show' : 'Hide'} ${run.label}`,
            () => this.page.toggle(run),
            isHidden,
          ),
        ),
    );
  }

  private pin(runId: string | null): void {
    void this.page.connection.request('comparison/pin', { runId }).catch(() => {});
  }

  private sortBy(by: string): void {
    const { sort } = this.page.ui;
    // up, down, and as the experiment has them
    if (sort?.by !== by) this.page.setUi({ sort: { by, down: false } });
    else this.page.setUi({ sort: sort.down ? null : { by, down: true } });
  }

  private renderEffects(): void {
    const { effects } = this.page.state.comparison;
    const isComparable = new Set(this.page.state.runs.map(unitOf)).size < 2;
    this.effects.replaceChildren(
      ...(isComparable
        ? []
        : [
            h('p', {
              class: 'quiet',
              text: 'These runs measure different losses: there are no differences between them.',
            }),
          ]),
      ...(effects.length > 0 ? [h('p', { class: 'quiet', text: 'Own effect on the best loss' })] : []),
      ...effects.map(({ levels }) => {
        const line = h('p');
        setDotted(
          line,
          'effects',
          levels.map(({ value, effect, mean, runs }) => [
            h(
              'span',
              { class: 'pair', title: `mean ${mean} of ${runs} runs` },
              `${value} `,
              h('b', { text: effect }),
            ),
          ]),
        );
        return line;
      }),
    );
  }
}

/** p stands beside a difference that seeds were compared for. */
function differenceCell(row: ComparisonRow, isPinned: boolean, isSeveral: boolean, isWide: boolean) {
  if (!isSeveral) return { text: '', value: null };
  if (row.isBaseline) return { text: isPinned ? 'baseline' : 'best', value: 0 };
  if (!row.difference) return { text: '', value: null };
  const { text, share, value, p } = row.difference;
  const parts = [isWide && share !== '' ? `${text} (${share})` : text, p === null ? '' : `p ${p}`];
  return { text: parts.filter(Boolean).join(', '), value };
}

function sorted(rows: readonly Shown[], sort: Page['ui']['sort']): Shown[] {
  if (!sort) return [...rows];
  const sortValue = ({ cells }: Shown) => cells.get(sort.by)?.value ?? null;
  return [...rows].sort((a, b) => {
    const [x, y] = [sortValue(a), sortValue(b)];
    // what has no value stands last, whichever way
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    const order = typeof x === 'string' ? x.localeCompare(String(y)) : x - Number(y);
    return sort.down ? -order : order;
  });
}

/** A sign rather than coloured words: the themes' error colour is too faint for small text. */
function errorSign(): HTMLElement {
  return h('span', { class: 'codicon codicon-error err sign', attributes: { 'aria-hidden': 'true' } });
}
