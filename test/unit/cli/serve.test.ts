// unroll serve over real HTTP: answers equal to those of `unroll predict` and `unroll sample`, step by step too, and each
// request that is refused with its status and one sentence.
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { IDLE_MINUTES, MOST_SESSIONS, Sessions } from '../../../src/trainer/inference/serve/sessions.ts';
import type { Stepper } from '../../../src/trainer/layers/stepper.ts';
import { jsonLines, startUnroll, unroll } from './unroll.ts';

interface Server {
  child: ChildProcess;
  url: string;
  token: string;
}

interface Reply {
  status: number;
  headers: IncomingMessage['headers'];
  // biome-ignore lint/suspicious/noExplicitAny: JSON of several forms, each asserted
  body: any;
}

interface Asked {
  method?: string;
  body?: unknown;
  /** sent as it is, in place of `body` */
  raw?: string;
  headers?: Record<string, string | number>;
}

function ask(
  { url, token }: Server,
  path: string,
  { method, body, raw, headers }: Asked = {},
): Promise<Reply> {
  const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  return new Promise((resolve, reject) => {
    const asked = request(`${url}${path}`, {
      method: method ?? (sent === undefined ? 'GET' : 'POST'),
      agent: false,
      headers: {
        authorization: `Bearer ${token}`,
        ...(sent === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
    });
    asked.once('error', reject);
    asked.once('response', response => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', part => {
        text += part;
      });
      response.once('end', () => {
        resolve({ status: response.statusCode!, headers: response.headers, body: JSON.parse(text) });
        asked.destroy();
      });
    });
    if (headers?.['content-length'] === undefined) asked.end(sent);
    else asked.flushHeaders();
  });
}

describe('unroll serve', () => {
  let folder: string;
  const runs: Record<string, string> = {};
  const servers: Record<string, Server> = {};
  const run = (...args: string[]) => unroll(args, { cwd: folder });
  const begin = async (name: string, data: object, layers: object[], training: object) => {
    writeFileSync(join(folder, `${name}.rnn.json`), JSON.stringify({ data, model: { layers }, training }));
    const made = run('train', `${name}.rnn.json`, '--json');
    assert.equal(made.code, 0, made.stderr);
    runs[name] = (jsonLines(made.stdout).at(-1) as { run: string }).run;
    const child = startUnroll(['serve', runs[name], '--json'], folder);
    const [line] = await once(createInterface({ input: child.stdout! }), 'line');
    servers[name] = { child, ...JSON.parse(line) };
  };
  const level = (at: number) => Number((10 + 5 * Math.sin(at / 3) + at / 50).toFixed(3));
  const table = (rows: number) =>
    Array.from({ length: rows }, (_, at) => ({ level: level(at), other: at % 7 }));

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'unroll-serve-test-'));
    const adam = { type: 'adam', learningRate: 0.03 };
    writeFileSync(join(folder, 'l.txt'), 'abcd '.repeat(200));
    writeFileSync(
      join(folder, 'f.csv'),
      `level,other\n${table(160)
        .map(row => `${row.level},${row.other}`)
        .join('\n')}\n`,
    );
    writeFileSync(
      join(folder, 'c.jsonl'),
      Array.from({ length: 60 }, (_, at) =>
        JSON.stringify({ text: at % 2 ? `ba${at % 3}` : `ab${at % 3}`, class: at % 2 ? 'x' : 'y' }),
      ).join('\n'),
    );
    await begin('l', { task: 'char-lm', path: 'l.txt' }, [{ type: 'gru', units: 12 }, { type: 'dense' }], {
      ...{ steps: 60, batchSize: 4, seqLen: 10, optimizer: adam },
    });
    await begin(
      'f',
      {
        task: 'forecast',
        path: 'f.csv',
        target: 'level',
        features: ['level', 'other'],
        window: 12,
        horizon: 3,
        difference: 2,
      },
      [{ type: 'lstm', units: 6 }, { type: 'dense' }],
      { steps: 20, batchSize: 8, optimizer: adam },
    );
    const known = { task: 'forecast', path: 'f.csv', window: 6, horizon: 3, known: ['other'] };
    // a model without a state sees its window alone, as in a file
    const layers = [{ type: 'conv1d', units: 6, kernelSize: 3 }, { type: 'dense' }];
    const training = { steps: 20, batchSize: 8, optimizer: adam };
    await begin('known', { ...known, target: ['level'], quantiles: [0.1, 0.5, 0.9] }, layers, training);
    await begin(
      'recursive',
      { ...known, target: 'level', features: ['level', 'other'], strategy: 'recursive', missing: 'mask' },
      layers,
      training,
    );
    await begin(
      'c',
      { task: 'classify', path: 'c.jsonl', text: 'text', label: 'class' },
      [{ type: 'gru', units: 6 }, { type: 'dense' }],
      { steps: 30, batchSize: 8, optimizer: adam },
    );
  });
  after(() => {
    for (const { child } of Object.values(servers)) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  it('a language model: writes as sample does, and says what follows step by step', async () => {
    const own = servers['l']!;
    const about = await ask(own, '/');
    assert.equal(about.status, 200);
    assert.deepEqual([about.body.task, about.body.sessions], ['char-lm', 0]);
    const asked = { prompt: 'ab', length: 12, temperature: 0.8, seed: 5 };
    const written = await ask(own, '/predict', { body: asked });
    const [sampled] = jsonLines(
      run(
        'sample',
        runs['l']!,
        '--prompt',
        'ab',
        '--length',
        '12',
        '--temperature',
        '0.8',
        '--seed',
        '5',
        '--json',
      ).stdout,
    );
    assert.equal(written.body.text, (sampled as { text: string }).text);
    const whole = await ask(own, '/step', { body: { input: 'abc' } });
    const first = await ask(own, '/step', { body: { input: 'ab' } });
    const second = await ask(own, '/step', { body: { session: first.body.session, input: 'c' } });
    assert.equal(second.body.steps, 3);
    assert.deepEqual(second.body.output, whole.body.output);
    assert.equal(second.body.output.next[0].symbol, 'd');
    const sum = second.body.output.next.reduce(
      (all: number, { probability }: { probability: number }) => all + probability,
      0,
    );
    assert.ok(Math.abs(sum - 1) < 1e-9, 'of five symbols all are told');
    const ended = await ask(own, '/step', { body: { session: first.body.session, end: true } });
    assert.equal(ended.body.ended, true);
    const gone = await ask(own, '/step', { body: { session: first.body.session, input: 'a' } });
    assert.equal(gone.status, 404);
    assert.match(gone.body.error, /^There is no such session/);
    assert.equal((await ask(own, '/')).body.sessions, 1);
  });

  it('a forecast: as predict, from rows and from the text of a file, and row by row over one window', async () => {
    const own = servers['f']!;
    // 12 changes over 2 rows
    const rows = table(14);
    writeFileSync(join(folder, 'new.jsonl'), rows.map(row => JSON.stringify(row)).join('\n'));
    const [told] = jsonLines(run('predict', runs['f']!, 'new.jsonl', '--json').stdout) as never as [
      { next: { row: number; prediction: number }[] },
    ];
    const fromRows = await ask(own, '/predict', { body: { rows } });
    assert.deepEqual(fromRows.body.next, told.next);
    const text = `level,other\n${rows.map(row => `${row.level},${row.other}`).join('\n')}\n`;
    const fromText = await ask(own, '/predict', { body: { text, format: 'csv', next: true } });
    assert.deepEqual([fromText.body.next, fromText.body.rows], [told.next, []]);
    let session: string | undefined;
    let output: { prediction: number[] } | null = null;
    for (const [at, row] of rows.entries()) {
      const input = at % 2 ? row : [row.level, row.other];
      const { body } = await ask(own, '/step', { body: { session, input } });
      assert.equal(body.output === null, at < 2, 'no change is known in the first two rows');
      ({ session, output } = body);
    }
    told.next.forEach(({ prediction }, k) => {
      assert.ok(
        Math.abs(output!.prediction[k]! - prediction) < 1e-4,
        `${output!.prediction[k]} ${prediction}`,
      );
    });
    const strange = await ask(own, '/step', { body: { session, input: { level: 'high', other: 1 } } });
    assert.equal(strange.status, 400);
    assert.equal(
      strange.body.error,
      '"input" must have numbers or null for level, other: "level" is "high".',
    );
  });

  it('a forecast with columns known in advance: as predict, from rows and row by row', async () => {
    const rows = table(11);
    const past = rows.slice(0, 8);
    const asked = rows.map((row, at) => (at < 8 ? row : { ...row, level: null }));
    const steps = (name: string, inputOf: (at: number) => unknown) =>
      past.reduce<Promise<Reply>>(
        async (before, _, at) => {
          const { session } = (await before).body;
          return ask(servers[name]!, '/step', { body: { session, input: inputOf(at) } });
        },
        Promise.resolve({ body: {} } as Reply),
      );
    const ahead = (at: number, from: number) => rows.slice(at + from, at + 4).map(({ other }) => other);
    const near = (found: number[], expected: number[]) => {
      assert.equal(found.length, expected.length);
      found.forEach((value, k) => {
        assert.ok(Math.abs(value - expected[k]!) < 1e-4, `${found} ${expected}`);
      });
    };
    const nextOf = async (name: string, column: string): Promise<number[]> => {
      const { body } = await ask(servers[name]!, '/predict', { body: { rows: asked, next: true } });
      return body.next.map((row: Record<string, number>) => row[column]!);
    };

    const direct = await steps('known', at => ({ level: past[at]!.level, other: ahead(at, 1) }));
    const { prediction, quantiles } = direct.body.output;
    near(prediction.level, await nextOf('known', 'prediction'));
    for (const q of ['0.1', '0.5', '0.9']) near(quantiles[q].level, await nextOf('known', `q${q}`));
    const recursive = await steps('recursive', at => ({ level: past[at]!.level, other: ahead(at, 0) }));
    near(recursive.body.output.prediction, await nextOf('recursive', 'prediction'));

    const { stepInput } = (await ask(servers['recursive']!, '/')).body;
    assert.equal(
      stepInput,
      "an object by column: numbers for level; an array of 4 for each of other: this row's value, then the next 3",
    );
    const refused: [unknown, RegExp][] = [
      [3, /^"input" must be an object by column, with an array of values to come for other\.$/],
      [{ level: 1 }, /must have an array of 3 numbers for "other", those of the next rows: found nothing\.$/],
      [{ level: 1, other: [1, 2] }, /found 2\.$/],
      [{ level: 1, other: [1, null, 2] }, /number 2 is null\.$/],
      [{ level: 1, other: [1, 2, 3], more: 1 }, /there is no column "more"\.$/],
    ];
    for (const [input, sentence] of refused) {
      const reply = await ask(servers['known']!, '/step', { body: { input } });
      assert.equal(reply.status, 400);
      assert.match(reply.body.error, sentence);
    }
  });

  it('a classifier: as predict, and unit by unit', async () => {
    const own = servers['c']!;
    const rows = [{ text: 'ba1' }, { text: 'ab2' }];
    writeFileSync(join(folder, 'new.jsonl'), rows.map(row => JSON.stringify(row)).join('\n'));
    const [told] = jsonLines(run('predict', runs['c']!, 'new.jsonl', '--json').stdout) as never as [
      { rows: { prediction: string; probability: number }[] },
    ];
    const { body } = await ask(own, '/predict', { body: { rows } });
    assert.deepEqual(body.rows, told.rows);
    const begun = await ask(own, '/step', { body: { input: 'b' } });
    const { output } = (await ask(own, '/step', { body: { session: begun.body.session, input: 'a1' } })).body;
    assert.equal(output.prediction, told.rows[0]!.prediction);
    assert.ok(Math.abs(output.probability - told.rows[0]!.probability) < 1e-5);
    const missing = await ask(own, '/predict', { body: { rows: [{ other: 1 }] } });
    assert.equal(missing.status, 400);
    assert.match(missing.body.error, /request\.jsonl.*"text"/);
    assert.doesNotMatch(missing.body.error, /unroll-serve-/);
  });

  it('refuses what it must not answer, with the status and one sentence', async () => {
    const own = servers['c']!;
    const body = { rows: [{ text: 'ab' }] };
    const cases: [number, RegExp, string, Asked][] = [
      [401, /"Authorization: Bearer TOKEN"/, '/', { headers: { authorization: '' } }],
      [401, /the token that was printed/, '/predict', { body, headers: { authorization: 'Bearer guess' } }],
      [401, /the token that was printed/, '/', { headers: { authorization: `Bearer ${own.token}x` } }],
      [
        401,
        /token/,
        '/predict',
        { method: 'OPTIONS', headers: { authorization: '', origin: 'http://evil.example' } },
      ],
      [
        403,
        /^The Host header must be 127\.0\.0\.1:\d+ or localhost/,
        '/',
        { headers: { host: 'evil.example' } },
      ],
      [403, /Host header/, '/', { headers: { host: '127.0.0.1' } }],
      [404, /^There is nothing at \/train; there are GET \/, /, '/train', { body }],
      [404, /^There is nothing at \/constructor/, '/constructor', {}],
      [405, /^\/predict takes POST, not GET\.$/, '/predict', {}],
      [405, /^\/ takes GET, not POST\.$/, '/', { body }],
      [415, /must be application\/json/, '/predict', { body, headers: { 'content-type': 'text/plain' } }],
      [
        413,
        /^A request may have 1,000,000 bytes/,
        '/predict',
        { body, headers: { 'content-length': 1_000_001 } },
      ],
      [400, /^The body is not JSON\.$/, '/predict', { raw: '{"rows": [' }],
      [400, /^The request cannot be used: the value is not of the kind object\.$/, '/predict', { body: [] }],
      [400, /^The request has no field "rosw"; there are rows, /, '/predict', { body: { rosw: [] } }],
      [
        400,
        /^The request cannot be used: rows\.0 is not of the kind record\.$/,
        '/predict',
        { body: { rows: [1] } },
      ],
      [400, /^The request cannot be used: rows is empty\.$/, '/predict', { body: { rows: [] } }],
      [400, /must have either "rows", .*, or "text"/, '/predict', { body: {} }],
      [400, /^"input" must be a text, found nothing\.$/, '/step', { body: {} }],
      [
        400,
        /^"input" has 1,200 steps; up to 1000 are read at once\.$/,
        '/step',
        { body: { input: 'a'.repeat(1200) } },
      ],
      [404, /^There is no such session/, '/step', { body: { session: 'x', input: 'a' } }],
    ];
    for (const [status, sentence, path, asked] of cases) {
      const reply = await ask(own, path, asked);
      assert.equal(reply.status, status, `${path} ${JSON.stringify(asked)}: ${JSON.stringify(reply.body)}`);
      assert.match(reply.body.error, sentence);
      assert.deepEqual(Object.keys(reply.body), ['error']);
      assert.equal(reply.headers['access-control-allow-origin'], undefined);
      assert.equal(reply.headers['content-type'], 'application/json; charset=utf-8');
    }
    assert.equal((await ask(own, '/', {})).status, 200, 'it goes on');
  });

  it('refuses a body that grows too long as it comes', async () => {
    const reply = await new Promise<Reply>((resolve, reject) => {
      const own = servers['c']!;
      const asked = request(`${own.url}/predict`, {
        method: 'POST',
        agent: false,
        headers: { authorization: `Bearer ${own.token}`, 'content-type': 'application/json' },
      });
      asked.once('error', reject);
      asked.once('response', response => {
        asked.removeAllListeners('error').on('error', () => {});
        response.setEncoding('utf8').once('data', text => {
          resolve({ status: response.statusCode!, headers: response.headers, body: JSON.parse(text) });
          asked.destroy();
        });
      });
      // chunked: no length is told, and the end does not come
      asked.write(' '.repeat(1_000_001));
    });
    assert.equal(reply.status, 413);
    assert.equal(reply.headers.connection, 'close');
  });

  it('keeps so many sessions, each until it was idle for too long', () => {
    let now = 0;
    const sessions = new Sessions(() => now);
    const session = () => ({
      stepper: {} as Stepper,
      reader: { read: () => [], answer: () => ({}) },
      steps: 0,
    });
    const ids = Array.from({ length: MOST_SESSIONS }, () => sessions.add(session()));
    assert.equal(new Set(ids).size, MOST_SESSIONS);
    assert.equal(sessions.add(session()), null);
    now = IDLE_MINUTES * 60_000;
    assert.ok(sessions.find(ids[3]!));
    now += 1;
    assert.equal(sessions.size, 1, 'the others are dropped');
    assert.equal(sessions.find(ids[0]!), null);
    assert.ok(sessions.add(session()));
  });

  it('ends by a signal; a port that is taken is told', async () => {
    const own = servers['l']!;
    const { port } = new URL(own.url);
    const taken = run('serve', runs['c']!, '--port', port);
    assert.equal(taken.code, 2);
    assert.match(
      taken.stderr,
      new RegExp(`^Port ${port} is taken; leave --port out to take a free one\\.$`, 'm'),
    );
    own.child.kill('SIGTERM');
    assert.deepEqual(await once(own.child, 'exit'), [null, 'SIGTERM']);
    servers['f']!.child.kill('SIGINT');
    assert.deepEqual(await once(servers['f']!.child, 'exit'), [null, 'SIGINT']);
    await assert.rejects(ask(own, '/'), { code: 'ECONNREFUSED' });
  });
});
