// The native provider passes the vectors of every provider on each instruction set that this machine has, and agrees
// with the reference on random shapes. What is not a whole addon for this machine is refused in a sentence.
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { matMul, tensor2d } from '@tensorflow/tfjs-core';
import { loadAddon } from '../../../../src/trainer/engine/native/addon.ts';
import { loadNative } from '../../../../src/trainer/engine/native/provider.ts';
import type { Provider } from '../../../../src/trainer/engine/provider.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { describeAgreement } from './describe-agreement.ts';
import { describeProvider } from './describe-provider.ts';

/** scripts/sanitize.mjs names an addon of its own. */
const tested = process.env['UNROLL_TEST_ADDON'];
const addon = loadAddon(tested);

async function load(instructionSet: string, threads: number): Promise<Provider> {
  const provider = await loadNative(threads, { instructionSet, file: tested });
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
  const sets = addon.processorSets().slice(0, 2);
  for (const missing of sets.filter(name => !addon.instructionSets().includes(name)))
    it(`skipped: ${missing} is not in this build; npm run build -- --sets two builds it`, function () {
      this.skip();
    });

  describe('two engines in one process', () => {
    const ones = () => ({ data: new Float32Array(8).fill(1), offset: 0 });
    function sums(provider: Provider): number[] {
      const out = { data: new Float32Array(2), offset: 0 };
      provider.columnSums(4, 2, ones(), out);
      return [...out.data];
    }

    it('the one that was started last computes, and outlives the end of the one before', async () => {
      const [first, second] = [
        await load(addon.instructionSets()[0]!, 1),
        await load(addon.instructionSets().at(-1)!, 2),
      ];
      assert.throws(() => sums(first), /another one was started after it/);
      first.close();
      assert.deepEqual(sums(second), [4, 4]);
      second.close();
      assert.throws(() => sums(second), /was closed/);
    });

    it('startEngine exchanges one for another with other threads', async () => {
      await startEngine('native', 2);
      assert.equal((await startEngine('native', 1)).threads, 1);
      assert.deepEqual([...matMul(tensor2d([1, 2], [1, 2]), tensor2d([3, 4], [2, 1])).dataSync()], [11]);
      await startEngine('reference', null);
    });

    it('memory that was measured for fewer threads is not lent to more', async () => {
      const set = addon.instructionSets()[0]!;
      const shape = {
        cell: 'lstm',
        seqLen: 3,
        batch: 8,
        inputSize: 2,
        hiddenSize: 5,
        reverse: false,
      } as const;
      const sizes = (await load(set, 1)).recurrentMemory(shape, false);
      const provider = await load(set, 4);
      const room = (floats: number) => ({ data: provider.allocate(floats), offset: 0 });
      assert.ok(provider.recurrentMemory(shape, false).backwardScratch > sizes.backwardScratch);
      const weights = { weightIh: room(40), weightHh: room(100), biasIh: null, biasHh: null };
      const call = {
        shape,
        weights: { ...weights, packed: room(sizes.packed), version: 1 },
        x: room(48),
        lengths: null,
        h0: null,
        c0: null,
        y: room(120),
        cache: room(sizes.cache),
      };
      const states = { hN: room(40), cN: room(40) };
      provider.recurrentForward({ ...call, ...states, scratch: room(sizes.forwardScratch) });
      const gradients = { dWeightIh: room(40), dWeightHh: room(100), dBiasIh: null, dBiasHh: null };
      const none = { dhN: null, dcN: null, dx: null, dh0: null, dc0: null, report: null };
      const backward = {
        ...call,
        ...gradients,
        ...none,
        dy: room(120),
        scratch: room(sizes.backwardScratch),
      };
      assert.throws(() => provider.recurrentBackward(backward), /numbers of scratch, but this engine needs/);
      provider.close();
    });
  });

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
      writeFileSync(path.join(folder, 'soon.node.pending'), '');
      assert.match(
        String(await loadNative(1, { file: path.join(folder, 'soon.node') })),
        /still being compiled/,
      );
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
