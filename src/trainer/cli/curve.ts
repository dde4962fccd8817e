// Curves in a terminal: braille dots, two across and four down a character, every spike kept.
import { foreground, type Rgb, type Screen } from './terminal.ts';

export interface PlotLine {
  name: string;
  colour: Rgb;
  steps: ArrayLike<number>;
  /** of each row the least, the greatest; NaN rows leave a gap */
  min: ArrayLike<number>;
  max: ArrayLike<number>;
  /** join the points: for rows that stand far apart */
  joined?: boolean;
}

export interface PlotOptions {
  /** characters of the whole picture, axis included */
  width: number;
  height: number;
  logarithmic: boolean;
  format(value: number): string;
}

const AXIS = 9;
/** Of all lines but the first where there are no colours. */
export const MARK = '•';
/** Bits of a braille character by dot: [row][column]. */
const DOTS = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const;

export function plotLines(lines: readonly PlotLine[], options: PlotOptions, screen: Screen): string[] {
  const width = Math.max(10, options.width - AXIS - 1);
  const { height } = options;
  const range = valueRange(lines, options.logarithmic);
  const steps = stepRange(lines);
  if (!range || !steps) return ['  (no finite values yet)'];
  const scale = options.logarithmic ? Math.log10 : (value: number) => value;
  const [low, high] = [scale(range[0]), scale(range[1])];
  const dots = height * 4;
  const toRow = (value: number) => {
    const share = high > low ? (scale(value) - low) / (high - low) : 0.5;
    return Math.min(dots - 1, Math.max(0, Math.round((1 - share) * (dots - 1))));
  };
  const toColumn = (step: number) =>
    Math.round(((step - steps[0]) / Math.max(1, steps[1] - steps[0])) * (width * 2 - 1));
  const cells = new Uint8Array(width * height);
  const owners = new Int16Array(width * height).fill(-1);
  const set = (column: number, row: number, owner: number) => {
    const cell = (row >> 2) * width + (column >> 1);
    cells[cell]! |= DOTS[row & 3]![(column & 1) as 0 | 1];
    owners[cell] = owner;
  };
  lines.forEach((line, owner) => {
    draw(line, { toRow, toColumn, logarithmic: options.logarithmic }, (column, row) =>
      set(column, row, owner),
    );
  });
  return assemble({ cells, owners, width, height, range, steps, lines, options, screen });
}

interface Scales {
  toRow(value: number): number;
  toColumn(step: number): number;
  logarithmic: boolean;
}

function draw(
  line: PlotLine,
  { toRow, toColumn, logarithmic }: Scales,
  dot: (column: number, row: number) => void,
): void {
  const shown = (value: number) => Number.isFinite(value) && (!logarithmic || value > 0);
  let previous: { column: number; row: number } | null = null;
  for (let i = 0; i < line.steps.length; i++) {
    if (!shown(line.min[i]!) || !shown(line.max[i]!)) {
      previous = null;
      continue;
    }
    const column = toColumn(line.steps[i]!);
    const [top, bottom] = [toRow(line.max[i]!), toRow(line.min[i]!)];
    for (let row = top; row <= bottom; row++) dot(column, row);
    const here = { column, row: Math.round((top + bottom) / 2) };
    if (line.joined && previous) connect(previous, here, dot);
    previous = here;
  }
}

function connect(
  a: { column: number; row: number },
  b: typeof a,
  dot: (column: number, row: number) => void,
): void {
  const length = Math.max(Math.abs(b.column - a.column), Math.abs(b.row - a.row));
  for (let i = 1; i < length; i++) {
    const share = i / length;
    dot(Math.round(a.column + (b.column - a.column) * share), Math.round(a.row + (b.row - a.row) * share));
  }
}

interface Canvas {
  cells: Uint8Array;
  owners: Int16Array;
  width: number;
  height: number;
  range: [number, number];
  steps: [number, number];
  lines: readonly PlotLine[];
  options: PlotOptions;
  screen: Screen;
}

function assemble({ cells, owners, width, height, range, steps, lines, options, screen }: Canvas): string[] {
  const rows: string[] = [];
  for (let row = 0; row < height; row++) {
    const text = rowText(row, { cells, owners, width, lines, screen });
    const label = row === 0 ? options.format(range[1]) : row === height - 1 ? options.format(range[0]) : '';
    rows.push(`${label.padStart(AXIS - 1)} ┤${text}`.trimEnd());
  }
  const [from, to] = [String(steps[0]), `step ${steps[1]}`];
  rows.push(' '.repeat(AXIS + 1) + from + to.padStart(Math.max(to.length + 1, width - from.length)));
  return rows;
}

/** Neighbours of one colour share its escape sequence; without colours the lines differ by their marks. */
function rowText(
  row: number,
  { cells, owners, width, lines, screen }: Pick<Canvas, 'cells' | 'owners' | 'width' | 'lines' | 'screen'>,
): string {
  let text = '';
  let run = '';
  let owner = -1;
  const flush = () => {
    text += owner < 0 ? run : foreground(screen, lines[owner]!.colour, run);
    run = '';
  };
  for (let column = 0; column < width; column++) {
    const cell = row * width + column;
    if (owners[cell]! !== owner) flush();
    owner = owners[cell]!;
    run +=
      owner < 0
        ? ' '
        : owner > 0 && screen.colours === 'none'
          ? MARK
          : String.fromCodePoint(0x2800 + cells[cell]!);
  }
  flush();
  return text;
}

function valueRange(lines: readonly PlotLine[], logarithmic: boolean): [number, number] | null {
  let low = Infinity;
  let high = -Infinity;
  for (const { min, max } of lines) {
    for (let i = 0; i < min.length; i++) {
      const usable = Number.isFinite(min[i]!) && Number.isFinite(max[i]!) && (!logarithmic || min[i]! > 0);
      if (!usable) continue;
      low = Math.min(low, min[i]!);
      high = Math.max(high, max[i]!);
    }
  }
  return low <= high ? [low, high] : null;
}

function stepRange(lines: readonly PlotLine[]): [number, number] | null {
  const filled = lines.filter(({ steps }) => steps.length > 0);
  if (filled.length === 0) return null;
  return [
    Math.min(...filled.map(({ steps }) => steps[0]!)),
    Math.max(...filled.map(({ steps }) => steps[steps.length - 1]!)),
  ];
}
