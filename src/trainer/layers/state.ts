// What goes on from one stretch of a sequence to the next: arrays by name, such as "layers.1.0.h", each (batch, …).

export type State = Readonly<Record<string, Float32Array>>;

/** A part of a model's state; `size`: numbers of one sequence. */
export interface StateInfo {
  name: string;
  size: number;
}

/** The states of the first `count` of `batch` sequences. */
export function firstRows(state: State, count: number, batch: number): State {
  const entries = Object.entries(state);
  return Object.fromEntries(
    entries.map(([name, values]) => [name, values.slice(0, (values.length / batch) * count)]),
  );
}

/** The states of these sequences of `batch`, in this order; one may stand several times. */
export function rowsOf(state: State, rows: readonly number[], batch: number): State {
  const taken = (values: Float32Array) => {
    const size = values.length / batch;
    const made = new Float32Array(rows.length * size);
    for (const [index, row] of rows.entries())
      made.set(values.subarray(row * size, (row + 1) * size), index * size);
    return made;
  };
  return Object.fromEntries(Object.entries(state).map(([name, values]) => [name, taken(values)]));
}
