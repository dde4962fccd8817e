// What a file is to the run that is used on it, in a sentence.
import { plural } from '../../experiment/words.ts';
import type { DataFile } from '../../runs/data-file.ts';
import type { Since } from '../data/fingerprint.ts';

export function relation(since: Since, { read }: DataFile, name: string): string {
  if (since.kind === 'same') return `${name} is the file that this run learned from.`;
  if (since.kind === 'appended')
    return since.unit === 'file'
      ? `${name} is the folder that this run learned from, with ${plural(since.count, 'further file')}.`
      : `${name} is the file that this run learned from, with ${plural(since.count, 'further row')} after the first ${read['rows']}.`;
  return `${name} is not the file that this run learned from; it is read with the scaling and vocabulary of the run.`;
}
