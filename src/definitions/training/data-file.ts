// The data file that code reads, and the columns it takes of it.
import { argument, type CodeReader, lineOf } from './reader.ts';
import type { Taken } from './taken.ts';

const READS =
  /read_csv|read_table|read_parquet|loadtxt|genfromtxt|open|Path|read_text|readFileSync|readFile|csv|get_file|TextLineDataset/;
const DATA = /\.(csv|tsv|txt|md|text|json|jsonl|ndjson|parquet|npy|npz|dat)$/i;

export function pathOf(code: CodeReader): Taken<string> | null {
  for (const call of code.calls(READS)) {
    const value = code.string(call.positional[0] ?? argument(call, 'filepath_or_buffer'));
    if (value !== null && DATA.test(value.replace(/[?#].*$/, '')))
      return { value: local(value), line: call.line };
  }
  return null;
}

/** `file://data.csv`, as TensorFlow.js wants it */
function local(path: string): string {
  return path.replace(/^file:\/\//, '').replaceAll('\\', '/');
}

const FEATURES =
  /(?:features?|FEATURES?|feature_cols|feature_columns|input_cols|INPUT_COLS|FEATURE_COLS|columns|COLUMNS|cols)/;
const TARGET = /(?:target|TARGET|target_col|TARGET_COL|target_column|label_col|y_col|targetColumn)/;

export function columnsOf(code: CodeReader): {
  features: Taken<string[]> | null;
  target: Taken<string> | null;
} {
  return {
    features: usedColumns(code) ?? code.texts(FEATURES) ?? selected(code),
    target: code.word(TARGET),
  };
}

/** `read_csv(…, usecols=[…])` */
function usedColumns(code: CodeReader): Taken<string[]> | null {
  for (const call of code.calls(/read_csv|read_table|read_parquet/)) {
    const value = code.strings(argument(call, 'usecols') ?? argument(call, 'columns'));
    if (value) return { value, line: call.line };
  }
  return null;
}

/** `frame[["a", "b"]]` */
function selected(code: CodeReader): Taken<string[]> | null {
  if (!code.isPython) return null;
  for (const { index } of code.text.matchAll(/\w\s*\[\[/g)) {
    const at = code.text.indexOf('[[', index);
    let node = code.root.descendantForIndex(at + 1, at + 2);
    while (node && node.type !== 'list') node = node.parent;
    const value = node && code.strings(code.expression(node));
    if (value) return { value, line: lineOf(node!) };
  }
  return null;
}
