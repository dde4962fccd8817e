// What the sounds that a file names are like, for `unroll data`: rates and durations of its first ones.
import { plural } from '../../experiment/words.ts';
import { DataError } from './errors.ts';
import { readWav } from './wav.ts';

export interface SoundsPreview {
  /** that were read */
  files: number;
  /** different ones, in samples a second */
  rates: number[];
  /** most channels of a file */
  channels: number;
  seconds: { least: number; median: number; most: number };
}

/** More are not opened: a table may name as many as it has rows. */
export const MOST_SOUNDS = 200;

/** `files`: full paths with their names. `faults`: of those that cannot be read, one sentence each. */
export function soundsPreview(files: readonly { path: string; name: string }[]): {
  sounds: SoundsPreview | null;
  faults: string[];
} {
  const faults: string[] = [];
  const seconds: number[] = [];
  const rates = new Set<number>();
  let channels = 1;
  for (const { path, name } of files.slice(0, MOST_SOUNDS)) {
    try {
      const sound = readWav(path, name);
      seconds.push(sound.samples.length / sound.rate);
      rates.add(sound.rate);
      channels = Math.max(channels, sound.channels);
    } catch (cause) {
      if (!(cause instanceof DataError)) throw cause;
      faults.push(cause.message);
    }
  }
  if (seconds.length === 0) return { sounds: null, faults };
  seconds.sort((a, b) => a - b);
  return {
    sounds: {
      files: seconds.length,
      rates: [...rates].sort((a, b) => a - b),
      channels,
      seconds: { least: seconds[0]!, median: seconds[seconds.length >> 1]!, most: seconds.at(-1)! },
    },
    faults,
  };
}

export function soundsLine({ files, rates, channels, seconds }: SoundsPreview): string {
  const shown = (value: number) => `${value.toFixed(2)} s`;
  const { least, median, most } = seconds;
  return [
    files === 1
      ? `1 sound of ${shown(most)}`
      : `${plural(files, 'sound')} of ${shown(least)} to ${shown(most)} (median ${shown(median)})`,
    `${rates.map(rate => rate.toLocaleString('en-US')).join(' and ')} samples a second`,
    plural(channels, 'channel'),
  ].join(', ');
}
