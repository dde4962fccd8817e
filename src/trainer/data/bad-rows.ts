// Rows of a file that cannot be used: the first one stops the reading, or all are left out and counted.
import { plural } from '../../experiment/words.ts';
import { DataError } from './errors.ts';

export type OnError = 'stop' | 'skip';

export class BadRows {
  count = 0;
  private first = '';
  private readonly policy: OnError;

  constructor(policy: OnError = 'stop') {
    this.policy = policy;
  }

  /** `sentence` names the file and the line. @throws DataError under "stop" */
  report(sentence: string): void {
    if (this.policy === 'stop') throw new DataError(sentence);
    this.count++;
    this.first ||= sentence;
  }

  notes(): string[] {
    if (this.count === 0) return [];
    return [`${plural(this.count, 'row was', 'rows were')} skipped. The first: ${this.first}`];
  }

  /** for the run's own facts */
  read(): Record<string, number> {
    return this.count > 0 ? { skipped: this.count } : {};
  }
}
