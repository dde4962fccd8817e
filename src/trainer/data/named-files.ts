// Files that a table names, such as sounds: one fingerprint for all of them, by which a changed one is named.
import { statSync } from 'node:fs';
import { count, plural } from '../../experiment/words.ts';
import { digestOf, type Fingerprint, type Since } from './fingerprint.ts';

export interface NamedFile {
  /** as the table writes it */
  name: string;
  path: string;
}

/** More files than this share their hashes with neighbours. */
const MOST_HASHES = 10_000;

/** A hash a file, in the order of the table; of very many files, a hash of several. */
export async function namedFilesPrint(files: readonly NamedFile[]): Promise<Fingerprint> {
  const each = Math.max(1, Math.ceil(files.length / MOST_HASHES));
  const hashes: string[] = [];
  let [bytes, newest] = [0, 0];
  for (let from = 0; from < files.length; from += each) {
    const group = files.slice(from, from + each);
    for (const { path } of group) {
      const { size, mtimeMs } = statSync(path);
      bytes += size;
      newest = Math.max(newest, mtimeMs);
    }
    hashes.push(await digestOf(group));
  }
  return { bytes, modified: new Date(newest).toISOString(), chunkBytes: each, hashes };
}

/** What has become of them; `chunkBytes` of `known`: files a hash. */
export async function namedFilesSince(files: readonly NamedFile[], known: Fingerprint): Promise<Since> {
  const now = await namedFilesPrint(files);
  const first = now.hashes.findIndex((hash, index) => hash !== known.hashes[index]);
  if (first < 0 && now.hashes.length === known.hashes.length) return { kind: 'same' };
  const sizes = `${count(known.bytes)} bytes then, ${count(now.bytes)} now, in ${plural(files.length, 'file')}`;
  const differing = files.slice(
    Math.max(0, first) * now.chunkBytes,
    (Math.max(0, first) + 1) * now.chunkBytes,
  );
  const others = now.hashes.filter((hash, index) => hash !== known.hashes[index]).length - 1;
  const [one, last] = [differing[0]?.name, differing.at(-1)?.name];
  const isAll = now.hashes.length !== known.hashes.length;
  const which = isAll
    ? 'the table names other files, or some are missing'
    : `${one === last ? one : `one of ${one} to ${last}`} differs${others > 0 ? `, and ${plural(others, 'further one', 'further ones')}` : ''}`;
  return { kind: 'changed', why: `${sizes}; ${which}` };
}
