// The WASM provider passes the vectors of every provider with each of its modules, and agrees with the reference on
// random shapes. Its heap; what is not a whole module is refused in a sentence.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { square, type Tensor2D, tensor2d, variable } from '@tensorflow/tfjs-core';
import { OPERANDS } from '../../../../src/trainer/engine/calls.ts';
import { engineFile } from '../../../../src/trainer/engine/files.ts';
import { dense } from '../../../../src/trainer/engine/kernels/dense.ts';
import type { Gemm, Provider } from '../../../../src/trainer/engine/provider.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { floats, settledFloats } from '../../../../src/trainer/engine/storage.ts';
import { sizeClass } from '../../../../src/trainer/engine/wasm/heap.ts';
import { INSTRUCTION_SETS, loadModule } from '../../../../src/trainer/engine/wasm/module.ts';
import { CALL_BYTES, loadWasm, type WasmOptions } from '../../../../src/trainer/engine/wasm/provider.ts';
import { describeAgreement } from './describe-agreement.ts';
import { describeProvider } from './describe-provider.ts';

const MEGABYTE = 1 << 20;

describe('WASM engine', () => {
  const open: Provider[] = [];

  async function load(threads: number, options: WasmOptions = {}): Promise<Provider> {
    const provider = await loadWasm(threads, options);
    if (typeof provider === 'string') throw new Error(provider);
    open.push(provider);
    return provider;
  }
  after(() => {
    for (const provider of open) provider.close();
  });

  for (const instructionSet of INSTRUCTION_SETS) {
    describe(instructionSet, () => {
      const module = loadModule([instructionSet]);
      if (typeof module === 'string') {
        it(`skipped: ${module}`, function () {
          this.skip();
        });
        return;
      }
      for (const threads of [1, 2])
        describeProvider(`wasm, ${threads} threads,`, () => load(threads, { instructionSet }));
      describeAgreement('wasm', threads => load(threads, { instructionSet }));
    });
  }

  it('the table of operands says of each pointer what abi.h says', () => {
    const header = readFileSync('kernels/abi.h', 'utf8');
    const functions = [...header.matchAll(/F\((\w+), (\w+), \d, \d+, \d+\)/g)];
    assert.ok(functions.length >= Object.keys(OPERANDS).length);
    for (const [name, operands] of Object.entries(OPERANDS)) {
      const struct = functions.find(([, found]) => found === name)?.[2];
      const body = new RegExp(`struct ${struct} \\{([^}]*)\\}`).exec(header)?.[1] ?? '';
      const declared = [...body.matchAll(/(const )?(?:float|Int32) (\*[^;]*);/g)].map(([, constant, names]) =>
        (constant ? 'r' : 'w').repeat(names!.split(',').length),
      );
      assert.equal(operands, declared.join(''), name);
    }
  });

  it('a call has as much room as abi.h says', () => {
    const header = readFileSync('kernels/abi.h', 'utf8');
    assert.equal(Number(/UNROLL_CALL_BYTES (\d+)/.exec(header)?.[1]), CALL_BYTES);
  });

  describe('operands', () => {
    const sizes: Pick<Gemm, 'm' | 'n' | 'k'> = { m: 2, n: 2, k: 2 };
    const flags = { transA: false, transB: false, bias: null, accumulate: false };

    it('outside of the heap are copied there and back, an array that comes twice as one', async () => {
      const provider = await load(1);
      const slice = (values: number[]) => ({ data: Float32Array.of(9, ...values, 9), offset: 1 });
      const [a, c] = [slice([1, 2, 3, 4]), slice([0, 0, 0, 0])];
      provider.gemm({ ...sizes, ...flags, a, b: a, c });
      assert.deepEqual([...c.data], [9, 7, 10, 15, 22, 9]);
      assert.deepEqual([...a.data], [9, 1, 2, 3, 4, 9]);
      const logits = slice([0, 0]);
      const targets = { data: Int32Array.of(7, 1), offset: 1 };
      const common = { rows: 1, classes: 2, weights: null, labelSmoothing: 0 };
      const loss = provider.softmaxCrossEntropy({ ...common, logits, targets, dLogits: logits });
      assert.ok(Math.abs(loss - Math.LN2) < 1e-6);
      assert.deepEqual([...logits.data], [9, 0.5, -0.5, 9]);
    });

    it('on the heap stay where they are while it grows', async () => {
      const provider = await load(1);
      const [a, c] = [provider.allocate(4), provider.allocate(4)];
      a.set([1, 2, 3, 4]);
      const big = provider.allocate((64 * MEGABYTE) / 4);
      assert.notEqual(big.buffer, a.buffer, 'the heap has grown');
      const late = provider.allocate(4);
      late.set([1, 0, 0, 1]);
      const whole = (data: Float32Array) => ({ data, offset: 0 });
      provider.gemm({ ...sizes, ...flags, a: whole(a), b: whole(late), c: whole(c) });
      assert.deepEqual([...c], [1, 2, 3, 4]);
    });
  });

  it('what others have read of a tensor stays as it was when the heap is used again', async () => {
    await startEngine('wasm', 1);
    const input = tensor2d(new Float32Array(40 * 30).fill(1), [40, 30]);
    const weight = tensor2d(new Float32Array(30 * 30).fill(2), [30, 30]);
    const first = dense(input, weight, null);
    const { buffer, byteOffset } = floats(first);
    const seen = first.dataSync();
    assert.ok(!(seen.buffer instanceof SharedArrayBuffer));
    first.dispose();
    const second = dense(input, square(weight) as Tensor2D, null);
    assert.equal(floats(second).byteOffset, byteOffset, 'the block is used again');
    assert.equal(floats(second).buffer, buffer);
    assert.ok(seen.every(value => value === 60));
    await startEngine('reference', null);
  });

  it('a variable that is trained moves to the heap once, and its numbers with it', async () => {
    await startEngine('wasm', 1);
    const weight = variable(tensor2d([1, 2, 3, 4], [2, 2]));
    const settled = settledFloats(weight);
    assert.ok(settled.buffer instanceof SharedArrayBuffer);
    assert.deepEqual([...weight.dataSync()], [1, 2, 3, 4]);
    assert.equal(settledFloats(weight), settled);
    await startEngine('reference', null);
  });

  describe('heap', () => {
    it('gives zeroed arrays at cache lines, and takes back what it gave once', async () => {
      const provider = await load(1);
      const first = provider.allocate(1000).fill(7);
      assert.equal(first.byteOffset % 64, 0);
      provider.release(first);
      const again = provider.allocate(1000);
      assert.equal(again.byteOffset, first.byteOffset, 'the block is used again');
      assert.ok(again.every(value => value === 0));
      provider.release(again);
      assert.throws(() => provider.release(again), /released before/);
      provider.release(new Float32Array(4)); // another engine's
    });

    it('has classes that hold what was asked and waste at most a quarter and two lines', () => {
      for (let bytes = 0; bytes < 5e6; bytes = Math.ceil(bytes * 1.07 + 1)) {
        const size = sizeClass(bytes);
        assert.ok(size >= bytes && size <= bytes * 1.25 + 128, `${bytes} bytes in ${size}`);
        assert.equal(size % 64, 0);
        assert.equal(sizeClass(size - 64), size, 'a class holds itself');
      }
    });

    it('is asked in full for what 32 bits do not count, and says that it is too much', async () => {
      const provider = await load(2);
      const shape = {
        cell: 'lstm',
        seqLen: 20_000,
        batch: 500,
        inputSize: 64,
        hiddenSize: 96,
        reverse: false,
      } as const;
      const sizes = provider.recurrentMemory(shape, false);
      const gates = 20_000 * 500 * 4 * 96;
      assert.ok(gates > 2 ** 31 && sizes.cache > gates && sizes.cache < 2 * gates, `${sizes.cache} numbers`);
      assert.throws(() => provider.allocate(sizes.cache), /memory is used up/);
      const wide = { rows: 60_000, inputs: 60_000, outputs: 60_000, weights: null, labelSmoothing: 0 };
      const one = { data: provider.allocate(1), offset: 0 };
      const call = { ...wide, x: one, weight: one, bias: null, dx: one, dWeight: one, dBias: null };
      const targets = { data: new Int32Array(1), offset: 0 };
      assert.throws(() => provider.denseCrossEntropy({ ...call, targets }), /memory is used up/);
    });

    it('grows to its limit, uses what was given back there, and says what is too much', async () => {
      const provider = await load(1, { limit: 64 * MEGABYTE });
      const half = (24 * MEGABYTE) / 4;
      const first = provider.allocate(half);
      provider.allocate(half);
      assert.throws(
        () => provider.allocate(half),
        /memory is used up: 2\d MB more .* at most 64 MB.*smaller batch/,
      );
      provider.release(first);
      assert.equal(provider.allocate(half * 0.8).byteOffset, first.byteOffset);
    });
  });

  describe('loading', () => {
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(path.join(os.tmpdir(), 'unroll-wasm-'));
    });
    afterEach(() => rmSync(folder, { recursive: true, force: true }));

    it('a missing module, a cut one and a changed one are refused in a sentence', async () => {
      assert.match(String(await loadWasm(1, { folder })), /not in this build/);
      cpSync(engineFile('wasm'), folder, { recursive: true });
      const file = path.join(folder, `${INSTRUCTION_SETS[0]}.wasm`);
      const whole = readFileSync(file);
      for (const length of [0, 20, whole.length / 2]) {
        writeFileSync(file, whole.subarray(0, length));
        assert.match(String(await loadWasm(1, { folder })), /damaged/);
      }
      const changed = Buffer.from(whole);
      changed[whole.length >> 1]! ^= 1;
      writeFileSync(file, changed);
      assert.match(String(await loadWasm(1, { folder })), /damaged/);
    });

    it('without the script of its threads it has one thread', async () => {
      cpSync(engineFile('wasm'), folder, { recursive: true });
      rmSync(path.join(folder, 'worker.mjs'));
      assert.equal((await load(3, { folder })).threads, 1);
    });

    for (const [how, end] of [
      ['is not closed', ''],
      ['is closed', 'provider.close();'],
      ['ends at once', 'process.exit(0);'],
    ]) {
      it(`its threads do not keep a process that ${how}`, () => {
        const code = `
          const { loadWasm } = await import('./src/trainer/engine/wasm/provider.ts');
          const provider = await loadWasm(3);
          const a = provider.allocate(1 << 20);
          const slice = { data: a, offset: 0 };
          provider.gemm({ m: 64, n: 64, k: 64, a: slice, transA: false, b: slice, transB: false, bias: null,
            c: { data: a, offset: 1 << 14 }, accumulate: false });
          console.log(provider.threads);
          ${end}`;
        const flags = ['--import', 'tsx', '--input-type=module', '--eval', code];
        const run = spawnSync(process.execPath, flags, { encoding: 'utf8', timeout: 300_000 });
        assert.deepEqual([run.status, run.stdout, run.stderr], [0, '3\n', '']);
      });
    }
  });
});
