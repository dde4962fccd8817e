// HTTP of `unroll serve`: loopback alone, a token with every request, JSON in and out, one request computed at a time.
// A page in a browser reaches nothing: other host names are refused (DNS rebinding), and no CORS header is ever sent.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { InputError } from '../../training/prepare.ts';
import { type Answers, RequestError } from './answers.ts';

export const MOST_BYTES = 1_000_000;
/** Requests that wait for the one being computed. */
const MOST_WAITING = 16;
const MOST_CONNECTIONS = 64;

export interface Served {
  url: string;
  token: string;
  server: Server;
}

/** `port` 0: one that is free. @throws InputError where the port is taken */
export async function serve(answers: Answers, port: number): Promise<Served> {
  const token = randomBytes(32).toString('base64url');
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 });
  server.maxConnections = MOST_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why =
        cause.code === 'EADDRINUSE'
          ? 'is taken'
          : cause.code === 'EACCES'
            ? 'needs more rights'
            : 'cannot be opened';
      reject(new InputError(`Port ${port} ${why}; leave --port out to take a free one.`));
    });
    server.listen({ host: '127.0.0.1', port, exclusive: true }, resolve);
  });
  const own = (server.address() as AddressInfo).port;
  const inTurn = queue();
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    void handle(request, { answers, token, port: own, inTurn })
      .then(answer => send(response, 200, answer))
      .catch((cause: unknown) => refuse(request, response, cause));
  });
  server.on('clientError', (_cause, socket) => {
    if (!socket.writable) return;
    const body = JSON.stringify({ error: 'The request is not HTTP as it is understood here.' });
    socket.end(
      `HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    );
  });
  const tidying = setInterval(() => answers.tidy(), 60_000);
  tidying.unref();
  server.once('close', () => clearInterval(tidying));
  return { url: `http://127.0.0.1:${own}`, token, server };
}

interface Room {
  answers: Answers;
  token: string;
  port: number;
  inTurn<T>(work: () => Promise<T>): Promise<T>;
}

const ROUTES: Readonly<Record<string, 'GET' | 'POST'>> = { '/': 'GET', '/predict': 'POST', '/step': 'POST' };

/** What is refused is refused before anything of the body is read. */
async function handle(request: IncomingMessage, { answers, token, port, inTurn }: Room): Promise<object> {
  const { host, authorization = '' } = request.headers;
  if (host !== `127.0.0.1:${port}` && host !== `localhost:${port}`)
    throw new RequestError(403, `The Host header must be 127.0.0.1:${port} or localhost:${port}.`);
  const [, given = ''] = /^Bearer +(\S+)$/i.exec(authorization) ?? [];
  if (!areEqual(given, token))
    throw new RequestError(
      401,
      'The header "Authorization: Bearer TOKEN" must have the token that was printed at start.',
    );
  const path = (request.url ?? '/').split('?', 1)[0]!;
  const method = Object.hasOwn(ROUTES, path) ? ROUTES[path]! : null;
  if (!method)
    throw new RequestError(
      404,
      `There is nothing at ${path.slice(0, 80)}; there are GET /, POST /predict and POST /step.`,
    );
  if (request.method !== method)
    throw new RequestError(405, `${path} takes ${method}, not ${request.method}.`);
  if (method === 'GET') return answers.about();
  const [type] = (request.headers['content-type'] ?? '').split(';', 1) as [string];
  if (type.trim().toLowerCase() !== 'application/json')
    throw new RequestError(415, 'The Content-Type must be application/json.');
  const body = await bodyOf(request);
  return inTurn(async () => (path === '/predict' ? answers.predict(body) : answers.step(body)));
}

/** Hashed first, so that the time tells neither what was right nor its length. */
function areEqual(given: string, token: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(given), hash(token));
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const tooLarge = () =>
    new RequestError(
      413,
      `A request may have ${MOST_BYTES.toLocaleString('en-US')} bytes; send fewer rows at a time.`,
    );
  if (Number(request.headers['content-length'] ?? 0) > MOST_BYTES) throw tooLarge();
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request.iterator({ destroyOnReturn: false })) {
    size += (part as Buffer).length;
    if (size > MOST_BYTES) throw tooLarge();
    parts.push(part as Buffer);
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(parts)));
  } catch {
    throw new RequestError(400, 'The body is not JSON.');
  }
}

/** One after the other: all use one model. */
function queue(): Room['inTurn'] {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return async work => {
    if (waiting >= MOST_WAITING) throw new RequestError(503, 'Too many requests wait already; try again.');
    waiting++;
    const own = last.then(work).finally(() => waiting--);
    last = own.catch(() => {});
    return own;
  };
}

/** Errors whose message is made for people, and is about what was sent. */
const WRONG_INPUT = new Set(['DataError', 'InputError', 'ModelError']);

function refuse(request: IncomingMessage, response: ServerResponse, cause: unknown): void {
  const { name, message } = cause as Error;
  // what is left of a body is not read
  if (!request.complete) response.setHeader('Connection', 'close');
  if (cause instanceof RequestError) {
    if (cause.status === 401) response.setHeader('WWW-Authenticate', 'Bearer');
    if (cause.status === 405) response.setHeader('Allow', request.url === '/' ? 'GET' : 'POST');
    send(response, cause.status, { error: message });
  } else if (WRONG_INPUT.has(name)) send(response, 400, { error: message });
  else send(response, 500, { error: `The model could not answer: ${message}` });
}

function send(response: ServerResponse, status: number, body: object): void {
  if (response.destroyed || response.headersSent) return;
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(text);
}
