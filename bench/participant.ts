// Somebody who can be measured: a process that takes orders on stdin, one JSON line each, and answers each with one.
import { type ChildProcess, spawn } from 'node:child_process';
import process from 'node:process';
import { createInterface } from 'node:readline';
import type { Case } from './cases.ts';

export interface Answer {
  error?: string;
  msMedian?: number;
  msMean?: number;
  /** processor time a step, of all threads */
  msProcessor?: number;
  steps?: number;
  threads?: number;
  isa?: string;
  [name: string]: unknown;
}

export interface Start {
  /** as in the rows of results */
  name: string;
  command: string;
  args: readonly string[];
  env?: Readonly<Record<string, string>>;
}

const ANSWER_MILLISECONDS = 300_000;

/** What took part so far, with its version. */
export const versions = new Set<string>();

export class Participant {
  readonly name: string;
  /** why it can do nothing any more */
  broken: string | null = null;
  private readonly child: ChildProcess;
  private readonly waiting: ((answer: Answer) => void)[] = [];
  private errors = '';

  constructor({ name, command, args, env }: Start) {
    this.name = name;
    this.child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
    this.child.on('error', error => this.breakOff(error.message));
    this.child.stdin!.on('error', () => {});
    this.child.stderr!.on('data', chunk => {
      this.errors = (this.errors + chunk).slice(-2000);
    });
    createInterface({ input: this.child.stdout! }).on('line', line => {
      if (line.startsWith('{')) this.take(JSON.parse(line));
    });
    // what was written last comes before the end
    this.child.on('close', () => this.breakOff(lastLine(this.errors) || 'it ended'));
  }

  /** Several cases take turns (ours only). */
  open(asked: Case | readonly Case[]): Promise<Answer> {
    return this.ask({ open: asked });
  }

  measure(goal: { seconds: number } | { steps: number }): Promise<Answer> {
    return this.ask({ measure: goal });
  }

  close(): Promise<Answer> {
    return this.ask({ close: true });
  }

  ask(order: object): Promise<Answer> {
    if (this.broken !== null) return Promise.resolve({ error: this.broken });
    return new Promise(resolve => {
      const late = setTimeout(() => this.breakOff('it did not answer in time'), ANSWER_MILLISECONDS);
      this.waiting.push(answer => {
        clearTimeout(late);
        resolve(answer);
      });
      this.child.stdin!.write(`${JSON.stringify(order)}\n`);
    });
  }

  end(): void {
    this.child.removeAllListeners('close');
    this.breakOff('it was ended');
    this.child.stdin!.end();
    this.child.kill();
  }

  private take(answer: Answer): void {
    if (answer['version']) versions.add(`${this.name.replace(/-avx2$| \d+$/, '')} ${answer['version']}`);
    this.waiting.shift()?.(answer);
  }

  private breakOff(why: string): void {
    this.broken ??= why;
    for (const answer of this.waiting.splice(0)) answer({ error: this.broken });
    if (this.child.exitCode === null) this.child.kill();
  }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
