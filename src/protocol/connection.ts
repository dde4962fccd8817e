// The two ends of the conversation. Every request ends: with its result, with an error, or with the death of
// the other side.
import type {
  HostEventName,
  HostEvents,
  PageRequestName,
  PageRequests,
  ParamsOf,
  ResultOf,
} from './messages.ts';
import { type Envelope, isEnvelope, type Transport } from './transport.ts';

/** The request failed on the other side; `remoteStack` tells where. */
export class RequestError extends Error {
  readonly remoteStack: string;
  constructor(message: string, remoteStack: string) {
    super(message);
    this.name = 'RequestError';
    this.remoteStack = remoteStack;
  }
}

/** The other side is gone, or this one was ended. */
export class ConnectionEndedError extends Error {
  constructor(request: string) {
    super(`The other side ended before it answered ${request}.`);
    this.name = 'ConnectionEndedError';
  }
}

export type EventHandlers = { [N in HostEventName]: (value: HostEvents[N]) => void };
export type RequestHandlers = {
  [N in PageRequestName]: (params: ParamsOf<N>) => ResultOf<N> | Promise<ResultOf<N>>;
};
/** Returns the checked parameters; throws a sentence when they are not what the name asks for. */
export type RequestCheck = <N extends PageRequestName>(name: N, params: unknown) => ParamsOf<N>;

interface Pending {
  name: string;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** The page's end: asks, and is told. */
export class PageConnection {
  private readonly transport: Transport;
  private readonly pending = new Map<number, Pending>();
  private nextId = 1;
  private ended = false;

  constructor(transport: Transport, handlers: EventHandlers) {
    this.transport = transport;
    transport.listen(
      message => {
        if (isEnvelope(message)) this.take(message, handlers);
      },
      () => this.end(),
    );
  }

  request<N extends PageRequestName>(name: N, params: PageRequests[N]['params']): Promise<ResultOf<N>> {
    if (this.ended) return Promise.reject(new ConnectionEndedError(name));
    const id = this.nextId++;
    return new Promise<ResultOf<N>>((resolve, reject) => {
      this.pending.set(id, { name, resolve: value => resolve(value as ResultOf<N>), reject });
      this.send({ type: 'request', id, name, params });
    });
  }

  dispose(): void {
    if (this.ended) return;
    this.end();
    this.transport.dispose();
  }

  private send(envelope: Envelope): void {
    this.transport.post(envelope);
  }

  private take(envelope: Envelope, handlers: EventHandlers): void {
    switch (envelope.type) {
      case 'event':
        if (Object.hasOwn(handlers, envelope.name))
          handlers[envelope.name as HostEventName](envelope.value as never);
        break;
      case 'result':
        this.settle(envelope.id, pending => pending.resolve(envelope.value));
        break;
      case 'error':
        this.settle(envelope.id, pending =>
          pending.reject(new RequestError(envelope.message, envelope.stack)),
        );
        break;
      case 'bye':
        this.end();
        break;
      case 'request':
        break;
      default:
        envelope satisfies never;
    }
  }

  private settle(id: number, how: (pending: Pending) => void): void {
    const pending = this.pending.get(id);
    this.pending.delete(id);
    if (pending) how(pending);
  }

  private end(): void {
    this.ended = true;
    const unanswered = [...this.pending.values()];
    this.pending.clear();
    for (const { name, reject } of unanswered) reject(new ConnectionEndedError(name));
  }
}

/** The extension's end: tells, and answers. What arrives is untrusted and checked before a handler sees it. */
export class HostConnection {
  private readonly transport: Transport;
  private readonly handlers: RequestHandlers;
  private readonly check: RequestCheck;
  private ended = false;

  constructor(transport: Transport, handlers: RequestHandlers, check: RequestCheck) {
    this.transport = transport;
    this.handlers = handlers;
    this.check = check;
    transport.listen(
      message => {
        if (isEnvelope(message) && message.type === 'request') void this.answer(message);
      },
      () => {
        this.ended = true;
      },
    );
  }

  emit<N extends HostEventName>(name: N, value: HostEvents[N]): void {
    this.send({ type: 'event', name, value });
  }

  /** Requests that are still open end on the other side. */
  dispose(): void {
    this.send({ type: 'bye' });
    this.ended = true;
    this.transport.dispose();
  }

  private async answer(request: Extract<Envelope, { type: 'request' }>): Promise<void> {
    const { id } = request;
    try {
      if (!Object.hasOwn(this.handlers, request.name))
        throw new Error(`There is no request ${JSON.stringify(request.name.slice(0, 80))}.`);
      const name = request.name as PageRequestName;
      const handler = this.handlers[name] as (params: unknown) => unknown;
      const value = await handler(this.check(name, request.params));
      this.send({ type: 'result', id, value });
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      this.send({ type: 'error', id, message: error.message, stack: error.stack ?? '' });
    }
  }

  private send(envelope: Envelope): void {
    if (!this.ended) this.transport.post(envelope);
  }
}
