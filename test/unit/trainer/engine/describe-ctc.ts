// The part of describeProvider about the CTC loss: PyTorch's values, all paths of short sequences, and random shapes
// against the reference.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Provider, SequenceOperations } from '../../../../src/trainer/engine/provider.ts';
import { referenceOperations } from '../../../../src/trainer/engine/reference/sequence-operations.ts';
import { randomStream } from '../../../../src/trainer/random.ts';
import { assertClose, deep, type GoldenTensor, readGolden, SEED } from './golden.ts';
import { Memory, read } from './memory.ts';

interface Golden {
  name: string;
  logits: GoldenTensor;
  labels: number[][];
  lengths: number[] | null;
  losses: GoldenTensor;
  gradient: GoldenTensor;
}

type Asked = Pick<Golden, 'logits' | 'labels' | 'lengths'>;

function run(operations: Pick<SequenceOperations, 'ctc'>, provider: Provider, asked: Asked, scale = 1) {
  const { logits, labels, lengths } = asked;
  const [seqLen, batch, classes] = logits.shape as [number, number, number];
  const memory = new Memory(provider);
  const maxLabels = Math.max(...labels.map(own => own.length));
  const padded = labels.flatMap(own => Array.from({ length: maxLabels }, (_, i) => own[i] ?? -7));
  const whole = (values: number[]) => ({ data: Int32Array.from(values), offset: 0 });
  const inside = (t: number, b: number) => !lengths || t < lengths[b]!;
  // what stands beyond a length is not looked at
  const own = logits.data.map((value, i) =>
    inside(Math.floor(i / (batch * classes)), Math.floor(i / classes) % batch) ? value : Number.NaN,
  );
  const losses = memory.slot(batch);
  const dLogits = memory.slot(own.length);
  const call = {
    ...{ seqLen, batch, classes, maxLabels, logits: memory.slot(own.length, own), scale },
    lengths: lengths && whole(lengths),
    labels: whole(padded),
    labelLengths: whole(labels.map(({ length }) => length)),
  };
  operations.ctc({ ...call, losses, dLogits });
  const alone = memory.slot(batch);
  operations.ctc({ ...call, losses: alone, dLogits: null });
  const result = { losses: read(losses, batch), gradient: read(dLogits, own.length) };
  assert.deepEqual(read(alone, batch), result.losses, 'the loss is the same without a gradient');
  memory.check();
  return result;
}

/** -log of the sum of all paths that collapse to the labels. */
function byAllPaths(logits: number[][], labels: readonly number[]): number {
  const classes = logits[0]!.length;
  const rows = logits.map(row => {
    const total = row.reduce((sum, logit) => sum + Math.exp(logit), 0);
    return row.map(logit => Math.exp(logit) / total);
  });
  let sum = 0;
  for (let path = 0; path < classes ** logits.length; path++) {
    const symbols = rows.map((_, t) => Math.floor(path / classes ** t) % classes);
    const collapsed = symbols.filter((symbol, t) => symbol !== 0 && symbol !== symbols[t - 1]);
    if (collapsed.length !== labels.length || collapsed.some((symbol, i) => symbol !== labels[i])) continue;
    sum += symbols.reduce((product, symbol, t) => product * rows[t]![symbol]!, 1);
  }
  return -Math.log(sum);
}

export function describeCtc(name: string, provided: () => Provider): void {
  const own = () => {
    const provider = provided();
    if (name === 'reference') return referenceOperations;
    return provider.ctc ? { ctc: provider.ctc.bind(provider) } : null;
  };

  describe('the CTC loss', () => {
    for (const golden of readGolden<Golden>('ctc'))
      it(`is PyTorch's: ${golden.name}`, function () {
        const operations = own();
        if (!operations) this.skip();
        const { losses, gradient } = run(operations, provided(), golden);
        assertClose(losses, golden.losses.data, 'losses');
        assertClose(gradient, golden.gradient.data, 'gradient', 1e-5, 1);
        const scaled = run(operations, provided(), golden, 0.125).gradient;
        assertClose(
          scaled,
          golden.gradient.data.map(value => value / 8),
          'scaled gradient',
          1e-5,
          1,
        );
      });

    it('is the sum over all paths of up to 5 steps and 3 classes', function () {
      const operations = own();
      if (!operations) this.skip();
      const random = randomStream(SEED, 'test/ctc', 0);
      for (let T = 1; T <= 5; T++)
        for (const labels of [[], [1], [2], [1, 2], [1, 1], [2, 2, 1], [1, 2, 1]]) {
          const logits = Array.from({ length: T }, () =>
            Array.from({ length: 3 }, () => Math.fround(4 * random.uniform() - 2)),
          );
          const { losses, gradient } = run(operations, provided(), {
            logits: { shape: [T, 1, 3], data: logits.flat() },
            labels: [labels],
            lengths: null,
          });
          const expected = byAllPaths(logits, labels);
          if (expected === Number.POSITIVE_INFINITY) {
            // the labels take more steps than there are
            assert.equal(losses[0], expected);
            assert.ok(gradient.every(value => value === 0));
            continue;
          }
          assertClose(losses, [expected], `${T} steps, labels ${labels}`);
          // central differences
          logits.flat().forEach((_, at) => {
            const moved = (by: number) => {
              const copy = logits.map(row => [...row]);
              copy[Math.floor(at / 3)]![at % 3]! += by;
              return byAllPaths(copy, labels);
            };
            const slope = (moved(1e-4) - moved(-1e-4)) / 2e-4;
            assert.ok(Math.abs(gradient[at]! - slope) < 1e-5, `∂L/∂logit ${at}: ${gradient[at]}, ${slope}`);
          });
        }
    });

    it('a number that is none stays one, in its own sequence', function () {
      const operations = own();
      if (!operations) this.skip();
      const data = Array.from({ length: 4 * 2 * 3 }, (_, i) => (i === 6 ? Number.NaN : (i % 5) / 4));
      const { losses, gradient } = run(operations, provided(), {
        logits: { shape: [4, 2, 3], data },
        labels: [[1], [2, 1]],
        lengths: null,
      });
      assert.ok(Number.isNaN(losses[0]) && Number.isFinite(losses[1]!));
      assert.ok(Number.isNaN(gradient[6]!) && Number.isFinite(gradient[9]!));
    });

    if (name === 'reference') return;
    it('agrees with the reference on random shapes', function () {
      const operations = own();
      if (!operations) this.skip();
      const shapes = fc.record({
        T: fc.integer({ min: 1, max: 40 }),
        B: fc.integer({ min: 1, max: 5 }),
        C: fc.integer({ min: 2, max: 40 }),
        seed: fc.nat(),
      });
      const property = fc.property(shapes, ({ T, B, C, seed }) => {
        const random = randomStream(seed, 'test/ctc', 1);
        const logits = {
          shape: [T, B, C],
          data: Array.from({ length: T * B * C }, () => random.uniform() * 6),
        };
        const lengths = Array.from({ length: B }, () => random.int(T + 1));
        const labels = lengths.map(length =>
          Array.from({ length: random.int(length + 2) }, () => 1 + random.int(C - 1)),
        );
        const asked = { logits, labels, lengths };
        const [expected, actual] = [
          run(referenceOperations, provided(), asked),
          run(operations, provided(), asked),
        ];
        expected.losses.forEach((loss, b) => {
          if (loss === Number.POSITIVE_INFINITY) assert.equal(actual.losses[b], loss);
          else assertClose([actual.losses[b]!], [loss], `loss ${b}`);
        });
        assertClose(actual.gradient, expected.gradient, 'gradient', 1e-5, 1);
      });
      fc.assert(property, { seed: SEED, numRuns: deep(60) });
    });
  });
}
