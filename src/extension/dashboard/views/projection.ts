// From the rows of a series to what the page draws of it, kept up to date at the cost of what is new.
import type { SeriesSidecar } from '../../../runs/format.ts';

export interface RowsSource {
  readonly sidecar: SeriesSidecar;
  readonly steps: readonly number[];
  readonly rows: readonly ArrayLike<number>[];
}

export interface Projection<View> {
  /** another one whenever `view` would give something else */
  readonly version: number | string;
  /** Takes in at most `limit` new rows. @returns whether that was all */
  follow(source: RowsSource | undefined, limit?: number): boolean;
  view(): View | null;
}

/** Of the newest row alone. */
export abstract class NewestProjection<View> implements Projection<View> {
  version = '';
  private source: RowsSource | undefined;

  follow(source: RowsSource | undefined): boolean {
    this.source = source;
    this.version = `${source?.rows.length ?? 0} ${source?.steps.at(-1) ?? ''}`;
    return true;
  }

  view(): View | null {
    return this.source ? this.viewOf(this.source) : null;
  }

  protected abstract viewOf(source: RowsSource): View | null;
}
