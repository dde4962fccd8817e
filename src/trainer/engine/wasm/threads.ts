// The worker threads of the WASM engine. Each enters the module's pool and stays in it; a process can end meanwhile.
import { Worker } from 'node:worker_threads';
import type { Heap } from './heap.ts';
import type { LoadedModule } from './module.ts';

const STACK = 256 * 1024;

/** Starts threads 1 to count-1, each with a stack on the heap; resolves when all are about to enter the pool. */
export async function startThreads(
  { module, worker }: LoadedModule,
  heap: Heap,
  count: number,
): Promise<void> {
  const started = [];
  for (let index = 1; index < count; index++) {
    const stackTop = heap.take(STACK) + STACK;
    // what the process was started with (loaders, profilers) is not for threads that compute
    const options = { workerData: { module, memory: heap.memory, index, stackTop }, execArgv: [], env: {} };
    const thread = new Worker(worker, options);
    started.push(
      new Promise<void>((resolve, reject) => {
        thread.once('error', reject);
        thread.once('message', () => {
          thread.unref();
          resolve();
        });
      }),
    );
  }
  await Promise.all(started);
}
