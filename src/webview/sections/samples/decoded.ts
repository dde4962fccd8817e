// Sources with the target and what the decoder said; where it attends to the source, a picture of what it looked at, with
// its numbers behind; and how often it is right by length and wrong by place.
import type { Sample } from '../../../protocol/messages.ts';
import { drawAlignment } from '../../charts/alignment.ts';
import { dataTable, h } from '../../dom.ts';
import { answer, examples, mono, scrolling } from './rows.ts';

type Decoded = Extract<Sample, { type: 'decoded' }>;
type Row = Decoded['rows'][number];
type Aligned = NonNullable<Row['attention']>;

/** Pictures that can be opened; the first one is. */
const MAX_PICTURES = 8;

export function decoded({ rows, byLength = [], byPosition = [] }: Decoded): Node[] {
  // of unaligned labels, the steps at which each was said
  const isTimed = rows.some(({ alignment }) => alignment !== undefined);
  const table = examples(
    ['truth', 'prediction', ...(isTimed ? ['alignment'] : []), 'source'],
    rows,
    ({ source, truth, prediction, alignment = '' }) => [
      truth,
      answer(prediction, truth),
      ...(isTimed ? [mono(alignment)] : []),
      mono(source),
    ],
  );
  const pictures = rows
    .filter(row => row.attention)
    .slice(0, MAX_PICTURES)
    .map((row, index) => picture(row, row.attention!, index === 0));
  return [
    table,
    ...(pictures.length > 0 ? [h('div', { class: 'quiet srow', text: 'where the decoder looks' })] : []),
    ...pictures,
    ...counts(byLength, byPosition),
  ];
}

/** A picture of what the decoder looked at, with its numbers behind. */
export function picture(
  { source, prediction }: Pick<Row, 'source' | 'prediction'>,
  alignment: Aligned,
  isOpen: boolean,
): HTMLElement {
  const canvas = h('canvas', {
    role: 'img',
    label: `Alignment of ${prediction} with ${source}: ${alignment.target.length} rows of the answer, ${alignment.source.length} columns of the source`,
  });
  const scroll = scrolling(`Alignment of ${prediction}`, canvas);
  const numbers = h('details', { class: 'numbers' }, h('summary', { text: 'numbers' }));
  numbers.addEventListener('toggle', () => {
    if (numbers.open && numbers.children.length === 1) numbers.append(numbersOf(prediction, alignment));
  });
  const element = h(
    'details',
    { class: 'alignment' },
    h('summary', {}, mono(`${source} → ${prediction}`)),
    scroll,
    numbers,
  );
  element.open = isOpen;
  const draw = () => {
    const width = scroll.clientWidth;
    if (width > 0) drawAlignment(canvas, alignment, width, getComputedStyle(element).color);
  };
  // a width is known once it stands in the page, and changes with it
  new ResizeObserver(draw).observe(scroll);
  return element;
}

function numbersOf(prediction: string, { source, target, weights }: Aligned): HTMLElement {
  const rows = target.map((unit, t) => [unit, ...weights[t]!.map(weight => weight.toFixed(2))]);
  return scrolling(
    `Weights of ${prediction}`,
    dataTable(`Share of each source unit in each unit of ${prediction}`, ['answer', ...source], rows),
  );
}

function counts(
  byLength: NonNullable<Decoded['byLength']>,
  byPosition: NonNullable<Decoded['byPosition']>,
): Node[] {
  const share = (part: number, all: number) => `${Math.round((100 * part) / Math.max(1, all))} %`;
  const tables = [
    byLength.length > 0 &&
      dataTable(
        'Right by length of the source',
        ['source length', 'right', 'sequences'],
        byLength.map(({ length, right, sequences }) => [
          String(length),
          share(right, sequences),
          String(sequences),
        ]),
      ),
    byPosition.length > 0 &&
      dataTable(
        'Wrong by place in the target',
        ['place', 'wrong', 'symbols'],
        byPosition.map(({ position, wrong, symbols }) => [
          String(position),
          share(wrong, symbols),
          String(symbols),
        ]),
      ),
  ].filter(table => table !== false);
  if (tables.length === 0) return [];
  return [
    h(
      'details',
      {},
      h('summary', { text: 'right by source length, wrong by place' }),
      ...tables.map(table => scrolling(table.getAttribute('aria-label')!, table)),
    ),
  ];
}
