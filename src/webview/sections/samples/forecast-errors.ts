// Errors of a forecast over several rows: by row ahead, and by the row that it starts from, against persistence.

import type { Sample } from '../../../protocol/messages.ts';
import { gappedLine, type Stroke } from '../../charts/gapped-line.ts';
import { haloText, horizontal, LayeredCanvas } from '../../charts/layered-canvas.ts';
import { dateTicks, linearScale, linearTicks, type Tick } from '../../charts/scales.ts';
import { dataTable, h } from '../../dom.ts';
import { fromJson, lossExact, short } from '../../format.ts';
import type { RunStyle } from '../../kinds.ts';
import type { Page } from '../../page.ts';
import { placesOf, placeText } from './places.ts';
import { scrolling } from './rows.ts';

type Series = Extract<Sample, { type: 'series' }>;
export type Column = Pick<
  Series,
  'target' | 'truth' | 'prediction' | 'persistence' | 'paths' | 'steps' | 'origins'
>;

interface Errors {
  name: string;
  head: string;
  places: readonly number[];
  isDate: boolean;
  words(at: number): string;
  rmse: readonly number[];
  persistence: readonly number[];
}

const HEIGHT = 96;
const LEFT = 44;
const KEY = 18;
const AXIS = 16;

export class ForecastErrors {
  readonly element = h('div', { class: 'errors' });
  private readonly charts = ['Error by row ahead', 'Error by origin'].map(name => {
    const chart = new LayeredCanvas(name);
    // its values are read in the table below
    chart.element.removeAttribute('tabindex');
    return chart;
  });
  private readonly numbers = h('details', { class: 'numbers' }, h('summary', { text: 'errors as numbers' }));

  constructor() {
    this.element.append(
      h('div', { class: 'pair' }, ...this.charts.map(({ element }) => element)),
      this.numbers,
    );
  }

  render(column: Column, page: Page, style: RunStyle, width: number): void {
    const all = errorsOf(column);
    const each = width >= 520 ? (width - 12) / all.length : width;
    all.forEach((errors, index) => {
      const chart = this.charts[index]!;
      chart.resize(each, HEIGHT);
      chart.label = `${errors.name} of ${column.target}, root mean square: ${spoken(errors)}`;
      draw(chart.drawBase(), errors, each, page, style);
    });
    this.numbers.replaceChildren(
      this.numbers.firstElementChild!,
      ...all.map(errors => {
        const name = `${errors.name} of ${column.target}`;
        const rows = errors.places.map((_, at) => [
          errors.words(at),
          lossExact(errors.rmse[at]!),
          lossExact(errors.persistence[at]!),
        ]);
        return scrolling(name, dataTable(name, [errors.head, 'prediction', 'persistence'], rows));
      }),
    );
  }
}

function errorsOf({ steps, origins }: Column): Errors[] {
  const all: Errors[] = [];
  if (steps)
    all.push({
      name: 'Error by row ahead',
      head: 'rows ahead',
      places: steps.rmse.map((_, at) => at + 1),
      isDate: false,
      words: at => String(at + 1),
      rmse: steps.rmse.map(fromJson),
      persistence: steps.persistence.map(fromJson),
    });
  if (origins)
    all.push({
      name: 'Error by origin',
      head: origins.dates ? 'origin' : 'row of origin',
      places: placesOf(origins),
      isDate: origins.dates !== undefined,
      words: at => placeText(origins, at),
      rmse: origins.rmse.map(fromJson),
      persistence: origins.persistence.map(fromJson),
    });
  return all;
}

function spoken({ rmse, words }: Errors): string {
  const last = rmse.length - 1;
  if (last < 0) return 'nothing';
  return `${lossExact(rmse[0]!)} at ${words(0)}, ${lossExact(rmse[last]!)} at ${words(last)}`;
}

function draw(
  context: CanvasRenderingContext2D,
  errors: Errors,
  width: number,
  { theme }: Page,
  style: RunStyle,
): void {
  const values = [...errors.rmse, ...errors.persistence].filter(Number.isFinite);
  const top = Math.max(...values, 0) * 1.06 || 1;
  const [first = 0, last = 1] = [errors.places[0], errors.places.at(-1)];
  const x = linearScale(first, last, LEFT, width - 8);
  const y = linearScale(0, top, HEIGHT - AXIS, KEY);
  context.font = `11px ${theme.font}`;
  context.textBaseline = 'middle';
  context.textAlign = 'right';
  context.lineWidth = 1;
  for (const tick of linearTicks(0, top, 3)) {
    context.strokeStyle = theme.grid;
    horizontal(context, LEFT, width - 2, y(tick));
    context.fillStyle = theme.quiet;
    context.fillText(Math.abs(tick) >= 10_000 ? short(tick) : String(tick), LEFT - 6, y(tick));
  }
  const wanted = Math.max(2, Math.floor((width - LEFT) / 80));
  const ticks: Tick[] = errors.isDate
    ? dateTicks(first, last, wanted)
    : linearTicks(first, last, Math.min(wanted, Math.max(1, last - first)))
        .filter(Number.isInteger)
        .map(value => ({ value, label: short(value) }));
  context.textAlign = 'center';
  context.fillStyle = theme.quiet;
  for (const { value, label } of ticks) {
    const half = context.measureText(label).width / 2;
    if (x(value) - half > LEFT - 8 && x(value) + half < width) context.fillText(label, x(value), HEIGHT - 7);
  }
  const { places } = errors;
  const line = (values: readonly number[], stroke: Stroke) =>
    gappedLine(
      context,
      places.length,
      at => (Number.isFinite(places[at]! + values[at]!) ? [x(places[at]!), y(values[at]!)] : null),
      stroke,
    );
  line(errors.persistence, { color: theme.quiet, width: 1, dash: [1, 3] });
  line(errors.rmse, { color: style.color, width: 2.25, dash: style.dash });
  context.textAlign = 'left';
  haloText(context, errors.name.toLowerCase(), LEFT + 6, 9, theme.quiet, theme.background);
}
