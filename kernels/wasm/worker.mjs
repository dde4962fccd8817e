// One thread of the WASM engine's pool: its own instance of the module over the shared memory, with its own stack. It
// stays in the pool's loop until the engine is closed, and then ends.
import process from 'node:process';
import { parentPort, workerData } from 'node:worker_threads';

const { module, memory, index, stackTop } = workerData;
const { exports } = new WebAssembly.Instance(module, { env: { memory, now: () => performance.now() } });
exports.__stack_pointer.value = stackTop;
parentPort.postMessage('ready');
try {
  exports.unroll_thread_run(index);
} catch (error) {
  // the main thread waits inside the module and would wait for ever
  console.error(error);
  process.kill(process.pid, 'SIGABRT');
}
