// What a conversation needs of the world: three members, so that tests can join two ends in memory.

export interface Transport {
  post(message: unknown): void;
  /** Once. `ended` is called when the other side is known to be gone. */
  listen(take: (message: unknown) => void, ended: () => void): void;
  dispose(): void;
}

/** What crosses; nothing else does. */
export type Envelope =
  | { type: 'event'; name: string; value: unknown }
  | { type: 'request'; id: number; name: string; params: unknown }
  | { type: 'result'; id: number; value: unknown }
  | { type: 'error'; id: number; message: string; stack: string }
  | { type: 'bye' };

export function isEnvelope(value: unknown): value is Envelope {
  if (typeof value !== 'object' || value === null || !('type' in value)) return false;
  const envelope = value as Record<string, unknown>;
  switch (envelope.type) {
    case 'event':
      return typeof envelope.name === 'string';
    case 'request':
      return Number.isSafeInteger(envelope.id) && typeof envelope.name === 'string';
    case 'result':
      return Number.isSafeInteger(envelope.id);
    case 'error':
      return (
        Number.isSafeInteger(envelope.id) &&
        typeof envelope.message === 'string' &&
        typeof envelope.stack === 'string'
      );
    case 'bye':
      return true;
    default:
      return false;
  }
}

/** Two ends joined in memory; messages are cloned as a webview clones them, and arrive later. */
export function joinedEnds(): [Transport, Transport] {
  const ends = [new MemoryEnd(), new MemoryEnd()] as const;
  ends[0].other = ends[1];
  ends[1].other = ends[0];
  return [ends[0], ends[1]];
}

class MemoryEnd implements Transport {
  other: MemoryEnd | null = null;
  private take: ((message: unknown) => void) | null = null;
  private ended: (() => void) | null = null;
  private disposed = false;

  post(message: unknown): void {
    const clone = structuredClone(message);
    queueMicrotask(() => this.other?.receive(clone));
  }

  listen(take: (message: unknown) => void, ended: () => void): void {
    this.take = take;
    this.ended = ended;
  }

  dispose(): void {
    this.disposed = true;
    queueMicrotask(() => this.other?.otherEnded());
  }

  private receive(message: unknown): void {
    if (!this.disposed) this.take?.(message);
  }

  private otherEnded(): void {
    if (!this.disposed) this.ended?.();
  }
}
