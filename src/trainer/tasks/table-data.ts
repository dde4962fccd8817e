// Examples of a person's own arrays: named columns of a file brought to (steps, width), with what is to be said of them.
import { count, plural } from '../../experiment/words.ts';
import { BadRows } from '../data/bad-rows.ts';
import { csvRows } from '../data/csv.ts';
import { DataError } from '../data/errors.ts';
import { openReader, readerOf } from '../data/readers/index.ts';
import { type Cell, type FilePart, isArray, isTexts, isUnusable, type Rows } from '../data/readers/reader.ts';
import { columnPlace } from '../data/records.ts';
import { Column, type List, Records, Storage } from '../data/storage.ts';

export interface TableColumns {
  path: string;
  inputs: readonly string[];
  targets: readonly string[];
  predict: 'values' | 'classes';
  at: 'sequence' | 'step';
  onError: 'stop' | 'skip';
}

export interface Example {
  steps: number;
  /** (steps, input width) */
  inputs: Float64Array;
  /** (steps or 1, target width); of classes their names; null: they are not in the file */
  targets: Float64Array | string[] | null;
  line: number;
}

export interface Examples {
  examples: ExampleList;
  /** numbers a step of each input column, and of each target column */
  inputWidths: number[];
  targetWidths: number[];
  bad: BadRows;
}

/** Examples that stand in a storage: steps and classes as numbers, the rest made when they are read. */
export class ExampleList implements List<Example> {
  readonly steps: Column<Int32ArrayConstructor>;
  /** of classes, in the order in which the file has them */
  readonly classes: string[] = [];
  private readonly classOf = new Map<string, number>();
  private readonly inputs: Records<Float64ArrayConstructor>;
  private readonly targets: Records<Float64ArrayConstructor>;
  private readonly lines: Column<Int32ArrayConstructor>;
  private readonly has: 'values' | 'classes' | null;
  readonly storage: Storage;

  constructor(storage: Storage, has: 'values' | 'classes' | null) {
    this.storage = storage;
    this.has = has;
    this.steps = new Column(Int32Array, storage);
    this.inputs = new Records(Float64Array, storage);
    this.targets = new Records(Float64Array, storage);
    this.lines = new Column(Int32Array, storage);
  }

  get length(): number {
    return this.lines.length;
  }

  add({ steps, inputs, targets, line }: Example): void {
    this.steps.push(steps);
    this.inputs.add(inputs);
    this.lines.push(line);
    if (Array.isArray(targets)) this.targets.add(targets.map(name => this.idOf(name)));
    else if (targets) this.targets.add(targets);
  }

  at(place: number): Example {
    return this.example(place, this.inputs.at(place), this.has ? this.targets.at(place) : null);
  }

  *[Symbol.iterator](): Generator<Example> {
    const targets = this.targets[Symbol.iterator]();
    let place = 0;
    for (const inputs of this.inputs)
      yield this.example(place++, inputs, this.has ? targets.next().value! : null);
  }

  private example(place: number, inputs: Float64Array, targets: Float64Array | null): Example {
    return {
      steps: this.steps.get(place),
      inputs,
      targets: targets && this.has === 'classes' ? Array.from(targets, id => this.classes[id]!) : targets,
      line: this.lines.get(place),
    };
  }

  private idOf(name: string): number {
    const known = this.classOf.get(name);
    if (known !== undefined) return known;
    this.classOf.set(name, this.classes.length);
    return this.classes.push(name) - 1;
  }
}

/** `needsTargets` false: a file without them is read too. @throws DataError */
export async function readExamples(
  path: string,
  data: TableColumns,
  options: { part?: FilePart | undefined; needsTargets?: boolean; storage?: Storage | undefined } = {},
): Promise<Examples> {
  const { needsTargets = true, part, storage = new Storage() } = options;
  const bad = new BadRows(data.onError);
  const { columns, rows, unit } = await openRows(path, data.path, bad, part);
  const place = (column: string) => columnPlace(column, columns, data.path);
  const inputPlaces = data.inputs.map(place);
  const hasTargets = needsTargets || data.targets.every(name => columns.includes(name));
  const targetPlaces = hasTargets ? data.targets.map(place) : [];
  const examples = new ExampleList(storage, !hasTargets ? null : data.predict);
  let widths: { inputs: number[]; targets: number[] } | null = null;
  for await (const { cells, line } of rows) {
    try {
      const inputs = inputPlaces.map((at, index) => partOf(cells[at]!, data.inputs[index]!, 'step'));
      const steps = stepsOf(inputs, data.inputs);
      const targets =
        data.predict === 'classes' || !hasTargets
          ? []
          : targetPlaces.map((at, index) => partOf(cells[at]!, data.targets[index]!, data.at));
      const found = { inputs: inputs.map(({ width }) => width), targets: targets.map(({ width }) => width) };
      widths ??= found;
      sameWidths(data.inputs, widths.inputs, found.inputs);
      sameWidths(data.targets, widths.targets, found.targets);
      examples.add({
        steps,
        inputs: joined(inputs, steps),
        targets: !hasTargets
          ? null
          : data.predict === 'classes'
            ? classesOf(cells[targetPlaces[0]!]!, data, steps)
            : targetsOf(targets, data, steps),
        line,
      });
    } catch (cause) {
      if (!(cause instanceof DataError)) throw cause;
      bad.report(`${data.path}, ${unit} ${line}: ${cause.message}`);
    }
  }
  if (!widths)
    throw new DataError(`${data.path} holds no example${bad.count > 0 ? ' that can be used' : ''}.`);
  return { examples, inputWidths: widths.inputs, targetWidths: widths.targets, bad };
}

/** What `Number` reads beyond it, such as 0x1F, is no number of a table. */
const DECIMAL = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i;

/** A table between delimiters too: each of its cells is one number or text. */
export async function openRows(
  path: string,
  name: string,
  bad: BadRows,
  part: FilePart | undefined,
): Promise<Rows> {
  const reader = readerOf(path);
  if (reader) return openReader(reader, path, name, { bad, part });
  const { rows } = await csvRows(path, name, { bad, part });
  const header = (await rows.next()).value as { record: string[] };
  async function* cells() {
    for await (const { record, line } of rows)
      if (record.length === header.record.length)
        yield {
          cells: record.map(text => (DECIMAL.test(text) ? Number(text) : text)),
          line,
        };
      else
        bad.report(
          `${name}, line ${line}: it has ${plural(record.length, 'cell')}, the header has ${header.record.length}.`,
        );
  }
  return { columns: header.record, rows: cells(), unit: 'line' };
}

/** A column's numbers: (steps, width), or (1, width) for all steps. */
interface Part {
  steps: number;
  width: number;
  data: ArrayLike<number>;
  /** one number for all steps, whatever their number */
  isOne: boolean;
}

function partOf(cell: Cell, column: string, at: 'sequence' | 'step'): Part {
  if (isUnusable(cell)) throw new DataError(`"${column}" ${cell.fault}.`);
  if (isTexts(cell)) throw new DataError(`"${column}" holds a list of texts, and numbers are needed.`);
  if (typeof cell === 'string' || cell === null)
    throw new DataError(
      cell === null
        ? `"${column}" has no value.`
        : `"${column}" is ${JSON.stringify(cell.slice(0, 40))}, and numbers are needed.`,
    );
  if (!isArray(cell)) return { steps: 1, width: 1, data: [finite(Number(cell), column)], isOne: true };
  const { shape, data } = cell;
  for (const value of data) finite(value, column);
  if (data.length === 0) throw new DataError(`"${column}" is empty.`);
  if (at === 'sequence') return { steps: 1, width: data.length, data, isOne: true };
  const steps = shape[0]!;
  return { steps, width: data.length / steps, data, isOne: false };
}

function finite(value: number, column: string): number {
  if (Number.isFinite(value) && Math.abs(value) < 1e18) return value;
  throw new DataError(
    `"${column}" holds ${Number.isNaN(value) ? 'a value that is missing' : String(value)}, and numbers to compute with are needed.`,
  );
}

function stepsOf(parts: readonly Part[], columns: readonly string[]): number {
  const long = parts.filter(({ isOne }) => !isOne);
  const steps = long[0]?.steps ?? 1;
  const odd = parts.findIndex(part => !part.isOne && part.steps !== steps);
  if (odd >= 0)
    throw new DataError(
      `"${columns[odd]}" has ${plural(parts[odd]!.steps, 'step')}, "${columns[parts.indexOf(long[0]!)]}" has ${count(steps)}.`,
    );
  return steps;
}

function sameWidths(columns: readonly string[], first: readonly number[], own: readonly number[]): void {
  const odd = own.findIndex((width, at) => width !== first[at]);
  if (odd >= 0)
    throw new DataError(
      `"${columns[odd]}" has ${plural(own[odd]!, 'number')} a step, in the first row it has ${count(first[odd]!)}.`,
    );
}

/** Side by side: (steps, sum of the widths). */
function joined(parts: readonly Part[], steps: number): Float64Array {
  const width = parts.reduce((sum, part) => sum + part.width, 0);
  const made = new Float64Array(steps * width);
  let from = 0;
  for (const part of parts) {
    for (let step = 0; step < steps; step++)
      for (let at = 0; at < part.width; at++)
        made[step * width + from + at] = part.data[(part.isOne ? 0 : step * part.width) + at]!;
    from += part.width;
  }
  return made;
}

function targetsOf(parts: readonly Part[], { at, targets }: TableColumns, steps: number): Float64Array {
  if (at === 'sequence') return joined(parts, 1);
  const odd = parts.findIndex(part => !part.isOne && part.steps !== steps);
  if (odd >= 0)
    throw new DataError(
      `"${targets[odd]}" has ${plural(parts[odd]!.steps, 'step')}, and the inputs have ${count(steps)}.`,
    );
  return joined(parts, steps);
}

/** The class of a sequence, or of each of its steps: words of a text, or whole numbers. */
function classesOf(cell: Cell, { at, targets: [column] }: TableColumns, steps: number): string[] {
  if (isUnusable(cell)) throw new DataError(`"${column}" ${cell.fault}.`);
  if (cell === null || cell === '') throw new DataError(`"${column}" has no class.`);
  const all = isArray(cell)
    ? Array.from(cell.data, String)
    : isTexts(cell)
      ? [...cell]
      : String(cell)
          .trim()
          .split(at === 'step' ? /\s+/ : /(?!)/);
  const wanted = at === 'step' ? steps : 1;
  if (all.length === wanted) return all;
  throw new DataError(
    `"${column}" has ${plural(all.length, 'class', 'classes')}, ${at === 'step' ? `and the inputs have ${plural(steps, 'step')}` : 'and a sequence has one'}.`,
  );
}
