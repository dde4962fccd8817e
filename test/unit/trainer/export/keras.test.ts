// A run as a `.keras` archive: paths and shapes are those that Keras gives, numbers stand where Keras reads them. That
// Keras opens the archives and says the same is checked where it is present: `test/golden/keras_archive.py check`.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readHdf5 } from '../../../../src/trainer/data/hdf5.ts';
import { entriesOf } from '../../../../src/trainer/data/readers/zip.ts';
import { exportRun } from '../../../../src/trainer/export/export-run.ts';
import { zipOf } from '../../../../src/trainer/export/keras/zip.ts';
import { openFinishedRun } from '../../../../src/trainer/inference/finished-run.ts';
import { trainNew, useWorkspace } from '../training/runs.ts';
import { kerasCases } from './keras-cases.ts';
import { experimentOf, type Layers, NUMBERS, TEXT } from './models.ts';

const golden = JSON.parse(readFileSync('test/golden/keras_archive.json', 'utf8')) as Record<
  string,
  Record<string, number[]>
>;

async function exported(name: string) {
  const { folder, outcome } = await trainNew(experimentOf(kerasCases[name]!));
  assert.equal(outcome.reason, 'finished', outcome.message);
  await exportRun(folder, 'keras', join(folder, 'keras'));
  const archive = join(folder, 'keras', 'model.keras');
  const files = storedIn(archive);
  const arrays = await readHdf5(files['model.weights.h5']!, 'model.weights.h5');
  return { folder, files, arrays, config: JSON.parse(files['config.json']!.toString()) };
}

/** Its files, by Node's own reading of the layout: they are stored as they are. */
function storedIn(path: string): Record<string, Buffer> {
  const bytes = readFileSync(path);
  const found: Record<string, Buffer> = {};
  for (let at = 0; bytes.readUInt32LE(at) === 0x04034b50; ) {
    const [size, name] = [bytes.readUInt32LE(at + 18), bytes.readUInt16LE(at + 26)];
    const from = at + 30 + name;
    found[bytes.toString('utf8', at + 30, from)] = bytes.subarray(from, from + size);
    at = from + size;
  }
  return found;
}

describe('export as a Keras archive', () => {
  useWorkspace();

  for (const name of Object.keys(golden))
    it(`has the paths and shapes of Keras: ${name}`, async () => {
      const { arrays, config } = await exported(name);
      const shapes = Object.fromEntries([...arrays].map(([path, { shape }]) => [path, shape]));
      assert.deepEqual(
        Object.entries(shapes).sort(),
        Object.entries(golden[name]!)
          .map(([path, shape]) => [path.replace(/^_?layers/, 'layers'), shape])
          .sort(),
      );
      const { layers, output_layers } = config.config;
      assert.equal(output_layers[0][0], layers.at(-1).name);
      const names = layers.map((layer: { name: string }) => layer.name);
      assert.equal(new Set(names).size, names.length);
    });

  it('keeps the gates in the order of Keras', async () => {
    const { folder, arrays } = await exported('both directions, whose last states are read');
    const { weights } = openFinishedRun(folder);
    const of = (name: string) => weights.get(`layers.0.${name}`)!;
    const units = 4;
    const places = { z: 1, r: 0, h: 2 };
    for (const [part, end] of [
      ['forward_layer', ''],
      ['backward_layer', '_reverse'],
    ]) {
      const path = `layers/bidirectional_1/${part}/cell/vars`;
      const [kernel, recurrent, bias] = [0, 1, 2].map(place => arrays.get(`${path}/${place}`)!);
      Object.values(places).forEach((ours, theirs) => {
        for (let unit = 0; unit < units; unit++) {
          const row = ours * units + unit;
          const column = theirs * units + unit;
          for (let input = 0; input < 8; input++)
            assert.equal(kernel!.data[input * 12 + column], of(`weight_ih_l1${end}`).data[row * 8 + input]);
          for (let input = 0; input < units; input++)
            assert.equal(
              recurrent!.data[input * 12 + column],
              of(`weight_hh_l1${end}`).data[row * units + input],
            );
          assert.equal(bias!.data[column], of(`bias_ih_l1${end}`).data[row]);
          assert.equal(bias!.data[12 + column], of(`bias_hh_l1${end}`).data[row]);
        }
      });
    }
  });

  it('is a ZIP whose checksums fit, and the same bytes for the same run but for its HDF5', async () => {
    const { folder, files } = await exported('a GRU that resets before');
    const path = join(folder, 'keras', 'model.keras');
    const bytes = readFileSync(path);
    const entries = entriesOf(
      (from, length) => bytes.subarray(from, from + length),
      bytes.length,
      'model.keras',
    );
    assert.deepEqual(
      entries.map(({ name }) => name),
      ['metadata.json', 'config.json', 'model.weights.h5'],
    );
    // the check value of CRC-32
    assert.equal(Buffer.from(zipOf({ a: Buffer.from('123456789') })).readUInt32LE(14), 0xcbf43926);
    const first = files['config.json']!;
    await exportRun(folder, 'keras', join(folder, 'again'));
    assert.deepEqual(storedIn(join(folder, 'again', 'model.keras'))['config.json'], first);
    writeFileSync(join(folder, 'w.h5'), files['model.weights.h5']!.subarray(0, 300));
    await assert.rejects(
      readHdf5(readFileSync(join(folder, 'w.h5')), 'w.h5'),
      /^DataError: w\.h5 cannot be read as HDF5/,
    );
  });

  it('refuses what Keras has no form of, with the place and another way', async () => {
    const refused: [Layers[number], RegExp, typeof TEXT?][] = [
      [
        { type: 'lstm', units: 4, zoneout: 0.1 },
        /Keras has no form of zoneout.* \(layers\.0\); export with --format pytorch/,
      ],
      [{ type: 'mamba', units: 4 }, /no form of the layer "mamba" \(layers\.0\)/, NUMBERS],
      [
        { type: 'conv1d', units: 4, padding: 'same', stride: 2 },
        /no form of a stride with the padding "same"/,
        NUMBERS,
      ],
    ];
    for (const [layer, message, data = TEXT] of refused) {
      const { folder } = await trainNew(experimentOf({ layers: [layer, { type: 'dense' }], data }));
      await assert.rejects(exportRun(folder, 'keras', join(folder, 'keras')), message);
    }
  });
});
