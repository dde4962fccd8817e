// Ends what we started when this process ends, however it ends.
import process from 'node:process';

const tasks = new Set<() => void>();
const farewells: (() => Promise<void>)[] = [];
let listening = false;
let leaving = false;

/** `task` must be synchronous: it runs while the process exits. Returns how to forget it. */
export function atEnd(task: () => void): () => void {
  listen();
  tasks.add(task);
  return () => tasks.delete(task);
}

/** Runs before the end when a signal asks for it; a second signal does not wait. */
export function beforeEnd(farewell: () => Promise<void>): void {
  listen();
  farewells.push(farewell);
}

function listen(): void {
  if (listening) return;
  listening = true;
  process.on('exit', () => {
    for (const task of tasks) task();
  });
  process.on('SIGINT', () => leave(130));
  process.on('SIGTERM', () => leave(143));
  process.on('SIGHUP', () => leave(129));
  if (process.env['npm_lifecycle_event']) leaveWithNpm();
}

/** An npm that is killed ends its shell, not what the shell runs. */
function leaveWithNpm(): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) leave(143);
  }, 500).unref();
}

async function leave(code: number): Promise<void> {
  if (leaving) process.exit(code);
  leaving = true;
  for (const farewell of farewells) await farewell().catch(console.error);
  process.exit(code);
}
