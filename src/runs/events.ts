// Tails `events.jsonl`: whole lines only, each checked; a torn last line waits for its end.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { RunEvent } from './format.ts';
import { statIfThere } from './json.ts';
import { checkEvent } from './validate.ts';

/** A file with more bad lines than this is none of ours, and reading on would only cost time. */
const MAX_BAD_LINES = 1000;
/** Small, so that a reader whose time is up stops soon. */
const CHUNK_BYTES = 65_536;
const MAX_LINE_BYTES = 8e6;

/** Lent to one poll at a time: fresh memory for each would have to be collected again. */
const scratch = Buffer.allocUnsafe(2 * CHUNK_BYTES);

export interface EventHandler {
  event(event: RunEvent): void;
  /** the file was replaced or cut: everything so far is void */
  restart(): void;
  problem(why: string): void;
}

export class EventTail {
  private readonly path: string;
  private readonly handler: EventHandler;
  private offset = 0;
  private line = 0;
  private rest: Buffer = Buffer.alloc(0);
  private skipping = false;
  private inode = 0;
  private badLines = 0;
  /** there is more to read than the last poll took */
  behind = false;

  constructor(path: string, handler: EventHandler) {
    this.path = path;
    this.handler = handler;
  }

  /** Reads not more than so many bytes, and not much longer than until then. @returns whether any event was read */
  poll(mostBytes: number, until: number): boolean {
    this.behind = false;
    const stat = this.badLines > MAX_BAD_LINES ? null : statIfThere(this.path);
    if (!stat?.isFile() || (stat.size === this.offset && stat.ino === this.inode)) return false;
    let file: number;
    try {
      file = openSync(this.path, 'r');
    } catch {
      return false;
    }
    try {
      const { size, ino } = fstatSync(file);
      if (size < this.offset - this.rest.length || (this.inode !== 0 && ino !== this.inode)) this.restart();
      // a writer that mended a torn line has cut inside what is held back here
      else if (size < this.offset) {
        this.offset -= this.rest.length;
        this.rest = Buffer.alloc(0);
      }
      this.inode = ino;
      const end = Math.min(size, this.offset + mostBytes);
      let any = false;
      do {
        const held = this.rest.length;
        // with what is held, so that a line of many chunks is not copied for each
        const wanted = Math.min(Math.max(CHUNK_BYTES, held), end - this.offset);
        const data = held + wanted <= scratch.length ? scratch : Buffer.allocUnsafe(held + wanted);
        this.rest.copy(data);
        const read = readSync(file, data, held, wanted, this.offset);
        if (read === 0) break;
        this.offset += read;
        any = this.take(data.subarray(0, held + read), held) || any;
      } while (this.offset < end && performance.now() < until);
      this.behind = this.offset < size;
      return any;
    } finally {
      closeSync(file);
    }
  }

  private restart(): void {
    this.offset = 0;
    this.line = 0;
    this.rest = Buffer.alloc(0);
    this.skipping = false;
    this.badLines = 0;
    this.handler.restart();
  }

  /** The first `held` bytes hold no line's end. */
  private take(data: Buffer, held: number): boolean {
    let from = 0;
    let any = false;
    for (let end = data.indexOf(10, held); end >= 0; end = data.indexOf(10, from)) {
      this.line++;
      if (this.skipping) this.skipping = false;
      else if (end > from) any = this.read(data.toString('utf8', from, end)) || any;
      from = end + 1;
    }
    this.rest = Buffer.from(data.subarray(from));
    if (this.rest.length > MAX_LINE_BYTES) {
      if (!this.skipping)
        this.handler.problem(`Line ${this.line + 1} of events.jsonl is too long and is left out.`);
      this.skipping = true;
      this.rest = Buffer.alloc(0);
    }
    return any;
  }

  private bad(what: string): false {
    this.badLines++;
    this.handler.problem(`Line ${this.line} of events.jsonl ${what}.`);
    return false;
  }

  private read(line: string): boolean {
    if (this.badLines > MAX_BAD_LINES) return false;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      return this.bad('is not JSON and is left out');
    }
    if (isPlainScalars(value)) {
      this.handler.event(value);
      return true;
    }
    const checked = checkEvent(value);
    if (!checked) return false;
    if (!checked.ok) return this.bad(`is left out: ${checked.why}`);
    this.handler.event(checked.value);
    return true;
  }
}

/** The common case by hand, since there may be hundreds of thousands; values are checked where they are read. */
function isPlainScalars(value: unknown): value is Extract<RunEvent, { kind: 'scalars' }> {
  const event = value as Extract<RunEvent, { kind: 'scalars' }> | null;
  return (
    typeof event === 'object' &&
    event !== null &&
    event.kind === 'scalars' &&
    Number.isSafeInteger(event.step) &&
    event.step >= 0 &&
    typeof event.time === 'number' &&
    typeof event.ownSeconds === 'number' &&
    typeof event.tokens === 'number' &&
    typeof event.values === 'object' &&
    event.values !== null
  );
}
