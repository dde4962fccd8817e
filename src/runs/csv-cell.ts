// A cell of CSV as RFC 4180 has it.

/** In quotes where it holds what CSV gives a meaning; empty for null. */
export function csvCell(value: string | number | null): string {
  const text = value === null ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
