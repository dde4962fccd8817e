// Which of the compared runs is better and by how much, in one line; where the page is wide, its table of runs tells it.
import { type Child, h, setDotted } from '../dom.ts';
import { markerIcon, styleOf } from '../kinds.ts';
import type { Page } from '../page.ts';
import { membersOf } from '../seeds.ts';

/** More would be the table again. */
const MOST = 5;

export class BestLine {
  readonly element = h('p', { class: 'verdict' });
  private readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /** @param isComparable false: the runs measure different losses, or something else than the loss is shown */
  render(isComparable: boolean): void {
    const { state, ui, theme, isWide } = this.page;
    const { comparison } = state;
    const rows = ui.seeds === 'each' ? comparison.each : comparison.rows;
    const best = comparison.columns.findIndex(({ name }) => name === 'best');
    const told = rows
      .filter(({ isBaseline, difference }) => isBaseline || difference !== null)
      .sort((a, b) => Number(b.isBaseline) - Number(a.isBaseline) || differenceOf(a) - differenceOf(b))
      .slice(0, MOST);
    this.element.hidden = isWide || !isComparable || best < 0 || told.length < 2 || !told[0]!.isBaseline;
    if (this.element.hidden) return;
    const parts = told.flatMap(({ runs, label, isBaseline, cells, difference }): Child[][] => {
      const run = state.runs.find(each => membersOf(each).some(({ id }) => id === runs[0]));
      if (!run) return [];
      const { text = '', share = '', p = null } = difference ?? {};
      const figure = isBaseline ? cells[best]!.text : share || text;
      return [
        [
          isBaseline ? (comparison.baseline === null ? 'Best ' : 'Against ') : '',
          h(
            'span',
            { class: 'pair' },
            markerIcon(styleOf(run, theme)),
            ` ${label} `,
            h('b', { text: figure }),
          ),
          p === null ? '' : ` (p ${p})`,
        ],
      ];
    });
    const more = rows.length - told.length;
    if (more > 0) parts.push([`${more} more below`]);
    setDotted(this.element, JSON.stringify([told, comparison.baseline, more, theme.version]), parts);
  }
}

function differenceOf({ difference }: { difference: { value: number } | null }): number {
  return difference?.value ?? 0;
}
