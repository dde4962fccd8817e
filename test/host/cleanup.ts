// Ends what we started when this process ends, however it ends.
import process from 'node:process';

const tasks = new Set<() => void>();
let listening = false;

/** `task` must be synchronous: it runs while the process exits. Returns how to forget it. */
export function atEnd(task: () => void): () => void {
  if (!listening) {
    listening = true;
    process.on('exit', () => {
      for (const each of tasks) each();
    });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(signal, () => process.exit(signal === 'SIGINT' ? 130 : 143));
  }
  tasks.add(task);
  return () => tasks.delete(task);
}
