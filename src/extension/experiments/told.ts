// What `unroll data --json` tells of files, as far as the editor shows it. Pure.
import { TASK_NAMES, type TaskName } from '../../experiment/tasks/index.ts';

export interface Told {
  /** why it cannot be read; null where it can */
  fault: string | null;
  /** for people, the file as a whole first */
  lines: string[];
  /** data of experiments that fit; their `path` is the file's bare name */
  suggested: Suggested[];
}

export interface Suggested {
  task: TaskName;
  /** of `data`, without the task and the path */
  fields: Record<string, unknown>;
  why: string;
  /** steps are numbers: nothing is embedded */
  vectors: boolean;
}

/** By the paths that were asked for; a line that is no such answer is left out. */
export function readTold(text: string): Map<string, Told> {
  const told = new Map<string, Told>();
  for (const line of text.split('\n')) {
    let answer: Record<string, unknown>;
    try {
      answer = { ...JSON.parse(line) };
    } catch {
      continue;
    }
    const { kind, path, message, lines, suggested } = answer;
    if (typeof path !== 'string') continue;
    if (kind === 'fault' && typeof message === 'string')
      told.set(path, { fault: message, lines: [], suggested: [] });
    if (kind === 'data' && Array.isArray(lines) && Array.isArray(suggested))
      told.set(path, { fault: null, lines: lines.map(String), suggested: suggested.flatMap(suggestedOf) });
  }
  return told;
}

function suggestedOf(value: unknown): Suggested[] {
  const { task, data, why, vectors } = { ...(value as object) } as Record<string, unknown>;
  const name = TASK_NAMES.find(each => each === task);
  if (!name || typeof data !== 'object' || data === null || typeof why !== 'string') return [];
  const { task: _, path: __, ...fields } = data as Record<string, unknown>;
  return [{ task: name, fields, why, vectors: vectors === true }];
}

/** Of a line; a hover shows about as much in one of its own. */
const MOST_CHARACTERS = 120;

/**
 * What fits stands behind the first line, since a hover shows about a dozen. Markdown cannot come of names in a file: all
 * is shown as it is.
 */
export function toldText({ fault, lines }: Told, most = 25): string {
  if (fault) return fault;
  const fits = lines.filter(line => line.startsWith('fits '));
  const facts = lines.filter(line => !line.startsWith('fits ')).map(line => shortened(line, MOST_CHARACTERS));
  const room = Math.max(1, most - fits.length);
  const shown = facts.slice(0, room);
  const left = facts.length - shown.length;
  const [first, ...rest] = shown;
  return [first, ...fits, ...rest, ...(left > 0 ? [`… and ${left} further lines`] : [])].join('\n');
}

function shortened(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
