// The native provider passes the vectors of every provider on each instruction set that this machine has, and agrees
// with the reference on random shapes. What is not a whole addon for this machine is refused in a sentence.
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { loadAddon } from '../../../../src/trainer/engine/native/addon.ts';
import { loadNative } from '../../../../src/trainer/engine/native/provider.ts';
import type { Provider } from '../../../../src/trainer/engine/provider.ts';
import { describeAgreement } from './describe-agreement.ts';
import { describeProvider } from './describe-provider.ts';

const addon = loadAddon();

async function load(instructionSet: string, threads: number): Promise<Provider> {
  const provider = await loadNative(threads, { instructionSet });
  if (typeof provider === 'string') throw new Error(provider);
  return provider;
}

describe('native engine', () => {
  if (typeof addon === 'string') {
    it(`skipped: ${addon}`, function () {
      this.skip();
    });
    return;
  }
  for (const instructionSet of addon.instructionSets()) {
    describe(instructionSet, () => {
      describeProvider('native', () => load(instructionSet, 2));
      describeAgreement('native', threads => load(instructionSet, threads));
    });
  }
  for (const missing of addon.processorSets().filter(name => !addon.instructionSets().includes(name)))
    it(`skipped: ${missing} is not in this build; npm run build -- --sets host builds it`, function () {
      this.skip();
    });
  after(() => addon.stop());

  describe('loading', () => {
    const file = path.resolve('dist/engine/unroll.node');
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(path.join(os.tmpdir(), 'unroll-native-'));
    });
    afterEach(() => rmSync(folder, { recursive: true, force: true }));

    async function refusal(content: Buffer): Promise<string> {
      const copy = path.join(folder, 'unroll.node');
      writeFileSync(copy, content);
      const answer = await loadNative(1, { file: copy });
      assert.equal(typeof answer, 'string');
      return answer as string;
    }

    it('a missing file, a cut one, a changed one and one that is no library are refused in a sentence', async () => {
      assert.ok(existsSync(file));
      const missing = await loadNative(1, { file: path.join(folder, 'none.node') });
      assert.match(String(missing), /is not in this build/);
      const whole = readFileSync(file);
      assert.match(await refusal(whole.subarray(0, whole.length / 2)), /damaged/);
      const changed = Buffer.from(whole);
      changed[1000]! ^= 1;
      assert.match(await refusal(changed), /damaged/);
      assert.match(await refusal(Buffer.alloc(0)), /damaged/);
    });

    it('a library of another machine is refused in a sentence', async () => {
      const { createHash } = await import('node:crypto');
      const content = Buffer.from('MZ, a library of another system');
      const digest = createHash('sha256').update(content).digest();
      const sentence = await refusal(Buffer.concat([content, Buffer.from('UNROLL01'), digest]));
      assert.match(sentence, /not for this machine/);
    });

    it('an instruction set that is not there is refused with those that are', async () => {
      copyFileSync(file, path.join(folder, 'unroll.node'));
      assert.match(
        String(await loadNative(1, { instructionSet: 'mmx' })),
        /"mmx", but the native engine has/,
      );
    });
  });
});
