// The worker's environment, the queue's tickets, and the copies of the engine.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { workerEnvironment } from '../../../src/extension/worker-environment.ts';
import { copyEngine, noteUser, removeOldEngines } from '../../../src/extension/workers/engine-copy.ts';
import { Queue } from '../../../src/extension/workers/queue.ts';
import { lastWords, startWorker } from '../../../src/extension/workers/spawn.ts';

describe('workers', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'unroll-workers-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('inherit nothing of VS Code', () => {
    const env = workerEnvironment({
      PATH: '/bin',
      HOME: '/home/me',
      VSCODE_PID: '1',
      VSCODE_INSPECTOR_OPTIONS: '{}',
      ELECTRON_NO_ATTACH_CONSOLE: '1',
      NODE_OPTIONS: '--inspect',
    });
    assert.deepEqual(env, { PATH: '/bin', HOME: '/home/me', ELECTRON_RUN_AS_NODE: '1' });
  });

  it('are given their folders, and their last words are kept', async () => {
    const engine = join(folder, 'engine');
    const run = join(folder, 'run');
    mkdirSync(engine);
    mkdirSync(run);
    const program =
      'console.log(process.argv.slice(2).join(" ")); console.error("\\u001b[31mno such data\\u001b[0m\\n    at main.ts:1"); process.exit(2);';
    writeFileSync(join(engine, 'unroll.mjs'), program);
    const worker = await startWorker(engine, [run, '/other'], folder);
    assert.deepEqual(await worker.ended, { code: 2, signal: null });
    assert.equal(lastWords(run), 'no such data');
    assert.equal(lastWords(join(folder, 'nowhere')), '');
  });

  it('are told where TensorFlow may be taken from', async () => {
    const engine = join(folder, 'engine');
    const run = join(folder, 'run');
    mkdirSync(engine);
    mkdirSync(run);
    writeFileSync(join(engine, 'unroll.mjs'), 'console.error(process.env.UNROLL_TFJS_NODE);');
    const worker = await startWorker(engine, [run], folder, { UNROLL_TFJS_NODE: '/opt/tf' });
    await worker.ended;
    assert.equal(lastWords(run), '/opt/tf');
  });

  it('wait in the order they came, and only one takes a ticket', () => {
    const queue = new Queue(join(folder, 'queue'));
    const other = new Queue(join(folder, 'queue'));
    assert.deepEqual(queue.waiting(), []);
    queue.add(['/w/20261121T100000Z-b-000000']);
    queue.add(['/w/20261121T090000Z-a-000000', '/w/20261121T090000Z-a-000001']);
    const [first, second] = other.waiting();
    assert.deepEqual(first?.folders.length, 2);
    assert.equal(queue.claim(first!), true);
    assert.equal(other.claim(first!), false);
    assert.deepEqual(queue.waiting(), [second]);
    assert.deepEqual(other.started(), [first]);
    other.remove(first!);
    assert.deepEqual(queue.started(), []);
    writeFileSync(join(folder, 'queue', 'x.waiting.json'), '{"not": "a ticket"}');
    assert.deepEqual(queue.waiting(), [second]);
  });

  it('run from a copy that stays while one of them lives', async () => {
    const source = join(folder, 'source');
    const storage = join(folder, 'storage');
    mkdirSync(source);
    writeFileSync(join(source, 'unroll.mjs'), '// one');
    writeFileSync(join(source, 'unroll.mjs.map'), '{}');
    const one = await copyEngine(source, storage, '0.1.0');
    assert.deepEqual(readdirSync(one), ['unroll.mjs']);
    assert.equal(await copyEngine(source, storage, '0.1.0'), one);
    writeFileSync(join(source, 'unroll.mjs'), '// two');
    const two = await copyEngine(source, storage, '0.1.0');
    assert.notEqual(two, one);
    await noteUser(one, process.pid);
    await removeOldEngines(storage, two);
    assert.ok(existsSync(one), 'a copy that is used stays');
    rmSync(join(one, '.users', `${hostname()}-${process.pid}`));
    writeFileSync(join(one, '.users', `${hostname()}-999999999`), '');
    await removeOldEngines(storage, two);
    assert.ok(!existsSync(one) && existsSync(two));
  });
});
