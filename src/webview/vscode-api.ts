// The only door to VS Code. It can be asked for once, and is kept private to this file and its transport.
import type { Transport } from '../protocol/transport.ts';

interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}
declare function acquireVsCodeApi(): VsCodeApi;

const api = acquireVsCodeApi();

export function hostTransport(): Transport {
  let listener: ((event: MessageEvent) => void) | null = null;
  return {
    post: message => api.postMessage(message),
    listen: take => {
      listener = event => take(event.data);
      window.addEventListener('message', listener);
    },
    dispose: () => {
      if (listener) window.removeEventListener('message', listener);
    },
  };
}

export function savedState(): unknown {
  return api.getState();
}

export function saveState(state: unknown): void {
  api.setState(state);
}
