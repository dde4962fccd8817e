// What the terminal can show: colours, width, and numbers as people read them.
import process from 'node:process';

export interface Screen {
  /** of a picture: those of the terminal; elsewhere COLUMNS, or 80 */
  columns: number;
  /** of a text: those of the terminal; elsewhere no limit, since programs read whole lines */
  textColumns: number;
  /** 24-bit colours, 256 colours, or none */
  colours: 'true' | '256' | 'none';
}

const FEWEST_COLUMNS = 40;

/** stdout's, with NO_COLOR and pipes honoured. */
export function screenOf(stream: NodeJS.WriteStream = process.stdout): Screen {
  const { NO_COLOR, FORCE_COLOR, COLORTERM, TERM, COLUMNS } = process.env;
  const columns = Math.max(FEWEST_COLUMNS, (stream.isTTY ? stream.columns : Number(COLUMNS)) || 80);
  const textColumns = stream.isTTY ? columns : Infinity;
  const forced = FORCE_COLOR !== undefined && FORCE_COLOR !== '0' && FORCE_COLOR !== '';
  if (NO_COLOR || TERM === 'dumb' || (!stream.isTTY && !forced))
    return { columns, textColumns, colours: 'none' };
  const full =
    /truecolor|24bit/i.test(COLORTERM ?? '') || FORCE_COLOR === '3' || process.platform === 'win32';
  return { columns, textColumns, colours: full ? 'true' : '256' };
}

export type Rgb = readonly [red: number, green: number, blue: number];

export function foreground({ colours }: Screen, colour: Rgb, text: string): string {
  return colours === 'none' ? text : `\u001b[38;${code(colours, colour)}m${text}\u001b[39m`;
}

export function background({ colours }: Screen, colour: Rgb, text: string): string {
  return colours === 'none' ? text : `\u001b[48;${code(colours, colour)}m${text}\u001b[49m`;
}

function code(colours: 'true' | '256', [red, green, blue]: Rgb): string {
  if (colours === 'true') return `2;${red};${green};${blue}`;
  const level = (value: number) => Math.round((value / 255) * 5);
  return `5;${16 + 36 * level(red) + 6 * level(green) + level(blue)}`;
}

export function bold({ colours }: Screen, text: string): string {
  return colours === 'none' ? text : `\u001b[1m${text}\u001b[22m`;
}

export function dim({ colours }: Screen, text: string): string {
  return colours === 'none' ? text : `\u001b[2m${text}\u001b[22m`;
}

/** Text of a run folder may hold anything: escape sequences and, mostly, line breaks must not reach the terminal. */
export function plain(text: string, keepLines = false): string {
  return [...text].map(character => (isSafe(character, keepLines) ? character : '\ufffd')).join('');
}

/** No control characters, no line separators, and nothing that turns the direction of the text. */
function isSafe(character: string, keepLines: boolean): boolean {
  if (keepLines && (character === '\n' || character === '\t')) return true;
  return !/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u.test(character);
}

/** 1.2345 → "1.2345", 0.000012 → "1.2e-5", NaN → "NaN". */
export function figure(value: number | null | undefined, digits = 4): string {
  if (value === null || value === undefined) return '–';
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(1).replace('e+', 'e');
  if (size >= 1000) return Math.round(value).toLocaleString('en-US');
  const text = value.toFixed(size >= 100 ? Math.max(0, digits - 3) : digits);
  return text.includes('.') ? text.replace(/0+$/, '').replace(/\.$/, '') : text;
}

/** 83.4 s → "1:23", 4000 s → "1:06:40". */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return '–';
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value: number) => String(value).padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** Parts side by side, as many on a line as fit; the lines that follow are indented. A wider part stays whole. */
export function sideBySide(parts: readonly string[], gap: string, columns: number, indent = 0): string {
  const lines: string[] = [];
  let width = 0;
  for (const part of parts) {
    const wider = width + gap.length + displayWidth(part);
    if (lines.length > 0 && wider <= columns) {
      lines[lines.length - 1] += gap + part;
      width = wider;
    } else {
      const start = lines.length > 0 ? indent : 0;
      lines.push(' '.repeat(start) + part);
      width = start + displayWidth(part);
    }
  }
  return lines.join('\n');
}

/** A text broken at its spaces, where there is need. A wider word, such as a path, stays whole. */
export function wrap(text: string, columns: number, indent = 0): string {
  return text
    .split('\n')
    .map(line => (displayWidth(line) > columns ? sideBySide(line.split(' '), ' ', columns, indent) : line))
    .join('\n');
}

/**
 * A command to be copied, given as the parts between which it may go on below: there a line ends in the backslash of a
 * shell. On Windows, whose shells have other signs for it, it stays whole.
 */
export function shellCommand(parts: readonly string[], columns: number, indent: number): string {
  const whole = ' '.repeat(indent) + parts.join(' ');
  if (displayWidth(whole) <= columns || process.platform === 'win32') return whole;
  const [first, ...others] = parts;
  const ending = ' \\';
  return sideBySide([' '.repeat(indent) + first, ...others], ' ', columns - ending.length, indent + 2)
    .split('\n')
    .join(`${ending}\n`);
}

const GAP = '  ';

/**
 * Columns as wide as their widest cell: `align` has an l, an r or a d (numbers, by their decimal point) for each, its
 * last letter for all that follow. What is wider than `columns` goes on below, with the first column again.
 */
export function table(rows: string[][], align: string, columns = Infinity): string {
  const kindOf = (column: number) => align[Math.min(column, align.length - 1)]!;
  const aligned = rows[0]!.map((_, column) => alignedColumn(rows, column, kindOf(column)));
  const widths = aligned.map(([head]) => displayWidth(head!));
  const parts: number[][] = [[0]];
  let width = widths[0]!;
  for (let column = 1; column < widths.length; column++) {
    const wider = width + GAP.length + widths[column]!;
    const fits = wider <= columns || parts.at(-1)!.length === 1;
    if (fits) parts.at(-1)!.push(column);
    else parts.push([0, column]);
    width = fits ? wider : widths[0]! + GAP.length + widths[column]!;
  }
  return parts
    .map(part =>
      rows
        .map((_, row) =>
          part
            .map(column => aligned[column]![row])
            .join(GAP)
            .trimEnd(),
        )
        .join('\n'),
    )
    .join('\n\n');
}

function alignedColumn(rows: readonly string[][], column: number, kind: string): string[] {
  const cells = rows.map(row => row[column] ?? '');
  const tails = cells.map(cell => (kind === 'd' ? (/\d(\.[\de-]+)/.exec(cell)?.[1]?.length ?? 0) : 0));
  const longest = Math.max(...tails);
  // a heading and a dash have no decimal point to stand under
  const padded = cells.map((cell, row) =>
    kind === 'd' && /\d/.test(cell) ? cell + ' '.repeat(longest - tails[row]!) : cell,
  );
  const width = Math.max(...padded.map(displayWidth));
  return padded.map(cell => {
    const gap = ' '.repeat(width - displayWidth(cell));
    return kind === 'l' ? cell + gap : gap + cell;
  });
}

/** Columns that a text takes, without its colours; wide scripts take two. */
export function displayWidth(text: string): number {
  let width = 0;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what is meant
  for (const character of text.replace(/\u001b\[[0-9;]*m/g, '')) {
    width +=
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u.test(
        character,
      ) || character.codePointAt(0)! >= 0x1f300
        ? 2
        : 1;
  }
  return width;
}
