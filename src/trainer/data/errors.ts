// Data that cannot be used, said in one sentence with its place.

export class DataError extends Error {
  override readonly name = 'DataError';
}

/** ": …" with what a library says of a file; '' where it tells of its own variables, which tells a person nothing. */
export function saidBy(cause: unknown, beginning = /^/): string {
  const text = cause instanceof Error ? cause.message.replace(beginning, '').replace(/\.$/, '') : '';
  const isInner =
    cause instanceof TypeError || /undefined|null|NaN|\[object|\n|not a function|is not|DataView/.test(text);
  return isInner || text === '' ? '' : `: ${text}`;
}
