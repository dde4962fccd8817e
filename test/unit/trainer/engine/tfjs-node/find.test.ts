// Finding tfjs-node, and the sentences where it is not there or cannot be loaded. Needs none.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { TFJS_NODE_FOLDERS, TFJS_NODE_PATH } from '../../../../../src/runs/tfjs-node.ts';
import { EngineUnavailableError, startEngine } from '../../../../../src/trainer/engine/start.ts';
import { findTfjsNode } from '../../../../../src/trainer/engine/tfjs-node/find.ts';

describe('finding tfjs-node', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'unroll-tfjs-node-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function install(place: string, name = '@tensorflow/tfjs-node', program = ''): string {
    const made = join(folder, place, 'node_modules', name);
    mkdirSync(join(made, 'dist'), { recursive: true });
    writeFileSync(join(made, 'package.json'), '{ "main": "dist/index.js" }');
    writeFileSync(join(made, 'dist', 'nodejs_kernel_backend.js'), '');
    writeFileSync(join(made, 'dist', 'index.js'), program);
    return made;
  }

  it('a named place may be the package, its node_modules, or the folder around it', () => {
    const made = install('a');
    for (const place of [made, join(folder, 'a', 'node_modules'), join(folder, 'a')])
      assert.deepEqual(findTfjsNode({ [TFJS_NODE_PATH]: place }), { folder: made });
  });

  it('the build for graphics cards is one too', () => {
    const made = install('gpu', '@tensorflow/tfjs-node-gpu');
    assert.deepEqual(findTfjsNode({ [TFJS_NODE_PATH]: join(folder, 'gpu') }), { folder: made });
  });

  it('of several folders the first that has it counts', () => {
    install('later');
    const made = install('first');
    const places = ['empty', 'first', 'later'].map(name => join(folder, name)).join(delimiter);
    assert.deepEqual(findTfjsNode({ [TFJS_NODE_FOLDERS]: places }), { folder: made });
  });

  it('a named place is the only one that is looked at', () => {
    install('other');
    const env = { [TFJS_NODE_PATH]: join(folder, 'empty'), [TFJS_NODE_FOLDERS]: join(folder, 'other') };
    const found = findTfjsNode(env);
    assert.ok('missing' in found);
    assert.match(found.missing, /no @tensorflow\/tfjs-node in .*empty/);
  });

  it('paths that depend on where one stands are refused', () => {
    const found = findTfjsNode({ [TFJS_NODE_PATH]: 'tf' });
    assert.ok('missing' in found && /give an absolute path/.test(found.missing));
    install('.');
    assert.ok('missing' in findTfjsNode({ [TFJS_NODE_FOLDERS]: '.' }));
  });

  describe('starting the engine without a working one', () => {
    const before = { ...process.env };
    afterEach(() => {
      for (const name of [TFJS_NODE_PATH, TFJS_NODE_FOLDERS]) {
        delete process.env[name];
        if (before[name] !== undefined) process.env[name] = before[name];
      }
    });

    const refused = (message: RegExp) =>
      assert.rejects(startEngine('tfjs-node', null), (error: Error) => {
        assert.ok(error instanceof EngineUnavailableError);
        assert.match(error.message, message);
        return true;
      });

    it('says how to get one', async () => {
      delete process.env[TFJS_NODE_PATH];
      delete process.env[TFJS_NODE_FOLDERS];
      await refused(
        /not installed.*Install TensorFlow Engine….*unroll\.tensorflow\.path.*docs\/tfjs-node\.md/,
      );
    });

    it('says what a broken one says, and leaves the other engines as they were', async () => {
      install('broken', undefined, "throw new Error('libtensorflow.so.2: cannot open\\nshared object');");
      process.env[TFJS_NODE_PATH] = join(folder, 'broken');
      await refused(/broken.*cannot be loaded: libtensorflow\.so\.2: cannot open\. .*"auto" and "reference"/);
      const { provider } = await startEngine('reference', null);
      assert.equal(provider, 'reference');
    });

    it('says so where the package brings no backend', async () => {
      install('hollow');
      process.env[TFJS_NODE_PATH] = join(folder, 'hollow');
      await refused(/hollow.*registered no backend/);
    });
  });
});
