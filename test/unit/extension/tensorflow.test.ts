// Installing tfjs-node by npm: what is left on the disk, and the sentence where it fails. npm is a stand-in.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InstallError, installTfjsNode, whyFailed } from '../../../src/extension/tensorflow/install.ts';

describe('installing the TensorFlow engine', () => {
  let folder: string;
  let storage: string;
  beforeEach(function () {
    // the stand-in is a script with a first line that names its interpreter
    if (process.platform === 'win32') this.skip();
    folder = mkdtempSync(join(tmpdir(), 'unroll-install-'));
    storage = join(folder, 'storage', 'tensorflow');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function npmThat(program: string): string {
    const file = join(folder, 'npm');
    writeFileSync(file, `#!/usr/bin/env node\n${program}\n`);
    chmodSync(file, 0o755);
    return file;
  }

  function install(npm: string, signal = new AbortController().signal, onOutput = (_: string) => {}) {
    return installTfjsNode(storage, { npm, signal, onOutput });
  }

  it('puts the package into the storage, and passes on what npm says', async () => {
    const npm = npmThat(
      'console.log(process.argv.slice(2).join(" ")); require("fs").writeFileSync("made", process.cwd());',
    );
    let said = '';
    assert.equal(await install(npm, undefined, text => (said += text)), true);
    assert.match(said, /^install @tensorflow\/tfjs-node@4\.22\.0 /);
    assert.ok(existsSync(join(storage, 'made')));
    assert.equal(readFileSync(join(storage, 'package.json'), 'utf8'), '{ "private": true }\n');
  });

  it('a failure leaves what was there, nothing half done, and one sentence', async () => {
    mkdirSync(storage, { recursive: true });
    writeFileSync(join(storage, 'before'), '');
    const npm = npmThat(
      'console.error("npm error * Downloading libtensorflow\\nError: getaddrinfo ENOTFOUND storage.googleapis.com"); process.exit(1);',
    );
    await assert.rejects(install(npm), (error: Error) => {
      assert.ok(error instanceof InstallError);
      assert.match(error.message, /could not be downloaded from storage\.googleapis\.com \(ENOTFOUND\)\.$/);
      return true;
    });
    assert.ok(existsSync(join(storage, 'before')));
    assert.ok(!existsSync(`${storage}.half`));
  });

  it('a cancellation ends npm and is no error', async () => {
    const npm = npmThat('console.log("waiting"); setInterval(() => {}, 1000);');
    const controller = new AbortController();
    assert.equal(await install(npm, controller.signal, () => controller.abort()), false);
    assert.ok(!existsSync(storage));
  });

  it('says that there is no npm', async () => {
    await assert.rejects(install(join(folder, 'no-npm')), /no-npm was not found; it comes with Node\.js\.$/);
  });

  const failures: [string, RegExp][] = [
    ['npm error code ENOTFOUND registry.npmjs.org', /npm registry is out of reach \(ENOTFOUND\)/],
    ['npm error code ENOSPC', /disk is full/],
    ['npm error something else', /npm ended with code 3/],
    ['* Building TensorFlow Node.js bindings\nlibtensorflow: 403', /could not be downloaded/],
  ];
  for (const [said, sentence] of failures)
    it(`explains: ${said.split('\n').at(-1)}`, () => assert.match(whyFailed(said, 3), sentence));
});
