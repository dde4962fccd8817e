// The number format of a column: decimal sign and thousands separators, decided from all of its cells. Currency and
// percent signs are left off, where a whole column agrees on them.
import { count } from '../../experiment/words.ts';
import { DataError } from './errors.ts';
import { PlaceholderWatch } from './placeholder.ts';
import { Column, type Storage } from './storage.ts';

/** How 1234.5 is written, as `data.numbers` sets it. */
export type NumberFormat = '1234.5' | '1,234.5' | '1 234.5' | "1'234.5" | '1234,5' | '1.234,5' | '1 234,5';

/** The two readings of a cell; equal where no separator decides, NaN where a reading does not fit. */
interface Cell {
  point: number;
  comma: number;
  /** one separator with three digits behind it: 1.05 or 1050 */
  isAmbiguous: boolean;
  percent: boolean;
  currency: string;
  /** its digits or signs are not ASCII's */
  isOtherScript?: boolean;
}

export interface ColumnFacts {
  values: Column<Float64ArrayConstructor>;
  /** empty cells and words such as NA */
  missing: number;
  /** cells that are neither empty nor a number, with the line of the first ones */
  strange: { count: number; first: { cell: string; line: number }[] };
  format: NumberFormat;
  /** how the column was read, where that is not plain */
  notes: string[];
}

/** Empty cells and the words that R, pandas, Excel and databases write for them. */
const MISSING =
  /^(|na|n\/a|#n\/a|#n\/a n\/a|#na|<na>|n\.a\.|[-+]?nan|nat|-?1\.#(?:ind|qnan)|null|\(null\)|#null!|\\n|none|nil|missing|-+|–|—|\?|\.+)$/i;
const INFINITE = /^[-+]?(inf|infinity|∞|1\.#inf)$/i;
const CURRENCIES = [
  '(?:US|R|A|C|CA|AU|NZ|HK|S|NT|MX)?\\$|[€£¥₹₽₩₺₫฿₴₦₱₪]',
  'USD|EUR|GBP|CHF|JPY|CNY|INR|SEK|NOK|DKK|PLN|CZK|BRL|CAD|AUD|NZD|HUF|RON|TRY|ZAR|MXN|KRW',
  'zł|kr\\.?|Kč|Ft|Fr\\.?|Rs\\.?',
].join('|');
const CURRENCY = new RegExp(`^(?:(${CURRENCIES})\\s?)?(.*?)(?:\\s?(${CURRENCIES}))?$`, 'ius');
/** "20.-", "20,--": no cents, as prices are written in German. */
const NO_CENTS = /(\d)[.,][-–—]+(?=\D*$)/;

const SPACES = ' \\u00a0\\u2007\\u2009\\u202f';
const QUOTES = "'’ʼ´`";
const SPACE = `[${SPACES}]`;
const QUOTE = `[${QUOTES}]`;
const GROUPING = new RegExp(`[${SPACES}${QUOTES}]`, 'g');
const groups = (...marks: string[]) => marks.map(mark => `[1-9]\\d{0,2}(?:${mark}\\d{3})+`);
const GROUPED = new RegExp(`\\d[${SPACES}${QUOTES}]\\d`);
const INDIAN = '[1-9]\\d?(?:,\\d{2})+,\\d{3}';
const EXPONENT = '(?:e[-+]?\\d+)?';
const whole = (integer: string[], mark: string) =>
  new RegExp(`^(?:(?:${['\\d+', ...integer].join('|')})(?:${mark}\\d*)?|${mark}\\d+)${EXPONENT}$`, 'i');
const POINT = whole([...groups(',', SPACE, QUOTE), INDIAN], '\\.');
const COMMA = whole(groups('\\.', SPACE, QUOTE), ',');
const AMBIGUOUS = /^[1-9]\d{0,2}[.,]\d{3}$/;
const PLAIN = /^[-+]?\d+$/;

/** What a set format allows. */
const SET: Readonly<Record<NumberFormat, RegExp>> = {
  '1234.5': whole([], '\\.'),
  '1,234.5': whole([...groups(','), INDIAN], '\\.'),
  '1 234.5': whole(groups(SPACE), '\\.'),
  "1'234.5": whole(groups(QUOTE), '\\.'),
  '1234,5': whole([], ','),
  '1.234,5': whole(groups('\\.'), ','),
  '1 234,5': whole(groups(SPACE), ','),
};

const usesComma = (format: NumberFormat) => format.endsWith(',5');
const pointValue = (text: string) => Number(text.replace(GROUPING, '').replaceAll(',', ''));
const commaValue = (text: string) => Number(text.replace(GROUPING, '').replaceAll('.', '').replace(',', '.'));

/** null: no number. Infinities are numbers here, so that they can be refused by their own sentence. */
export function readCell(text: string, set: NumberFormat | null = null): Cell | null {
  if (PLAIN.test(text)) {
    const value = Number(text);
    return { point: value, comma: value, isAmbiguous: false, percent: false, currency: '' };
  }
  const { plain, isPoint, isOtherScript } = asciiOf(text);
  if (plain !== text && PLAIN.test(plain)) return { ...readCell(plain, set)!, isOtherScript };
  if (INFINITE.test(text))
    return {
      point: Number.POSITIVE_INFINITY,
      comma: Number.POSITIVE_INFINITY,
      isAmbiguous: false,
      percent: false,
      currency: '',
    };
  if (!/\d/.test(plain)) return null;
  let body = plain
    .replace(/^[−–﹣](?=.*\d)/, '-')
    .replace(/(?<=\de)−(?=\d)/i, '-')
    .replace(NO_CENTS, '$1');
  let sign = 1;
  // "(1.50)", and with a sign of percent or currency outside: "$(1.50)", "(5)%"
  const accounting = /^([^\d()+-]*)\(([^()]*)\)([^\d()]*)$/.exec(body);
  if (accounting) {
    sign = -1;
    body = `${accounting[1]}${accounting[2]!.trim()}${accounting[3]}`;
  }
  const signed =
    /^([-+])\s?(.*)$/.exec(body) ??
    (/^(?!.*e[-+]?$)(.*\d.*)(-)$/i.test(body) ? [body, '-', body.slice(0, -1)] : null);
  if (signed && !accounting) {
    sign = signed[1] === '-' ? -1 : 1;
    body = signed[2]!;
  }
  const percent = /\s?%$/.test(body);
  if (percent) body = body.replace(/\s?%$/, '');
  let currency = '';
  if (!/^[\d.]/.test(body) || !/\d$/.test(body)) {
    const [, before, amount, after] = CURRENCY.exec(body)!;
    if (before && after) return null;
    currency = (before ?? after ?? '').replace('.', '').toUpperCase();
    body = amount!.trim();
    if (sign === 1 && body.startsWith('-')) {
      sign = -1;
      body = body.slice(1);
    }
  }
  if (!/\d/.test(body)) return null;
  const fits = set ? SET[set].test(body) : null;
  const point = (fits === null ? POINT.test(body) : fits && !usesComma(set!))
    ? sign * pointValue(body)
    : Number.NaN;
  const comma = (fits === null ? !isPoint && COMMA.test(body) : fits && usesComma(set!))
    ? sign * commaValue(body)
    : Number.NaN;
  if (Number.isNaN(point) && Number.isNaN(comma)) return null;
  return {
    point: set && usesComma(set) ? comma : point,
    comma: set && !usesComma(set) ? point : comma,
    isAmbiguous: set === null && !isPoint && AMBIGUOUS.test(body),
    percent,
    currency,
    isOtherScript,
  };
}

/** Zeros of the scripts whose digits are written in tables; nine digits follow each. */
const ZEROS = Array.from('٠۰߀०০੦૦୦௦౦೦൦๐໐༠၀០᠐０', zero => zero.codePointAt(0)!);
const SIGNS: Readonly<Record<string, string>> = {
  ...{ '٫': '.', '٬': "'", '．': '.', '，': ',', '－': '-', '＋': '+', '％': '%', '＄': '$', '￥': '¥' },
};
const BEYOND_ASCII = /[^ -~]/;
/** Marks of direction, joiners and others that nobody sees. */
const UNSEEN = /\p{Cf}/gu;

/** With ASCII's digits and signs. `isPoint`: the decimal sign is one that is nothing else. */
function asciiOf(text: string): { plain: string; isPoint: boolean; isOtherScript: boolean } {
  if (!BEYOND_ASCII.test(text)) return { plain: text, isPoint: false, isOtherScript: false };
  const seen = text.replace(UNSEEN, '');
  const plain = seen.replace(/[^ -~]/gu, sign => {
    const code = sign.codePointAt(0)!;
    const zero = ZEROS.find(own => code >= own && code < own + 10);
    return zero === undefined ? (SIGNS[sign] ?? sign) : String(code - zero);
  });
  return { plain, isPoint: text.includes('٫'), isOtherScript: plain !== seen };
}

/** What other columns of the file say of its decimal sign. */
export class DecimalEvidence {
  private point: string | null = null;
  private comma: string | null = null;

  /** A column's own vote, as "column" and the first cell that shows it. */
  add(sign: 'point' | 'comma', column: string): void {
    this[sign] ??= column;
  }

  /** null: nothing, or contradictions. */
  get sign(): 'point' | 'comma' | null {
    if ((this.point === null) === (this.comma === null)) return null;
    return this.point === null ? 'comma' : 'point';
  }

  get column(): string {
    return this.point ?? this.comma ?? '';
  }
}

/** Votes of a column that is not read as numbers. */
export class SeparatorWatch {
  private point = 0;
  private comma = 0;
  private neither = false;

  add(text: string): void {
    if (this.neither || !/[.,]/.test(text) || MISSING.test(text)) return;
    const cell = /^0\d/.test(text) ? null : readCell(text);
    if (cell === null) this.neither = true;
    else if (Number.isNaN(cell.comma)) this.point++;
    else if (Number.isNaN(cell.point)) this.comma++;
  }

  get sign(): 'point' | 'comma' | null {
    if (this.neither || this.point > 0 === this.comma > 0) return null;
    return this.point > 0 ? 'point' : 'comma';
  }
}

const STRANGE_SHOWN = 3;

interface Seen {
  text: string;
  line: number;
}

/** Gathers a column's cells under both readings, then decides between them. */
export class ColumnReader {
  private readonly name: string;
  private readonly column: string;
  private readonly set: NumberFormat | null;
  private readonly point: Column<Float64ArrayConstructor>;
  /** the other reading, from the first cell on where the two differ */
  private comma: Column<Float64ArrayConstructor> | null = null;
  private missing = 0;
  private strange = 0;
  private readonly strangeCells: Seen[] = [];
  private onlyPoint: Seen | null = null;
  private onlyComma: Seen | null = null;
  private ambiguousDot: Seen | null = null;
  private ambiguousComma: Seen | null = null;
  private ambiguous = 0;
  /** an ambiguous cell that ends in 0 */
  private trailingZero = false;
  private plain = 0;
  private longPlain = false;
  private separated = 0;
  private grouped: Seen | null = null;
  private otherScript: Seen | null = null;
  private readonly placeholders = new PlaceholderWatch();
  private noPercent: Seen | null = null;
  private percent: Seen | null = null;
  private currency = '';
  private currencyCell: Seen | null = null;

  /** `name`: of the file, for messages. `set`: as `data.numbers` sets it. */
  constructor(name: string, column: string, set: NumberFormat | null, storage: Storage) {
    this.point = new Column(Float64Array, storage);
    this.name = name;
    this.column = column;
    this.set = set;
  }

  get rows(): number {
    return this.point.length;
  }

  /** @throws DataError for a number that is not finite, and for signs that contradict each other */
  add(text: string, line: number): void {
    if (MISSING.test(text)) {
      this.missing++;
      this.push(Number.NaN, Number.NaN);
      return;
    }
    const cell = readCell(text, this.set);
    if (cell === null) {
      this.strange++;
      if (this.strangeCells.length < STRANGE_SHOWN) this.strangeCells.push({ text, line });
      this.push(Number.NaN, Number.NaN);
      return;
    }
    const finite = [cell.point, cell.comma].every(value => Number.isNaN(value) || Number.isFinite(value));
    if (!finite)
      throw new DataError(`${this.at({ text, line })} is no finite number; correct it, or leave it empty.`);
    this.note(cell, { text, line });
    this.placeholders.add(text, Number.isNaN(cell.point) ? cell.comma : cell.point, line);
    this.push(cell.point, cell.comma);
  }

  /** What this column alone says, for others to go by. */
  get sign(): 'point' | 'comma' | null {
    if ((this.onlyPoint === null) === (this.onlyComma === null)) return null;
    return this.onlyPoint ? 'point' : 'comma';
  }

  /** @throws DataError where two readings fit, or none */
  settle(delimiter: string, others: DecimalEvidence, hint: NumberFormat | null): ColumnFacts {
    const notes: string[] = [];
    const sign = this.set
      ? usesComma(this.set)
        ? 'comma'
        : 'point'
      : this.decide(delimiter, others, hint, notes);
    if (this.percent && this.noPercent)
      throw new DataError(
        `${this.at(this.percent)} has a percent sign and ${shown(this.noPercent)} has none: write the column in one way.`,
      );
    if (this.percent)
      notes.push(
        `Column "${this.column}": percent signs are left off, ${JSON.stringify(this.percent.text)} is read as ${this.valueOf(this.percent, sign)}.`,
      );
    if (this.currencyCell)
      notes.push(
        `Column "${this.column}": currency signs are left off, ${JSON.stringify(this.currencyCell.text)} is read as ${this.valueOf(this.currencyCell, sign)}.`,
      );
    notes.push(...this.placeholders.notes(this.column));
    if (this.otherScript)
      notes.push(
        `Column "${this.column}": digits of another script, ${JSON.stringify(this.otherScript.text)} is read as ${this.valueOf(this.otherScript, sign)}.`,
      );
    return {
      values: sign === 'comma' && this.comma ? this.comma : this.point,
      missing: this.missing,
      strange: {
        count: this.strange,
        first: this.strangeCells.map(({ text, line }) => ({ cell: text.slice(0, 40), line })),
      },
      format: this.set ?? this.formatOf(sign),
      notes,
    };
  }

  private push(point: number, comma: number): void {
    // a cell with a decimal point ends the other reading
    const both = this.onlyPoint === null;
    if (both && !this.comma && !Object.is(point, comma)) this.comma = this.point.copy();
    if (both) this.comma?.push(comma);
    this.point.push(point);
  }

  private note(cell: Cell, seen: Seen): void {
    const { point, comma } = cell;
    if (cell.percent) {
      this.percent ??= seen;
    } else if (point !== 0) this.noPercent ??= seen;
    if (cell.currency) {
      if (this.currency && this.currency !== cell.currency)
        throw new DataError(
          `${this.at(seen)} is in another currency than ${shown(this.currencyCell!)}: convert the column to one.`,
        );
      this.currency = cell.currency;
      this.currencyCell ??= seen;
    }
    if (cell.isOtherScript) this.otherScript ??= seen;
    if (this.set) return;
    if (Number.isNaN(comma)) this.onlyPoint ??= seen;
    else if (Number.isNaN(point)) this.onlyComma ??= seen;
    if (cell.isAmbiguous) {
      this.ambiguous++;
      if (seen.text.includes('.')) this.ambiguousDot ??= seen;
      else this.ambiguousComma ??= seen;
      if (/0\D*$/.test(seen.text)) this.trailingZero = true;
    } else if (point === comma && !/[.,]/.test(seen.text)) {
      this.plain++;
      if (Math.abs(point) >= 1000 && /\d{4}/.test(seen.text)) this.longPlain = true;
      if (GROUPED.test(seen.text)) this.grouped ??= seen;
    }
    if (/[.,]/.test(seen.text)) this.separated++;
  }

  private decide(
    delimiter: string,
    others: DecimalEvidence,
    hint: NumberFormat | null,
    notes: string[],
  ): 'point' | 'comma' {
    if (this.onlyPoint && this.onlyComma)
      throw new DataError(
        `${this.at(this.onlyPoint)} has a decimal point, but ${shown(this.onlyComma)} a decimal comma: write the column in one way.`,
      );
    if (this.ambiguousDot && this.ambiguousComma && !this.onlyPoint && !this.onlyComma)
      throw this.undecided(
        this.ambiguousDot,
        `and ${shown(this.ambiguousComma)} is written with the other sign`,
      );
    const own = this.sign;
    const ambiguous = this.ambiguousDot ?? this.ambiguousComma;
    const sign = own ?? (ambiguous ? this.weigh(ambiguous, delimiter, others, hint) : 'point');
    const grouping = sign === 'comma' ? this.ambiguousDot : this.ambiguousComma;
    const cells = this.point.length - this.missing - this.strange;
    if (grouping)
      notes.push(
        `Column "${this.column}": ${JSON.stringify(grouping.text)} is read as ${this.valueOf(grouping, sign)}, the ${sign === 'comma' ? 'dot' : 'comma'} as a thousands separator, in ${count(this.ambiguous)} of ${count(cells)} cells. "numbers" can set another format.`,
      );
    const decimalComma = this.onlyComma ?? this.ambiguousComma;
    if (sign === 'comma' && decimalComma)
      notes.push(
        `Column "${this.column}": ${JSON.stringify(decimalComma.text)} is read as ${this.valueOf(decimalComma, sign)}, the comma as the decimal sign${grouping ? '' : `, in ${count(this.separated)} of ${count(cells)} cells`}.`,
      );
    if (sign === 'point' && own === null && this.ambiguousDot)
      notes.push(
        `Column "${this.column}": ${JSON.stringify(this.ambiguousDot.text)} is read as ${this.valueOf(this.ambiguousDot, sign)}, the dot as the decimal sign, in ${count(this.ambiguous)} of ${count(cells)} cells. "numbers" can set another format.`,
      );
    if (this.grouped)
      notes.push(
        `Column "${this.column}": ${JSON.stringify(this.grouped.text)} is read as ${this.valueOf(this.grouped, sign)}.`,
      );
    return sign;
  }

  /** All separators stand before three digits: a format decides, other columns, or nothing. */
  private weigh(
    cell: Seen,
    delimiter: string,
    others: DecimalEvidence,
    hint: NumberFormat | null,
  ): 'point' | 'comma' {
    const isDot = this.ambiguousDot !== null;
    const asGrouping = isDot ? 'comma' : 'point';
    const asDecimal = isDot ? 'point' : 'comma';
    // no column has 996 and 1.050 side by side as decimals: three decimals would be 996.000, the fewest 1.05
    const isGrouped = this.plain > 0 && !this.longPlain && this.trailingZero;
    if (isGrouped) return asGrouping;
    if (others.sign !== null) return others.sign;
    if (hint !== null) return usesComma(hint) ? 'comma' : 'point';
    // three decimals throughout: where commas separate the cells or tabs do, the point is a decimal point
    if (this.plain === 0 && isDot && delimiter !== ';') return asDecimal;
    throw this.undecided(cell, 'and nothing in the file decides between them');
  }

  private undecided(cell: Seen, why: string): DataError {
    const { point, comma } = readCell(cell.text)!;
    const formats: [NumberFormat, NumberFormat] = cell.text.includes('.')
      ? ['1234.5', '1.234,5']
      : ['1,234.5', '1234,5'];
    return new DataError(
      `${this.at(cell)} can be read as ${point} or as ${comma}, ${why}; set "numbers" to ${formats.map(format => JSON.stringify(format)).join(' or ')}.`,
    );
  }

  private formatOf(sign: 'point' | 'comma'): NumberFormat {
    if (sign === 'comma')
      return this.ambiguousDot || this.onlyComma?.text.includes('.') ? '1.234,5' : '1234,5';
    return this.ambiguousComma || this.onlyPoint?.text.includes(',') ? '1,234.5' : '1234.5';
  }

  private valueOf({ text }: Seen, sign: 'point' | 'comma'): number {
    return readCell(text, this.set)![sign];
  }

  private at({ text, line }: Seen): string {
    return `${this.name}, line ${line}: ${JSON.stringify(text.slice(0, 40))} in column "${this.column}"`;
  }
}

function shown({ text, line }: Seen): string {
  return `${JSON.stringify(text.slice(0, 40))} in line ${line}`;
}

/** Whether a cell counts as empty. */
export function isMissing(text: string): boolean {
  return MISSING.test(text);
}
