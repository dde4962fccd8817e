// Where the rows of a series stand on an axis, and how they are named.
import type { Sample } from '../../../protocol/messages.ts';
import { fromJson } from '../../format.ts';

type Places = Pick<Extract<Sample, { type: 'series' }>, 'index' | 'dates'>;

/** Where each stands on the axis: its date, else its row. */
export function placesOf({ index, dates }: Places): number[] {
  return dates ? dates.map(fromJson) : index;
}

export function placeText({ index, dates }: Places, i: number): string {
  const date = dates ? fromJson(dates[i]) : Number.NaN;
  if (!Number.isFinite(date) || Math.abs(date) > 8.64e15) return String(index[i]);
  return new Date(date)
    .toISOString()
    .replace(/T00:00:00\.000Z$/, '')
    .replace(/(?::00)?\.000Z$/, '')
    .replace('T', ' ');
}
