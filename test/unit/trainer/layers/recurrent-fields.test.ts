// Fields of recurrent layers and of embeddings in a whole model: what is dropped and when, by which engine, and what the
// outputs of both directions become.
import assert from 'node:assert/strict';
import { type Tensor3D, tensor, tidy } from '@tensorflow/tfjs-core';
import { lastStateOf, placeLayers } from '../../../../src/experiment/models.ts';
import { experimentSchema } from '../../../../src/experiment/schema.ts';
import type { EngineName } from '../../../../src/runs/format.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { buildModel } from '../../../../src/trainer/layers/build.ts';
import type { ForwardOptions, Model, ModelSizes } from '../../../../src/trainer/layers/model.ts';
import { writeWeights } from '../../../../src/trainer/layers/weights.ts';
import { assertClose } from '../engine/golden.ts';

const [T, B, I, H] = [6, 3, 2, 4];
const lengths = Int32Array.of(6, 2, 4);
const PASS: ForwardOptions = { training: true, step: 4, lengths: null, state: null, outputs: 'every-step' };

function build(layer: object, outputs = H): Model {
  const experiment = experimentSchema.parse({ data: { task: 'adding' }, model: { layers: [layer] } });
  return buildModel(experiment, { input: { kind: 'vectors', features: I }, outputs }, 3);
}

function outputsOf(model: Model, options: Partial<ForwardOptions> = {}): Float32Array {
  return tidy(() => {
    const values = Float32Array.from({ length: T * B * I }, (_, i) => Math.sin(i + 1));
    const { outputs } = model.forward(tensor(values, [T, B, I]), { ...PASS, ...options });
    return Float32Array.from(outputs.dataSync() as Float32Array);
  });
}

/** Of a layer that is built, looked at and disposed of. */
function seen<Result>(layer: object, look: (model: Model) => Result, outputs?: number): Result {
  const model = build(layer, outputs);
  const result = look(model);
  model.dispose();
  return result;
}

const ALL = { recurrentDropout: 0.3, variationalDropout: 0.3, zoneout: 0.3, weightDrop: 0.3 };

for (const type of ['rnn', 'gru', 'lstm'] as const)
  describe(`dropout inside of a layer of type ${type}`, () => {
    before(() => startEngine('reference', null));
    after(() => startEngine('reference', null));

    for (const [field, rate] of Object.entries(ALL)) {
      it(`${field} is a function of seed and step`, () => {
        seen({ type, units: H, [field]: rate }, model => {
          const [first, again, next] = [4, 4, 5].map(step => outputsOf(model, { step }));
          assert.deepEqual(first, again);
          assert.notDeepEqual(first, next);
        });
      });

      it(`${field} drops nothing where nothing is trained`, () => {
        const options = { training: false };
        const [dropped, plain] = [{ [field]: rate }, {}].map(fields =>
          seen({ type, units: H, ...fields }, model =>
            [4, 5].map(step => outputsOf(model, { ...options, step })),
          ),
        );
        assert.deepEqual(dropped![0], dropped![1]);
        if (field === 'zoneout') assert.notDeepEqual(dropped![0], plain![0]);
        else assert.deepEqual(dropped![0], plain![0]);
      });
    }

    it('every engine drops the same', async () => {
      const found: Float32Array[] = [];
      for (const engine of ['reference', 'wasm', 'native'] satisfies EngineName[]) {
        await startEngine(engine, 2);
        found.push(seen({ type, units: H, ...ALL }, model => outputsOf(model, { lengths })));
      }
      await startEngine('reference', null);
      for (const other of found.slice(1)) assertClose(other, found[0]!, 'outputs');
    });

    it('a sequence read in parts has other masks in each part', () => {
      seen({ type, units: H, recurrentDropout: 0.5 }, model => {
        const [first, later] = [0, T].map(from => outputsOf(model, { from }));
        assert.notDeepEqual(first, later);
      });
      seen({ type, units: H, variationalDropout: 0.5 }, model => {
        const [first, later] = [0, T].map(from => outputsOf(model, { from }));
        assert.deepEqual(first, later);
      });
    });

    it('a zoneout of almost 1 keeps the state that a sequence begins in', () => {
      seen({ type, units: H, zoneout: 1 - 2 ** -20 }, model => {
        assert.ok(outputsOf(model).every(value => value === 0));
      });
    });
  });

describe('both directions of a layer', () => {
  before(() => startEngine('reference', null));
  const layer = { type: 'gru', units: H, bidirectional: true };
  const ways = {
    sum: (a: number, b: number) => a + b,
    mean: (a: number, b: number) => (a + b) / 2,
    product: (a: number, b: number) => a * b,
  };

  for (const [merge, way] of Object.entries(ways))
    for (const outputs of ['every-step', 'last-step'] as const)
      it(`become their ${merge}: ${outputs}`, () => {
        const halves = seen(layer, model => outputsOf(model, { lengths, outputs }), 2 * H);
        const one = seen({ ...layer, merge }, model => outputsOf(model, { lengths, outputs }));
        const expected = one.map((_, i) => {
          const at = Math.floor(i / H) * 2 * H + (i % H);
          return way(halves[at]!, halves[at + H]!);
        });
        assertClose(one, expected, merge, 1e-6);
      });
});

describe('the state that an encoder hands on', () => {
  before(() => startEngine('reference', null));
  const sizes: ModelSizes = {
    input: { kind: 'vectors', features: I },
    source: { kind: 'vectors', features: I },
    outputs: 2,
  };

  for (const encoder of [
    { type: 'lstm', units: H, projection: 2 },
    { type: 'lstm', units: H / 2, bidirectional: true, merge: 'sum' },
  ])
    it(`is as wide as its units are together: ${JSON.stringify(encoder)}`, () => {
      const experiment = experimentSchema.parse({
        data: { task: 'adding' },
        model: { encoder: [encoder], layers: [{ type: 'lstm', units: H, projection: 3 }, { type: 'dense' }] },
      });
      const decoder = placeLayers(experiment, sizes)[1]!;
      assert.deepEqual(decoder.at.begins, [lastStateOf(decoder)]);
      const model = buildModel(experiment, sizes, 3);
      const values = Float32Array.from({ length: T * B * I }, (_, i) => Math.sin(i + 1));
      const outputs = [1, 2].map(factor =>
        tidy(() => {
          const source = tensor(
            values.map(value => factor * value),
            [T, B, I],
          ) as Tensor3D;
          const encoded = model.encode(source, { training: false, step: 0, lengths: null });
          const input = tensor(values, [T, B, I]);
          return Float32Array.from(model.forward(input, { ...PASS, encoded }).outputs.dataSync());
        }),
      );
      assert.notDeepEqual(outputs[0], outputs[1]);
      model.dispose();
    });
});

describe('residuals of stacked layers', () => {
  before(() => startEngine('reference', null));

  it('add what a level reads to what it gives', () => {
    const [both, first] = [2, 1].map(layers => build({ type: 'rnn', units: H, layers, residual: true }));
    const upper = seen({ type: 'rnn', units: H, layers: 2 }, model => {
      writeWeights(model, readAll(both!));
      return outputsOf(model);
    });
    const lowest = [...readAll(both!)].filter(([name]) => name.endsWith('l0'));
    writeWeights(first!, new Map(lowest));
    const lower = outputsOf(first!);
    assertClose(
      outputsOf(both!),
      upper.map((value, i) => value + lower[i]!),
      'outputs',
      1e-6,
    );
    both!.dispose();
    first!.dispose();
  });

  function readAll(model: Model) {
    return new Map(
      [...model.variables].map(([name, variable]) => [
        name,
        { shape: variable.shape, data: Float32Array.from(variable.dataSync() as Float32Array) },
      ]),
    );
  }
});

describe('dropout of whole symbols', () => {
  before(() => startEngine('reference', null));
  const [V, D, steps, batch] = [50, 3, 40, 5];

  function vectors(dropout: number | undefined, options: Partial<ForwardOptions> = {}): Float32Array {
    const experiment = experimentSchema.parse({
      data: { task: 'adding' },
      model: { layers: [{ type: 'embedding', dim: D, ...(dropout ? { dropout } : {}) }] },
    });
    const model = buildModel(experiment, { input: { kind: 'tokens', vocabulary: V }, outputs: D }, 3);
    const outputs = tidy(() => {
      const ids = Int32Array.from({ length: steps * batch }, (_, i) => (i * i) % V);
      const given = tensor(ids, [steps, batch], 'int32');
      return Float32Array.from(
        model.forward(given, { ...PASS, ...options }).outputs.dataSync() as Float32Array,
      );
    });
    model.dispose();
    return outputs;
  }

  it('takes a symbol wherever it stands, and as many as its rate says', () => {
    const [plain, dropped] = [vectors(undefined), vectors(0.5)];
    const factors = new Map<number, number>();
    for (let i = 0; i < steps * batch; i++) {
      const id = (i * i) % V;
      const factor = dropped[i * D] === 0 ? 0 : 2;
      assert.equal(factors.get(id) ?? factor, factor, `symbol ${id}`);
      factors.set(id, factor);
      for (let d = 0; d < D; d++) assert.equal(dropped[i * D + d], factor * plain[i * D + d]!);
    }
    const zeros = [...factors.values()].filter(factor => factor === 0).length;
    assert.ok(zeros > 0 && zeros < factors.size, `${zeros} of ${factors.size}`);
  });

  it('is another one at the next step, and none in validation', () => {
    assert.notDeepEqual(vectors(0.5), vectors(0.5, { step: 5 }));
    assert.deepEqual(vectors(0.5, { training: false }), vectors(undefined));
  });
});
