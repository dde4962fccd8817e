// One loss chart for each task and unit: what is measured differently is never drawn on one axis.
import { h } from '../dom.ts';
import type { Page, Section } from '../page.ts';
import { LossSection, unitOf } from './loss.ts';

export class LossesSection implements Section {
  readonly element = h('div', { class: 'losses' });
  private readonly page: Page;
  private readonly charts: LossSection[] = [];

  constructor(page: Page) {
    this.page = page;
  }

  render(): void {
    // a run that has not said its unit yet stands with the first
    const units = [...new Set(this.page.state.runs.map(unitOf))].filter(unit => unit !== '');
    const wanted = Math.max(1, units.length);
    while (this.charts.length < wanted)
      this.charts.push(
        new LossSection(this.page, `loss${this.charts.length > 0 ? `-${this.charts.length + 1}` : ''}`),
      );
    this.charts.length = wanted;
    const elements = this.charts.map(({ element }) => element);
    if (elements.length !== this.element.children.length) this.element.replaceChildren(...elements);
    for (const [index, chart] of this.charts.entries()) {
      chart.setUnit(units.length > 1 ? units[index]! : null);
      chart.element.setAttribute('aria-label', units.length > 1 ? `Loss, ${units[index]}` : 'Loss');
      chart.render();
    }
  }

  renderReading(): void {
    for (const chart of this.charts) chart.renderReading();
  }
}
