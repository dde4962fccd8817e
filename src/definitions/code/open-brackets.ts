// Brackets of Python that were opened and not closed before a statement that cannot stand within them, as when
// `self.rnn = nn.LSTM(10,` is being written. The parser would take all that follows for arguments.

/** What begins a statement and nothing within brackets; conditions and loops have a colon behind them. */
const STATEMENT =
  /^(?:(?:async[ \t]+)?def\b|class[ \t]+\w|return\b|raise\b|import\b|from[ \t]+[\w.]+[ \t]+import\b|while\b.*:|try[ \t]*:|with\b.*:|@[A-Za-z_]|self\.\w+[ \t]*(?:=(?!=)|\+=)|(?:if|for|elif)\b.*:[ \t]*(?:#.*)?$)/;
const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

export interface Closed {
  text: string;
  /** offsets in `text` of the brackets that were put in, in ascending order */
  added: readonly number[];
}

/** The text with what is missing at the end of such lines; null where nothing is. */
export function closeBrackets(text: string): Closed | null {
  const added: number[] = [];
  let result = '';
  let taken = 0;
  for (const { end, brackets } of openAt(text)) {
    result += text.slice(taken, end);
    for (const bracket of brackets) {
      added.push(result.length);
      result += bracket;
    }
    taken = end;
  }
  return added.length > 0 ? { text: result + text.slice(taken), added } : null;
}

/** Where code ends before such a statement, and what would close it. */
function openAt(text: string): { end: number; brackets: string[] }[] {
  const found: { end: number; brackets: string[] }[] = [];
  let open: { sign: string; indent: number }[] = [];
  let end = 0;
  const lines = new Lines(text);
  for (let at = 0; at < text.length; ) {
    if (lines.beginsAt(at)) {
      const rest = lines.at(at);
      const indent = rest.length - rest.trimStart().length;
      const begun = open[0];
      if (begun && indent <= begun.indent && STATEMENT.test(rest.trimStart())) {
        found.push({ end, brackets: open.map(({ sign }) => CLOSING[sign]!).reverse() });
        open = [];
      }
    }
    const sign = text[at]!;
    if (sign === '#') {
      at = lines.endOf(at);
      continue;
    }
    if (sign === '"' || sign === "'") {
      at = endOfString(text, at, lines);
      end = at;
      continue;
    }
    if (sign in CLOSING) open.push({ sign, indent: lines.indentAt(at) });
    else if (sign === ')' || sign === ']' || sign === '}') open.pop();
    at++;
    if (!/\s/.test(sign)) end = at;
  }
  return found;
}

class Lines {
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  beginsAt(offset: number): boolean {
    return offset === 0 || this.text[offset - 1] === '\n';
  }

  endOf(offset: number): number {
    const end = this.text.indexOf('\n', offset);
    return end < 0 ? this.text.length : end;
  }

  at(start: number): string {
    return this.text.slice(start, this.endOf(start));
  }

  indentAt(offset: number): number {
    const line = this.at(this.text.lastIndexOf('\n', offset - 1) + 1);
    return line.length - line.trimStart().length;
  }
}

/** A string of one line that is not closed ends with its line. */
function endOfString(text: string, start: number, lines: Lines): number {
  const sign = text[start]!;
  const isLong = text.startsWith(sign.repeat(3), start);
  const mark = isLong ? sign.repeat(3) : sign;
  const last = isLong ? text.length : lines.endOf(start);
  for (let at = start + mark.length; at < last; at++) {
    if (text[at] === '\\') at++;
    else if (text.startsWith(mark, at)) return at + mark.length;
  }
  return last;
}
