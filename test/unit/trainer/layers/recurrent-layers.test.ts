// Recurrent layers of their own against their equations in PyTorch, and what each promises exactly.
import assert from 'node:assert/strict';
import { mul, type Scalar, sum, tensor, tidy } from '@tensorflow/tfjs-core';
import { pathLength, segmentOf } from '../../../../src/experiment/layers/hierarchical.ts';
import { kindOf } from '../../../../src/experiment/layers/index.ts';
import { eigenvaluesOf } from '../../../../src/trainer/engine/eigenvalues.ts';
import { gradientsOf } from '../../../../src/trainer/engine/gradients.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import type { Model } from '../../../../src/trainer/layers/model.ts';
import { assertClose, readGolden } from '../engine/golden.ts';
import { checkReference, type LayerCase, modelOf, numbers, outputsOf, PASS, setWeight } from './alone.ts';

/** ‖∂L/∂h_t‖ of a loss that reads the last step alone, by step. */
function normsOf(model: Model, x: Float32Array, shape: [number, number, number], units: number) {
  const seen: Float32Array[] = [];
  const watch = { gradient: (_: number, __: number, norms: Float32Array) => seen.push(norms.slice()) };
  const weights = numbers(shape[1] * units, 'loss');
  gradientsOf(() => {
    const { outputs } = model.forward(tensor(x, shape), { ...PASS, outputs: 'last-step', watch });
    return sum(mul(outputs, tensor(weights, outputs.shape))) as Scalar;
  }, [...model.variables.values()]);
  assert.equal(seen.length, 1);
  return seen[0]!;
}

for (const engine of ['reference', 'native'] as const)
  describe(`a recurrent layer of its own, on ${engine}`, () => {
    before(() => startEngine(engine, 1));

    for (const golden of readGolden<LayerCase>('recurrent_layers'))
      it(`is its equations in PyTorch: ${JSON.stringify(golden.layer)}`, () => checkReference(golden));

    it('a linear orthogonal RNN hands every gradient on at full length: its heatmap is flat', () => {
      const [T, B, I, units] = [300, 2, 3, 24];
      const layer = { type: 'orthogonal-rnn', units, activation: 'linear' };
      const model = modelOf(layer, I);
      // any A will do: here far from where training begins
      setWeight(model, 'skew', numbers((units * (units - 1)) / 2, 'skew'));
      const norms = normsOf(model, numbers(T * B * I, 'x'), [T, B, I], units);
      assert.equal(norms.length, T);
      for (const [t, norm] of norms.entries())
        assert.ok(Math.abs(norm / norms[T - 1]! - 1) < 1e-5, `t = ${t}: ${norm} of ${norms[T - 1]}`);
      model.dispose();
    });

    it('a clockwork module that is not due keeps its state to the bit', () => {
      const [T, periods, units] = [24, [1, 2, 3, 8], 12];
      const model = modelOf({ type: 'clockwork', units, periods } as never, 2);
      const y = outputsOf(model, numbers(T * 2, 'ticks'), [T, 1, 2]);
      for (let t = 1; t < T; t++)
        for (const [module, period] of periods.entries())
          for (let unit = module * 3; unit < module * 3 + 3; unit++) {
            const [now, last] = [y[t * units + unit], y[(t - 1) * units + unit]];
            assert.equal(now === last, t % period !== 0, `unit ${unit} at ${t}: ${last}, ${now}`);
          }
      model.dispose();
    });

    it('an echo state network learns nothing, and its row shows ∂L/∂h_t all the same', () => {
      const [T, units] = [20, 30];
      const model = modelOf({ type: 'echo-state', units, spectralRadius: 0.8 } as never, 2);
      assert.ok([...model.variables.keys()].every(name => model.statistics.has(name)));
      const norms = normsOf(model, numbers(T * 2, 'echo'), [T, 1, 2], units);
      assert.ok(norms.every(norm => norm > 0));
      assert.ok(norms[0]! < norms[T - 1]! * 0.3, `${norms[0]} of ${norms[T - 1]}`);
      model.dispose();
    });

    it('an echo state network forgets how it began', () => {
      const [T, units] = [400, 40];
      const model = modelOf({ type: 'echo-state', units } as never, 2);
      const x = numbers(T * 2, 'echo');
      const ends = [0, 1].map(h =>
        tidy(() => {
          const state = { 'layers.0.h': new Float32Array(units).fill(h) };
          return model.forward(tensor(x, [T, 1, 2]), { ...PASS, state }).state['layers.0.h']!;
        }),
      );
      assertClose(ends[1]!, ends[0]!, 'states after 400 steps', 1e-5);
      model.dispose();
    });
  });

describe('an echo state network', () => {
  before(() => startEngine('reference', null));

  it('begins with the spectral radius and the density that were asked for', () => {
    const [units, density, spectralRadius] = [120, 0.2, 1.3];
    const model = modelOf({ type: 'echo-state', units, density, spectralRadius } as never, 2);
    const w = model.variables.get('layers.0.weight_hh')!.dataSync() as Float32Array;
    const { re, im } = eigenvaluesOf(w, units);
    const radius = Math.max(...re.map((part, i) => Math.hypot(part, im[i]!)));
    assert.ok(Math.abs(radius - spectralRadius) < 1e-5, `radius ${radius}`);
    const share = w.filter(value => value !== 0).length / w.length;
    assert.ok(Math.abs(share - density) < 0.02, `share ${share}`);
    const scaled = modelOf({ type: 'echo-state', units: 3, density: 1e-9 } as never, 2);
    const few = scaled.variables.get('layers.0.weight_hh')!.dataSync();
    assert.ok(few.every(Number.isFinite), 'of hardly any weights there is still a ring');
    model.dispose();
    scaled.dispose();
  });
});

describe('a hierarchical RNN', () => {
  /** Edges from h_1 to h_n on its graph, by breadth-first search. */
  function edges(steps: number, segment: number): number {
    const next = (node: string): string[] => {
      const [kind, at] = [node[0], Number(node.slice(1))];
      if (kind === 's')
        return [
          ...(at * segment < steps ? [`s${at + 1}`] : []),
          ...Array.from({ length: segment }, (_, i) => `h${(at - 1) * segment + 1 + i}`),
        ];
      return at % segment === 0 ? [`s${at / segment + 1}`] : [`h${at + 1}`];
    };
    const far = new Map([['h1', 0]]);
    for (const [node, distance] of far)
      for (const each of next(node))
        if (!far.has(each) && Number(each.slice(1)) <= steps) far.set(each, distance + 1);
    return far.get(`h${steps}`)!;
  }

  it('has about 2 √n edges between its ends, as counted on its graph', () => {
    for (const [steps, segment] of [
      [100, 10],
      [37, 5],
      [36, 6],
      [12, 12],
      [9, 20],
      [8, 1],
      [1, 1],
    ] as const)
      assert.equal(
        pathLength(steps, segment),
        edges(steps, segment),
        `${steps} steps in segments of ${segment}`,
      );
    assert.equal(segmentOf({}, 100), 10);
    assert.equal(pathLength(100, 10), 19);
  });

  it('says its path in the hover', () => {
    const layer = { type: 'hierarchical', units: 4 } as never;
    assert.match(kindOf(layer).about!(layer, 'pytorch', 100), /segments of 10: .* 19 edges, 99 in an RNN/);
  });
});

describe('an independent RNN', () => {
  before(() => startEngine('reference', null));

  it('hands each unit its own share of the gradient: ∂h_T/∂h_t = diag(u^(T−t)) where it is linear', () => {
    const units = 3;
    const model = modelOf({ type: 'ind-rnn', units, activation: 'linear' } as never, 1);
    setWeight(model, 'weight_hh', [0.5, -0.9, 1.1]);
    const norms = normsOf(model, numbers(8, 'ind'), [8, 1, 1], units);
    const v = numbers(units, 'loss');
    for (let t = 0; t < 8; t++) {
      const expected = Math.hypot(...[0.5, 0.9, 1.1].map((u, i) => v[i]! * u ** (7 - t)));
      assert.ok(Math.abs(norms[t]! / expected - 1) < 1e-5, `t = ${t}: ${norms[t]}, not ${expected}`);
    }
    model.dispose();
  });
});
