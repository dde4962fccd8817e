// Data that cannot be used, said in one sentence with its place.

export class DataError extends Error {
  override readonly name = 'DataError';
}
