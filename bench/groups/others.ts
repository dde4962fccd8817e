// Everybody once more on an LSTM: stock tfjs and Keras beside ours, with our slower engines.
import { nameOf, SHAPES } from '../cases.ts';
import { type Context, Crowd } from '../context.ts';
import { startKeras, startTfjs } from '../participants.ts';
import { type Section, show } from '../report.ts';
import type { OtherRow, Target } from '../results.ts';
import { measureCase, msOf } from '../rounds.ts';

interface OthersRow extends OtherRow {
  case: string;
  who: string;
  ms: number;
}

/** Stock tfjs takes seconds for a step of the larger ones. */
const MEASURED = [SHAPES[0]!, SHAPES[2]!];

export async function others(context: Context): Promise<Section> {
  const crowd = new Crowd();
  const ours = await crowd.addOurs(context, ['native', 'wasm', 'tfjs-node', 'reference']);
  crowd
    .addPytorch(['pytorch'], context.threads)
    .add('tfjs-cpu', startTfjs('cpu'))
    .add('tfjs-wasm', startTfjs('wasm'))
    .add('keras', startKeras(context.threads));
  const rows: OthersRow[] = [];
  for (const shape of MEASURED) {
    const asked = { cell: 'lstm', shape };
    const measured = await measureCase(asked, crowd.members, { ...context.pace, rounds: 3 }, crowd.refused);
    for (const [who, entry] of measured) {
      rows.push({ kind: 'others', case: nameOf(asked), who, ms: msOf(entry) });
      context.say(`${nameOf(asked)}: ${who} ${show(msOf(entry))} ms`);
    }
  }
  crowd.end();
  const times = (row: OthersRow, who: string) => {
    const own = rows.find(other => other.case === row.case && other.who === who);
    return own ? row.ms / own.ms : Number.NaN;
  };
  const stock = rows.filter(({ who }) => who.startsWith('tfjs-') && who !== 'tfjs-node');
  const wanted = { native: 100, wasm: 20 };
  const targets = ours.flatMap(({ name }): Target[] => {
    if (!(name in wanted) || stock.length === 0) return [];
    const lowest = stock.reduce((low, row) => (times(row, name) < times(low, name) ? row : low));
    const value = times(lowest, name);
    const target = wanted[name as keyof typeof wanted];
    return [
      {
        name: `${name}: lowest against stock tfjs (${lowest.who}, ${lowest.case})`,
        value,
        target,
        atLeast: true,
        unit: 'x',
      },
    ];
  });
  return {
    name: 'others',
    title: 'An LSTM everywhere',
    text: 'The same step in stock TensorFlow.js (its layers, on its cpu and wasm backends), Keras on TensorFlow (a compiled step), PyTorch, and our engines; “native is faster by” divides by the native engine’s time.',
    columns: ['case', 'who', 'ms', 'native is faster by', 'wasm is faster by'],
    cells: rows.map(row => [
      row.case,
      row.who,
      show(row.ms),
      `${show(times(row, 'native'))}x`,
      `${show(times(row, 'wasm'))}x`,
    ]),
    targets,
    skipped: crowd.skipped,
    data: rows,
  };
}
