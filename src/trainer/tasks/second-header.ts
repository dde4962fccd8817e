// A first row of texts that may be a header: it names kinds or units ("text", "phonemes"), has letters that no other row has,
// or numbers the columns. It is told and stays, for it may be data.

/** Rows in which a first one that is unlike all others is a slip, not chance. */
const LEAST_ROWS = 5;
/** Different letters of a cell that no other row has. */
const LEAST_ALONE = 3;

const KINDS = new Set(
  `text string str varchar char character grapheme letter symbol word token byte phone phoneme ipa arpabet
  pronunciation transcription transcript spelling sentence phrase line sequence source src target tgt input output
  query question answer label tag unit type kind date number digit integer int float object none plain language
  lang translation id key name`
    .split(/\s+/)
    .flatMap(word => [word, `${word}s`]),
);

export class SecondHeader {
  private readonly what: string;
  private rows = 0;
  private line = 0;
  private first: readonly string[] = [];
  /** letters of the first row's cells that no other row has had */
  private alone: Set<string>[] = [];
  private isSecondOfNumbers = false;

  /** `what`: a row of the task, for the note */
  constructor(what: string) {
    this.what = what;
  }

  add(cells: readonly string[], line: number): void {
    if (this.rows++ === 0) {
      [this.first, this.line] = [cells.slice(), line];
      this.alone = cells.map(lettersOf);
      return;
    }
    if (this.rows === 2) this.isSecondOfNumbers = areNumbers(cells);
    for (const [place, letters] of this.alone.entries())
      if (letters.size > 0) for (const letter of cells[place]!) letters.delete(letter);
  }

  notes(isNamed: boolean): string[] {
    if (this.rows < 2 || this.first.length < 2) return [];
    if (areNumbers(this.first) && !this.isSecondOfNumbers)
      return [
        `Line ${this.line} holds numbers alone (${this.first.join(', ')}) and is read as a ${this.what}: take it out if it numbers the columns.`,
      ];
    const isKinds = this.first.every(namesKind);
    const isUnlike =
      this.rows >= LEAST_ROWS &&
      this.first.some((cell, place) => {
        const alone = this.alone[place]!.size;
        return alone >= LEAST_ALONE && 2 * alone >= lettersOf(cell).size;
      });
    if (!isKinds && !isUnlike) return [];
    const shown = this.first.map(cell => JSON.stringify(cell.slice(0, 40))).join(', ');
    return [
      `Line ${this.line} looks like a ${isNamed ? 'second header' : 'header'} (${shown}) and is read as a ${this.what}: take it out if it is one.`,
    ];
  }
}

function lettersOf(cell: string): Set<string> {
  return new Set(cell.match(/\p{L}/gu) ?? []);
}

function areNumbers(cells: readonly string[]): boolean {
  return cells.every(cell => /^\d+$/.test(cell));
}

/** "phonemes", "(IPA)", "<str>", "English", "en" */
function namesKind(cell: string): boolean {
  const bare = cell.trim();
  if (/^(?:\(.+\)|\[.+\]|<.+>|\{.+\})$/.test(bare)) return true;
  const word = bare.toLowerCase();
  return KINDS.has(word) || languages().has(word);
}

let known: Set<string> | null = null;

/** English names of languages, and their codes of two letters. */
function languages(): Set<string> {
  if (known) return known;
  known = new Set();
  const names = new Intl.DisplayNames(['en'], { type: 'language', fallback: 'none' });
  const letters = 'abcdefghijklmnopqrstuvwxyz';
  for (const first of letters)
    for (const second of letters) {
      const name = names.of(first + second);
      if (name !== undefined) known.add(first + second).add(name.toLowerCase());
    }
  return known;
}
