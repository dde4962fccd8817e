// Writes in order to a disk that may be full: what could not be written waits, and nothing is lost or swapped.
import { DiskFullError } from '../../runs/errors.ts';

export class Outbox {
  private readonly waiting: (() => void)[] = [];

  /** Why something waits; null when all is written. */
  blocked: string | null = null;

  /** Now, or after what waits. @throws what the write throws, but a full disk */
  write(write: () => void): void {
    this.waiting.push(write);
    if (this.blocked === null) this.flush();
  }

  /** @returns whether all is written */
  flush(): boolean {
    while (this.waiting.length > 0) {
      try {
        this.waiting[0]!();
      } catch (cause) {
        if (!(cause instanceof DiskFullError)) throw cause;
        this.blocked = cause.message;
        return false;
      }
      this.waiting.shift();
    }
    this.blocked = null;
    return true;
  }
}
