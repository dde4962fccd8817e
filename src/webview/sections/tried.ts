// What a trained run said of one input: its answer, probabilities, where it looked, and its states step by step.
import type { Tried, TriedStates } from '../../protocol/messages.ts';
import { drawStates, mostOf } from '../charts/states.ts';
import { dataTable, h } from '../dom.ts';
import { count } from '../format.ts';
import { picture } from './samples/decoded.ts';
import { answer as marked, mono, scrolling } from './samples/rows.ts';

/** Units whose values stand in the table behind the picture. */
const MOST_COLUMNS = 8;

export function tried(told: Tried): Node[] {
  const { input, answer, truth, likely, table, attention, states, notes } = told;
  return [
    h('div', { class: 'quiet srow', text: placeOf(told) }),
    h(
      'div',
      { class: 'mono sample' },
      h('b', { text: cut(input) }),
      told.of.startsWith('next') ? answer : '',
    ),
    ...(answer !== '' && !told.of.startsWith('next')
      ? [
          h(
            'p',
            { class: 'verdict' },
            'Answer: ',
            ...(truth === null ? [h('b', { text: answer })] : [marked(answer, truth)]),
            rightOr(answer, truth),
          ),
        ]
      : []),
    ...(likely.length > 0 ? [likelyTable(told)] : []),
    ...(table
      ? [
          scrolling(
            'Step by step',
            dataTable(
              'Answer step by step',
              table.columns,
              table.rows.map(row => row.map(cell => mono(visible(cell)))),
            ),
          ),
        ]
      : []),
    ...(attention
      ? [
          h('div', { class: 'quiet srow', text: 'where the decoder looks' }),
          picture({ source: input, prediction: answer }, attention, true),
        ]
      : []),
    ...(states.length > 0 ? [h('div', { class: 'quiet srow', text: 'states, step by step' })] : []),
    ...states.map((each, index) => statesPicture(each, index === 0)),
    ...notes.map(text => h('div', { class: 'quiet srow', text })),
  ];
}

/** What the data say, where they say it. */
function rightOr(answer: string, truth: string | null): string {
  if (truth === null) return '';
  return truth === answer ? ' (right)' : ` (truth: ${truth})`;
}

function placeOf({ row, rows, step, best }: Tried): string {
  const weights = `weights of step ${count(step)}${best ? ', the best' : ''}`;
  return row === null || rows === null ? weights : `row ${count(row)} of ${count(rows)} · ${weights}`;
}

function likelyTable({ likely, of }: Tried): HTMLElement {
  const rows = likely.map(({ label, probability }) => {
    const bar = h('i', { class: 'share', attributes: { 'aria-hidden': 'true' } });
    bar.style.width = `${Math.round(100 * probability)}px`;
    return [mono(visible(label)), h('span', {}, bar, ` ${(100 * probability).toFixed(1)} %`)];
  });
  const name = `Probabilities of the ${of}`;
  return scrolling(name, dataTable(name, [of, 'probability'], rows, 2));
}

function statesPicture(states: TriedStates, isOpen: boolean): HTMLElement {
  const { layer, title, steps, units, width } = states;
  const shown = units.length < width ? `the first ${units.length} of ${width} units` : `${width} units`;
  const name = `${title} (${layer})`;
  const canvas = h('canvas', {
    role: 'img',
    label: `States of ${name}: ${shown} over ${steps.length} steps, from −${mostOf(states).toPrecision(2)} to ${mostOf(states).toPrecision(2)}`,
  });
  const scroll = scrolling(`States of ${name}`, canvas);
  const numbers = h('details', { class: 'numbers' }, h('summary', { text: 'numbers' }));
  numbers.addEventListener('toggle', () => {
    if (numbers.open && numbers.children.length === 1) numbers.append(numbersOf(states, name));
  });
  const element = h(
    'details',
    { class: 'alignment' },
    h('summary', {}, `${name}: ${shown}, ±${mostOf(states).toPrecision(2)}`),
    scroll,
    numbers,
  );
  element.open = isOpen;
  const draw = () => {
    const place = scroll.clientWidth;
    if (place > 0) drawStates(canvas, states, place, getComputedStyle(element).color);
  };
  new ResizeObserver(draw).observe(scroll);
  return element;
}

function numbersOf({ steps, norms, units }: TriedStates, name: string): HTMLElement {
  const some = units.slice(0, MOST_COLUMNS);
  const rows = steps.map((step, t) => [
    mono(visible(step)),
    norms[t]!.toPrecision(3),
    ...some.map(row => row[t]!.toFixed(3)),
  ]);
  const head = ['step', '‖h‖', ...some.map((_, unit) => `unit ${unit + 1}`)];
  return scrolling(`Numbers of ${name}`, dataTable(`States of ${name} by step`, head, rows));
}

/** Blanks and line breaks can be seen. */
function visible(text: string): string {
  return text.replaceAll('\n', '⏎').replace(/^ +| +$/g, blanks => '␣'.repeat(blanks.length));
}

function cut(text: string): string {
  return text.length > 2000 ? `…${text.slice(-2000)}` : text;
}
