// Entities in tags: precision, recall and F1 as conlleval counts them (E. Tjong Kim Sang, S. Buchholz, 2000,
// https://www.clips.uantwerpen.be/conll2000/chunking/): an entity is right where its place and its type are. Tags are O, or
// a letter and a type: B begins an entity, I goes on, E and S (BIOES) end one; an I of another type, or after O, begins one
// too (IOB1).

interface Tag {
  sign: string;
  type: string;
}

const OUTSIDE: Tag = { sign: 'O', type: '' };
const PATTERN = /^(?:O|[BIES](?:-.+)?)$/;

/** Whether these are the tags of entities. */
export function areEntityTags(tags: Iterable<string>): boolean {
  let inside = false;
  for (const tag of tags) {
    if (!PATTERN.test(tag)) return false;
    if (tag !== 'O') inside = true;
  }
  return inside;
}

function parsed(tag: string | undefined): Tag {
  if (tag === undefined || !PATTERN.test(tag) || tag === 'O') return OUTSIDE;
  return { sign: tag[0]!, type: tag.slice(2) };
}

function ends(before: Tag, now: Tag): boolean {
  if (before.sign === 'O') return false;
  return (
    before.sign === 'E' ||
    before.sign === 'S' ||
    now.sign === 'O' ||
    now.sign === 'B' ||
    now.sign === 'S' ||
    before.type !== now.type
  );
}

function begins(before: Tag, now: Tag): boolean {
  if (now.sign === 'O') return false;
  return (
    now.sign === 'B' ||
    now.sign === 'S' ||
    before.sign === 'O' ||
    before.sign === 'E' ||
    before.sign === 'S' ||
    before.type !== now.type
  );
}

/** Entities as "first-last type". */
export function entitiesIn(tags: readonly string[]): string[] {
  const entities: string[] = [];
  let [start, type] = [-1, ''];
  for (let at = 0; at <= tags.length; at++) {
    const [before, now] = [parsed(tags[at - 1]), parsed(tags[at])];
    if (start >= 0 && ends(before, now)) {
      entities.push(`${start}-${at - 1} ${type}`);
      start = -1;
    }
    if (begins(before, now)) [start, type] = [at, now.type];
  }
  return entities;
}

export interface EntityCounts {
  found: number;
  there: number;
  right: number;
}

export function countEntities(truth: readonly string[], prediction: readonly string[]): EntityCounts {
  const [there, found] = [entitiesIn(truth), entitiesIn(prediction)];
  const known = new Set(there);
  return { there: there.length, found: found.length, right: found.filter(own => known.has(own)).length };
}

/** 0 where nothing was found or there, as conlleval says it. */
export function entityFigures({ found, there, right }: EntityCounts): {
  precision: number;
  recall: number;
  f1: number;
} {
  const share = (of: number) => (of > 0 ? right / of : 0);
  const [precision, recall] = [share(found), share(there)];
  return { precision, recall, f1: right > 0 ? (2 * precision * recall) / (precision + recall) : 0 };
}
