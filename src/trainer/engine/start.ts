// Starting the engine: which provider computes, and why that one.
import type { EngineName, RunFile } from '../../runs/format.ts';
import { startBackend } from './backend.ts';
import { loadNative } from './native/provider.ts';
import type { Provider } from './provider.ts';
import { referenceProvider } from './reference/provider.ts';
import { leaveTfjsNode, startTfjsNode } from './tfjs-node/start.ts';
import { loadWasm } from './wasm/provider.ts';

/** The engine that was asked for is not to be had; the message says what to do. */
export class EngineUnavailableError extends Error {
  override readonly name = 'EngineUnavailableError';
}

/** Loads a provider, or says why it cannot, in a sentence without its full stop. */
type Loader = (threads: number | null) => Promise<Provider | string>;

/** Best first: `auto` takes the first that loads. A new provider is a file and a line here. */
const candidates: readonly { name: Provider['name']; load: Loader }[] = [
  { name: 'native', load: loadNative },
  { name: 'wasm', load: loadWasm },
  { name: 'reference', load: async () => referenceProvider },
];

/** Makes tensors compute on the engine of this name; `threads` null leaves their number to the provider. */
export async function startEngine(name: EngineName, threads: number | null): Promise<RunFile['engineUsed']> {
  leaveTfjsNode();
  if (name === 'tfjs-node') return startTensorflow(threads);
  const wanted = name === 'auto' ? candidates : candidates.filter(candidate => candidate.name === name);
  const refusals: string[] = [];
  for (const candidate of wanted) {
    const loaded = await candidate.load(threads);
    if (typeof loaded === 'string') {
      refusals.push(loaded);
      continue;
    }
    await startBackend(loaded);
    return {
      provider: loaded.name,
      instructionSet: loaded.instructionSet,
      threads: loaded.threads,
      why: reason(name, refusals),
    };
  }
  throw new EngineUnavailableError(
    `${refusals.join('; ') || `There is no engine "${name}"`}; choose "auto" or "reference", which work here.`,
  );
}

/** Not one of the candidates: it has tensors of its own and is no provider. */
async function startTensorflow(threads: number | null): Promise<RunFile['engineUsed']> {
  const started = await startTfjsNode(threads);
  if (typeof started === 'string')
    throw new EngineUnavailableError(`${started} "auto" and "reference" work here.`);
  return started;
}

function reason(asked: EngineName, refusals: string[]): string {
  if (asked !== 'auto') return `${asked} was asked for`;
  if (refusals.length > 0) return refusals.join('; ');
  return 'the fastest engine that this machine has';
}
