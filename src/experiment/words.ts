// How values, amounts and lists read in a sentence.

/** 12345 → "12,345"; beyond a quadrillion "1.2e+18". */
export function count(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Math.abs(value) >= 1e15) return value.toPrecision(2);
  return value.toLocaleString('en-US', { maximumFractionDigits: 3 });
}

/** 1 → "1 step", 1200 → "1,200 steps". */
export function plural(amount: number, one: string, many = `${one}s`): string {
  return `${count(amount)} ${amount === 1 ? one : many}`;
}

const UNITS = ['bytes', 'KB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB'];

/** 24696061952 → "24.7 GB". */
export function formatBytes(value: number): string {
  let size = value;
  let unit = 0;
  while (size >= 999.5 && unit < UNITS.length - 1) {
    size /= 1000;
    unit++;
  }
  const digits = unit === 0 || size >= 99.5 ? 0 : 1;
  return `${count(Number(size.toFixed(digits)))} ${UNITS[unit]}`;
}

/** A value as it stands in the file, cut to what fits a sentence. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? String(value);
  if (text.length <= 60) return text;
  if (Array.isArray(value)) return `a list of ${count(value.length)}`;
  if (typeof value === 'object') return 'an object';
  return `${text.slice(0, 57)}…`;
}

/** ["a", "b", "c"] → `"a", "b" or "c"`. */
export function either(values: readonly unknown[]): string {
  const texts = values.map(value => JSON.stringify(value));
  if (texts.length < 2) return texts.join('');
  return `${texts.slice(0, -1).join(', ')} or ${texts.at(-1)}`;
}

/** Of the known words the one that was probably meant, or null if none is near. */
export function nearest(word: string, known: readonly string[]): string | null {
  const limit = Math.max(1, Math.floor(word.length / 3));
  let best: string | null = null;
  let bestDistance = limit + 1;
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase(), bestDistance);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best ?? shortenedFrom(word, known);
}

/** `kernel` → `kernelSize`, `lr` → `learningRate`: the one known word of which `word` is the beginning or the initials. */
function shortenedFrom(word: string, known: readonly string[]): string | null {
  const plain = (text: string) => text.replace(/[-_]/g, '').toLowerCase();
  const initials = (text: string) =>
    (text.match(/^[a-z]|[A-Z]|(?<=[-_])[a-z]/g) ?? []).join('').toLowerCase();
  const short = plain(word);
  if (short.length < 2) return null;
  const fits = known.filter(
    candidate => (short.length >= 3 && plain(candidate).startsWith(short)) || initials(candidate) === short,
  );
  return fits.length === 1 ? fits[0]! : null;
}

/** Levenshtein with swapped neighbours counted once; stops counting at `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, before[j - 2]! + 1);
      }
      row.push(cost);
    }
    before = previous;
    previous = row;
  }
  return previous[b.length]!;
}
