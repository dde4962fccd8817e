// Which runs wait for a slot. The tickets are kept in the extension's own storage: what a cloned repository's
// `.unroll/` says can never start by itself, and of two windows only the one that renames a ticket starts its runs.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

export interface Ticket {
  id: string;
  /** absolute run folders of one worker */
  folders: string[];
}

const WAITING = '.waiting.json';
const STARTED = '.started.json';

export class Queue {
  private readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  add(folders: readonly string[]): Ticket {
    mkdirSync(this.folder, { recursive: true });
    const id = basename(folders[0]!);
    writeFileSync(join(this.folder, id + WAITING), JSON.stringify(folders));
    return { id, folders: [...folders] };
  }

  /** Oldest first. */
  waiting(): Ticket[] {
    return this.list(WAITING);
  }

  /** Started from this storage and not yet forgotten. */
  started(): Ticket[] {
    return this.list(STARTED);
  }

  /** @returns whether it was this caller who took it */
  claim(ticket: Ticket): boolean {
    try {
      renameSync(join(this.folder, ticket.id + WAITING), join(this.folder, ticket.id + STARTED));
      return true;
    } catch {
      return false;
    }
  }

  /** Milliseconds since the ticket was claimed or made. */
  age(ticket: Ticket): number {
    try {
      return Date.now() - statSync(join(this.folder, ticket.id + STARTED)).ctimeMs;
    } catch {
      return Number.POSITIVE_INFINITY;
    }
  }

  remove(ticket: Ticket): void {
    for (const ending of [WAITING, STARTED]) rmSync(join(this.folder, ticket.id + ending), { force: true });
  }

  private list(ending: string): Ticket[] {
    let names: string[];
    try {
      names = readdirSync(this.folder);
    } catch {
      return [];
    }
    return names
      .filter(name => name.endsWith(ending))
      .sort()
      .flatMap(name => this.read(name, ending) ?? []);
  }

  private read(name: string, ending: string): Ticket | null {
    try {
      const folders: unknown = JSON.parse(readFileSync(join(this.folder, name), 'utf8'));
      if (!Array.isArray(folders) || !folders.every(folder => typeof folder === 'string')) return null;
      return folders.length ? { id: name.slice(0, -ending.length), folders } : null;
    } catch {
      return null;
    }
  }
}
