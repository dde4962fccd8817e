// Requests and events over two ends joined in memory.
import assert from 'node:assert/strict';
import { checkRequest } from '../../../src/protocol/check.ts';
import {
  ConnectionEndedError,
  type EventHandlers,
  HostConnection,
  PageConnection,
  RequestError,
  type RequestHandlers,
} from '../../../src/protocol/connection.ts';
import type { Curve, ParamsOf, ResultOf, Tried } from '../../../src/protocol/messages.ts';
import { joinedEnds } from '../../../src/protocol/transport.ts';

const none: EventHandlers = { 'state/replace': () => {}, 'state/update': () => {}, 'view/focus': () => {} };

function handlersWith(some: Partial<RequestHandlers>): RequestHandlers {
  const silent = () => null;
  return {
    'page/ready': silent,
    'curve/smooth': silent,
    'curve/range': () => curve(),
    'run/control': silent,
    'run/continue': silent,
    'comparison/pin': silent,
    'choices/load': silent,
    'choices/save': silent,
    'chart/save': silent,
    'finding/fix': silent,
    'run/try': silent,
    'command/run': silent,
    ...some,
  };
}

function curve(): Curve {
  // a view into a larger buffer: only its own part may cross
  const buffer = Float64Array.from([9, 9, 1, 2, 3]).buffer;
  const values = new Float64Array(buffer, 16, 3);
  const small = Float32Array.from([0.5, Number.NaN, 2]);
  return {
    step: values,
    seconds: values,
    tokens: values,
    mean: small,
    min: small,
    max: small,
    smooth: small,
    rowsPerPoint: 1,
    broken: new Float64Array(0),
  };
}

function joined(some: Partial<RequestHandlers>, events: EventHandlers = none) {
  const [hostEnd, pageEnd] = joinedEnds();
  const host = new HostConnection(hostEnd, handlersWith(some), checkRequest);
  const page = new PageConnection(pageEnd, events);
  return { host, page, pageEnd, hostEnd };
}

const range = { runId: 'a', curve: 'trainLoss', from: 0, to: 9, points: 100 } as const;

describe('the conversation of extension and page', () => {
  it('answers a request with its result, typed arrays included', async () => {
    const { page } = joined({});
    const answer = await page.request('curve/range', range);
    assert.deepEqual([...answer.step], [1, 2, 3]);
    assert.ok(answer.step instanceof Float64Array);
    assert.deepEqual([...answer.mean], [0.5, Number.NaN, 2]);
  });

  it('ends a request with the error of its handler, message and stack', async () => {
    const { page } = joined({
      'run/continue': () => {
        throw new Error('no such run');
      },
    });
    await assert.rejects(page.request('run/continue', { runIds: ['x'] }), (error: unknown) => {
      assert.ok(error instanceof RequestError);
      assert.equal(error.message, 'no such run');
      assert.match(error.remoteStack, /connection\.test/);
      return true;
    });
  });

  it('ends every open request when the extension goes', async () => {
    const { host, page } = joined({ 'run/continue': () => new Promise<null>(() => {}) });
    const open = [
      page.request('run/continue', { runIds: [] }),
      page.request('run/continue', { runIds: ['b'] }),
    ];
    await Promise.resolve();
    host.dispose();
    for (const request of open) await assert.rejects(request, ConnectionEndedError);
    await assert.rejects(page.request('page/ready', { smoothing: 0 }), ConnectionEndedError);
  });

  it('ends every open request when the transport dies without a word, and when the page itself goes', async () => {
    const never = { 'run/continue': () => new Promise<null>(() => {}) };
    const first = joined(never);
    const open = first.page.request('run/continue', { runIds: [] });
    first.hostEnd.dispose();
    await assert.rejects(open, ConnectionEndedError);
    const second = joined(never);
    const other = second.page.request('run/continue', { runIds: [] });
    second.page.dispose();
    await assert.rejects(other, ConnectionEndedError);
  });

  it('answers several requests each with its own result, in whatever order they end', async () => {
    const { page } = joined({
      'curve/range': async ({ from }) => {
        for (let i = 0; i < 5 - from; i++) await Promise.resolve();
        return { ...curve(), rowsPerPoint: from + 1 };
      },
    });
    const answers = await Promise.all(
      [0, 3, 1, 4].map(from => page.request('curve/range', { ...range, from })),
    );
    assert.deepEqual(
      answers.map(({ rowsPerPoint }) => rowsPerPoint),
      [1, 4, 2, 5],
    );
  });

  it('tells events in their order', async () => {
    const seen: string[] = [];
    const { host } = joined({}, { ...none, 'view/focus': ({ section }) => seen.push(section) });
    host.emit('view/focus', { section: 'flow' });
    host.emit('view/focus', { section: 'loss' });
    await new Promise(resolve => setTimeout(resolve));
    assert.deepEqual(seen, ['flow', 'loss']);
  });

  it('refuses what a page may not send, before any handler sees it', async () => {
    const seen: unknown[] = [];
    const handlers = handlersWith({
      'run/control': params => {
        seen.push(params);
        return null;
      },
    });
    const [hostEnd, pageEnd] = joinedEnds();
    new HostConnection(hostEnd, handlers, checkRequest);
    const answers: { type: string; message?: string }[] = [];
    pageEnd.listen(
      message => answers.push(message as { type: string }),
      () => {},
    );
    const bad = [
      { type: 'request', id: 1, name: 'run/control', params: { runIds: 'all', action: 'stop' } },
      { type: 'request', id: 2, name: 'run/control', params: { runIds: ['a'], action: 'rm -rf' } },
      { type: 'request', id: 3, name: 'run/control', params: null },
      { type: 'request', id: 4, name: 'constructor', params: {} },
      { type: 'request', id: 5, name: 'command/run', params: { command: 'workbench.action.quit' } },
      { type: 'request', id: 6, name: 'curve/range', params: { ...range, points: 1e9 } },
      { type: 'request', id: 7, name: 'curve/range', params: { ...range, curve: '__proto__' } },
      {
        type: 'request',
        id: 8,
        name: 'finding/fix',
        params: { runId: 'a', fix: { title: 't', edits: [{ path: [-1] }] } },
      },
    ];
    for (const message of [...bad, 'text', null, { type: 'request', id: 'x', name: 'page/ready' }])
      pageEnd.post(message);
    await new Promise(resolve => setTimeout(resolve));
    assert.deepEqual(
      answers.map(({ type }) => type),
      bad.map(() => 'error'),
    );
    assert.match(answers[1]!.message!, /run\/control came with a wrong "action"/);
    assert.deepEqual(seen, []);
  });

  it('knows the result of a request from its name', () => {
    // fails to compile when a reply degrades to `any` or `never`
    type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
    const reply: Same<ResultOf<'curve/range'>, Curve> = true;
    const empty: Same<ResultOf<'run/control'>, null> = true;
    const params: Same<ParamsOf<'page/ready'>, { smoothing: number }> = true;
    const asked: Same<ReturnType<PageConnection['request']>, Promise<Curve | Tried | string | null>> = true;
    assert.ok(reply && empty && params && asked);
  });
});
