// An encoder-decoder as PyTorch code: every weight has its module, the reference has its source, and what has no form is
// refused. That the code gives the run's outputs is what `python model.py` says.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExperimentInput } from '../../../../src/experiment/schema.ts';
import { decodeSafetensors } from '../../../../src/runs/safetensors.ts';
import { exportRun } from '../../../../src/trainer/export/export-run.ts';
import type { Reference } from '../../../../src/trainer/export/reference-outputs.ts';
import { trainNew, useWorkspace } from '../training/runs.ts';

type Layer = ExperimentInput['model']['layers'][number];

const EMBEDDING: Layer = { type: 'embedding', dim: 4 };

async function exported(encoder: Layer[], layers: Layer[]) {
  const { folder } = await trainNew({
    name: 'exported',
    data: { task: 'reverse', length: 4, symbols: 4 },
    model: { encoder: [EMBEDDING, ...encoder], layers: [EMBEDDING, ...layers, { type: 'dense' }] },
    training: { batchSize: 4, steps: 2, validation: { every: 2, maxBatches: 1 }, sample: { every: 100 } },
  } as ExperimentInput);
  const out = join(folder, 'pytorch');
  await exportRun(folder, 'pytorch', out);
  return {
    code: readFileSync(join(out, 'model.py'), 'utf8'),
    reference: JSON.parse(readFileSync(join(out, 'reference.json'), 'utf8')) as Reference,
    names: [...decodeSafetensors(readFileSync(join(out, 'model.safetensors'))).keys()],
  };
}

describe('export of an encoder-decoder as PyTorch code', () => {
  useWorkspace();

  it('has a module for every weight, and a reference with its source', async () => {
    const { code, reference, names } = await exported(
      [{ type: 'lstm', units: 5, bidirectional: true }],
      [
        { type: 'lstm', units: 6, bridge: 'dense' },
        { type: 'attention', score: 'general' },
      ],
    );
    for (const line of [
      'self.layers[1].bridge_h_l0 = nn.Linear(10, 6)',
      'self.layers[1].bridge_c_l0 = nn.Linear(10, 6)',
      'Attention("general", 6, 10)',
      'last += last_states(state, 2)',
      'begin(self.layers[1], "hc", last[0:1], memory)',
    ])
      assert.ok(code.includes(line), line);
    const bridged = names.filter(name => name.startsWith('layers.1.bridge'));
    assert.deepEqual(
      bridged.sort(),
      ['c', 'h'].flatMap(part => ['bias', 'weight'].map(end => `layers.1.bridge_${part}_l0.${end}`)),
    );
    assert.ok(names.includes('layers.2.query.weight') && names.includes('encoder.1.weight_ih_l0_reverse'));
    assert.deepEqual(reference.source!.shape, [Math.min(17, reference.shape[0]!), 2]);
    assert.ok(reference.parts);
    // 4 letters, what is unknown, start and end
    assert.equal(reference.outputs.length, reference.shape[0]! * 2 * 7);
  });

  const gru: Layer = { type: 'gru', units: 6 };
  const refused: [string, Layer[], Layer[], RegExp][] = [
    [
      'a look at the source that is carried on',
      [gru],
      [gru, { type: 'attention', locationSensitive: true }],
      /`locationSensitive` of layers\.2 has no form/,
    ],
    [
      'attention inside of blocks',
      [gru],
      [
        { type: 'dense', units: 8 },
        { type: 'transformer', heads: 2, positions: 'rotary', crossAttention: true },
      ],
      /layers\.2 looks at the encoder inside of its blocks/,
    ],
    [
      'a state of a layer of its own class',
      [{ type: 'gru', units: 6, zoneout: 0.1 }],
      [gru],
      /encoder\.1 has fields that PyTorch's own modules lack/,
    ],
    [
      'a state before its projection',
      [{ type: 'lstm', units: 6, projection: 3 }],
      [{ type: 'lstm', units: 6 }],
      /encoder\.1 has fields that/,
    ],
  ];
  for (const [what, encoder, layers, said] of refused)
    it(`refuses ${what}`, async () => {
      await assert.rejects(exported(encoder, layers), said);
    });
});
