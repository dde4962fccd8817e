// Sounds that a table names, one a row, as log-mel features.
import { existsSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import process from 'node:process';
import * as z from 'zod';
import { type Features, features } from '../../experiment/tasks/features.ts';
import { count, plural } from '../../experiment/words.ts';
import { BadRows } from '../data/bad-rows.ts';
import { DataError } from '../data/errors.ts';
import { type DataPlace, locateData } from '../data/locate.ts';
import { fewerMelsNote, logMel, type MelPlan, melPlan } from '../data/log-mel.ts';
import type { NamedFile } from '../data/named-files.ts';
import { readWav } from '../data/wav.ts';

export interface Sounds {
  /** (frames, mels) each; null: a row that was left out */
  features: (Float32Array | null)[];
  mels: number;
  rate: number;
  /** that the table names and that are there, each once */
  files: NamedFile[];
  notes: string[];
}

/** Where the files may stand: as the table itself, whose folder their names start from; `elsewhere`: a second folder. */
export type SoundPlace = Pick<DataPlace, 'workspace' | 'allowedPaths'> & { elsewhere?: string };

/**
 * `rate`: of a run that is used; null: that of the first file.
 * @throws DataError with the line of a name that is empty, of a file that cannot be read, or of another rate
 */
export function readSounds(
  table: string,
  name: string,
  { files, lines }: { files: readonly string[]; lines: readonly number[] },
  {
    asked,
    rate,
    place,
    bad = new BadRows(),
  }: { asked: Features; rate: number | null; place: SoundPlace; bad?: BadRows },
): Sounds {
  let plan: MelPlan | null = rate === null ? null : melPlan(rate, asked);
  const { workspace, allowedPaths, elsewhere } = place;
  // files of a folder are named from it
  const base = statSync(table).isDirectory() ? table : dirname(table);
  let first = '';
  const joined: string[] = [];
  const found = new Map<string, string>();
  const read = (file: string, row: number): Float32Array => {
    const where = `${name}, line ${lines[row]}`;
    if (file.trim() === '') throw new DataError(`${where}: no sound file is named.`);
    const sound = atLine(where, () => {
      const beside = existsSync(resolve(base, file)) || elsewhere === undefined;
      const located = locateData(file, { workspace, allowedPaths, base: beside ? base : elsewhere });
      found.set(file, located);
      return readWav(located, file);
    });
    first ||= `${basename(file)} in line ${lines[row]}`;
    plan ??= melPlan(sound.rate, asked);
    if (sound.rate !== plan.rate)
      throw new DataError(
        `${where}: ${file} has ${count(sound.rate)} samples a second, but ${rate === null ? first : 'what this run learned from'} has ${count(plan.rate)}; all sounds of a table need one rate.`,
      );
    if (sound.channels > 1) joined.push(file);
    return logMel(sound.samples, plan);
  };
  const each = files.map((file, row) => {
    try {
      return read(file, row);
    } catch (cause) {
      if (!(cause instanceof DataError)) throw cause;
      bad.report(cause.message);
      return null;
    }
  });
  if (!plan) throw new DataError(`${name} names no sound file.`);
  const fewer = fewerMelsNote(plan, asked);
  return {
    features: each,
    mels: plan.mels,
    rate: plan.rate,
    files: Array.from(found, ([name, path]) => ({ name, path })),
    notes: [
      `${plural(each.filter(own => own !== null).length, 'sound')} of ${count(plan.rate)} samples a second, as ${plan.mels} log-mel features every ${asked.hopMs} ms.`,
      ...(fewer ? [fewer] : []),
      ...(joined.length > 0
        ? [`The channels of ${plural(joined.length, 'sound')} are joined by their mean.`]
        : []),
    ],
  };
}

function atLine<T>(where: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw cause instanceof DataError ? new DataError(`${where}: ${cause.message}`) : cause;
  }
}

/** In `task.json`: the column, and what the sounds of a run have in common. */
export const soundArtifact = z.object({
  column: z.string().max(10_000),
  rate: z.int().min(1).max(10_000_000),
  features,
});

/** The sounds of a table that a person named: `root` is the folder they may stand in. */
export function soundColumnOf(
  { column, rate, features: asked }: z.output<typeof soundArtifact>,
  root: string,
) {
  // a table from standard input stands nowhere: its files are relative to the current folder
  return {
    column,
    rate,
    features: asked,
    place: { workspace: root, allowedPaths: [], elsewhere: process.cwd() },
  };
}

/**
 * Each band loses its own mean, and all are divided by one deviation: bands that hold noise alone, which varies little,
 * would otherwise be as loud as those that hold the sound.
 */
export function soundScaling(
  bands: readonly { mean: number; std: number }[],
): { mean: number; std: number }[] {
  const std = Math.sqrt(bands.reduce((sum, band) => sum + band.std ** 2, 0) / bands.length);
  return bands.map(({ mean }) => ({ mean, std }));
}
