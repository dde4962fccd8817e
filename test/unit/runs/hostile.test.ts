// Run folders that came from anywhere: readers never throw, never hang, and say in a sentence what they left out.
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LifeWatch } from '../../../src/runs/life.ts';
import { listRuns } from '../../../src/runs/list.ts';
import { RunReader } from '../../../src/runs/reader.ts';
import { decodeSafetensors, encodeSafetensors } from '../../../src/runs/safetensors.ts';
import { RunWriter } from '../../../src/runs/writer.ts';
import { Scratch, scalars, sidecar } from './folder.ts';

const scalar = (step: number) => JSON.stringify(scalars(step, { trainLoss: step }));

/** A row with its step and values as bytes. */
function rowBytes(step: number, values: number[]): Buffer {
  const bytes = Buffer.alloc(4 + values.length * 4);
  bytes.writeUInt32LE(step, 0);
  for (const [i, value] of values.entries()) bytes.writeFloatLE(value, 4 + 4 * i);
  return bytes;
}

describe('hostile run folders', () => {
  const scratch = new Scratch();
  afterEach(() => scratch.clean());

  function read(folder: string): RunReader {
    const reader = new RunReader(folder);
    for (let polls = 0; polls < 50 && (reader.poll() || reader.behind); polls++);
    return reader;
  }

  const events: [name: string, content: string | Buffer, steps: number[], problem: RegExp | null][] = [
    [
      'binary noise',
      Buffer.from([0, 255, 254, 10, 128, 10]),
      [],
      /Line 1 of events\.jsonl is not JSON and is left out\./,
    ],
    ['other JSON', 'null\n[]\n"x"\n3\n{}\n', [], /Line 1 of events\.jsonl is left out: /],
    [
      'an unknown kind between good lines',
      `${scalar(1)}\n{"kind":"exec","step":1,"time":1}\n${scalar(2)}\n`,
      [1, 2],
      null, // of a newer version: passed over
    ],
    [
      'a line that is no JSON between good ones',
      `${scalar(1)}\n{{{\n${scalar(2)}\n`,
      [1, 2],
      /Line 2 of events\.jsonl is not JSON/,
    ],
    [
      'a negative step',
      '{"kind":"scalars","step":-1,"time":1,"values":{},"ownSeconds":0,"tokens":0}\n',
      [],
      /Line 1 of events\.jsonl is left out: step/,
    ],
    [
      'a step beyond whole numbers',
      '{"kind":"scalars","step":1e300,"time":1,"values":{},"ownSeconds":0,"tokens":0}\n',
      [],
      /left out: step/,
    ],
    [
      'steps that go back',
      `${scalar(5)}\n${scalar(3)}\n${scalar(6)}\n`,
      [5, 6],
      /Scalars of step 3 stand after later ones and are left out\./,
    ],
    [
      'values of other types',
      '{"kind":"scalars","step":1,"time":1,"values":{"trainLoss":"<script>"},"ownSeconds":0,"tokens":0}\n',
      [1],
      null,
    ],
    [
      'a prototype as a name',
      '{"kind":"scalars","step":1,"time":1,"values":{"__proto__":1,"trainLoss":1},"ownSeconds":0,"tokens":0}\n',
      [1],
      null,
    ],
    [
      'ten thousand names',
      `{"kind":"scalars","step":1,"time":1,"values":{"trainLoss":1,${Array.from({ length: 10_000 }, (_, i) => `"n${i}":1`).join()}},"ownSeconds":0,"tokens":0}\n`,
      [1],
      null,
    ],
    [
      'a line of 20 MB',
      `${scalar(1)}\n{"kind":"sample","x":"${'x'.repeat(20e6)}"}\n${scalar(2)}\n`,
      [1, 2],
      /Line 2 of events\.jsonl is too long and is left out\./,
    ],
    ['20 MB without a line end', 'x'.repeat(20e6), [], /Line 1 of events\.jsonl is too long/],
    ['deep nesting', `${'['.repeat(200_000)}\n${scalar(1)}\n`, [1], /Line 1 of events\.jsonl is not JSON/],
    [
      'a resumption far ahead',
      `${scalar(1)}\n{"kind":"resumed","step":1,"time":1,"fromStep":999999}\n${scalar(2)}\n`,
      [1, 2],
      null,
    ],
    [
      'a finding with a wrong fix',
      '{"kind":"finding","step":1,"time":1,"finding":{"id":"plateau","severity":"info","message":"m","layer":null,"evidence":{},"fixes":[{"title":"t","edits":"rm"}]}}\n',
      [],
      /left out: finding\.fixes\.0\.edits/,
    ],
  ];

  describe('events.jsonl', () => {
    for (const [name, content, steps, problem] of events) {
      it(name, () => {
        const folder = scratch.run();
        writeFileSync(join(folder, 'events.jsonl'), content);
        const reader = read(folder);
        assert.deepEqual([...(reader.scalars.get('trainLoss')?.steps.values() ?? [])], steps);
        if (problem) assert.match(reader.problems.join('\n'), problem);
        else assert.deepEqual(reader.problems, []);
        assert.ok(reader.scalars.size <= 200);
      });
    }

    it('a line whose end has not come is kept up to 8 MB', () => {
      for (const [bytes, steps] of [
        [8e6, [1]],
        [8e6 + 1, []],
      ] as const) {
        const folder = scratch.run();
        const file = join(folder, 'events.jsonl');
        writeFileSync(file, scalar(1).padEnd(bytes));
        const reader = read(folder);
        appendFileSync(file, '\n');
        for (let polls = 0; polls < 50 && (reader.poll() || reader.behind); polls++);
        assert.deepEqual([...(reader.scalars.get('trainLoss')?.steps.values() ?? [])], steps);
      }
    });

    it('of a thousand bad lines the good ones are read, and with one more it is none of ours', () => {
      for (const [bad, steps] of [
        [1000, [1]],
        [1001, []],
      ] as const) {
        const folder = scratch.run();
        writeFileSync(join(folder, 'events.jsonl'), `${'{\n'.repeat(bad)}${scalar(1)}\n`);
        assert.deepEqual([...(read(folder).scalars.get('trainLoss')?.steps.values() ?? [])], steps);
      }
    });

    it('a million bad lines make few problems', () => {
      const folder = scratch.run();
      writeFileSync(join(folder, 'events.jsonl'), '{\n'.repeat(1e6));
      assert.ok(read(folder).problems.length <= 20);
    });
  });

  const sidecars: [name: string, content: unknown, problem: RegExp][] = [
    ['no JSON', '{', /The series "gradient-flow" is left out: its sidecar is not JSON\./],
    ['another type', [], /is left out: /],
    ['width 0', { ...sidecar, width: 0 }, /is left out: width/],
    [
      'a width beyond memory',
      { ...sidecar, width: 2 ** 31, axes: [{ name: 't', size: 2 ** 31 }] },
      /is left out: width/,
    ],
    ['a fraction', { ...sidecar, width: 1.5 }, /is left out: width/],
    [
      'axes that do not multiply to the width',
      { ...sidecar, width: 7 },
      /the axes do not multiply to the width/,
    ],
    [
      'axes that overflow',
      {
        ...sidecar,
        axes: [
          { name: 'a', size: 2 ** 52 },
          { name: 'b', size: 2 ** 52 },
        ],
      },
      /the axes do not multiply/,
    ],
    ['no layers', { ...sidecar, layers: undefined }, /is left out: layers/],
    ['more layers than the first axis has', { ...sidecar, layers: [] }, /layers/],
    [
      'a family that is no text',
      { ...sidecar, layers: [{ name: 'x', family: {}, title: 'X', units: 1 }] },
      /is left out: layers/,
    ],
    ['a sidecar of 2 MB', { ...sidecar, unit: 'x'.repeat(2e6) }, /of its sidecar, it is larger than 1 MB/],
  ];

  describe('series', () => {
    for (const [name, content, problem] of sidecars) {
      it(name, () => {
        const folder = scratch.run();
        mkdirSync(join(folder, 'series'));
        const text = typeof content === 'string' ? content : JSON.stringify(content);
        writeFileSync(join(folder, 'series', 'gradient-flow.json'), text);
        writeFileSync(join(folder, 'series', 'gradient-flow.f32'), rowBytes(1, [1, 2, 3, 4, 5, 6]));
        const reader = read(folder);
        assert.equal(reader.series.size, 0);
        assert.match(reader.problems.join('\n'), problem);
      });
    }

    it('rows with a torn end, and rows whose steps go back, give rows in order', () => {
      const folder = scratch.run();
      mkdirSync(join(folder, 'series'));
      writeFileSync(join(folder, 'series', 'gradient-flow.json'), JSON.stringify(sidecar));
      const values = [1, 2, 3, 4, 5, 6];
      const rows = [1, 2, 7, 3, 4].map(step => rowBytes(step, values));
      writeFileSync(join(folder, 'series', 'gradient-flow.f32'), Buffer.concat([...rows, Buffer.alloc(11)]));
      const { steps } = read(folder).series.get('gradient-flow')!;
      assert.deepEqual(steps, [1, 2, 3, 4]);
    });
  });

  const files: [file: string, content: string, problem: RegExp][] = [
    ['run.json', '{', /run\.json is left out: it is not JSON\./],
    ['run.json', '{"format":2}', /run\.json is left out: /],
    ['status.json', '{"state":"<b>"}', /status\.json is left out: state/],
    ['status.json', '[]', /status\.json is left out: /],
    ['request.json', '{"format":1,"id":"../../x"}', /request\.json is left out: /],
    ['request.json', 'x'.repeat(17e6), /request\.json is left out: it is larger than 16 MB\./],
  ];

  describe('files that are read whole', () => {
    for (const [file, content, problem] of files) {
      it(`${file}: ${content.slice(0, 20)}`, () => {
        const folder = scratch.run();
        writeFileSync(join(folder, file), content);
        assert.match(read(folder).problems.join('\n'), problem);
        listRuns(join(folder, '..'));
      });
    }

    it('folders where files should be', () => {
      const folder = scratch.run();
      for (const file of ['run.json', 'events.jsonl', 'writer.json', 'series']) {
        rmSync(join(folder, file), { force: true });
        mkdirSync(join(folder, file));
      }
      const reader = read(folder);
      assert.match(reader.problems.join('\n'), /run\.json is left out: it is no ordinary file\./);
      new LifeWatch().judge(folder, { ...reader.status!, state: 'training' });
    });

    it('links to devices are not read', function () {
      if (process.platform === 'win32') this.skip();
      const folder = scratch.run();
      for (const file of ['run.json', 'status.json', 'events.jsonl', 'writer.json']) {
        rmSync(join(folder, file), { force: true });
        symlinkSync('/dev/zero', join(folder, file));
      }
      const reader = read(folder);
      assert.match(reader.problems.join('\n'), /status\.json is left out: it is no ordinary file\./);
      // its status is made from what can be read
      assert.deepEqual(
        listRuns(join(folder, '..')).map(({ status }) => status.state),
        ['queued'],
      );
    });

    it('a link does not lead the writer out of the folder', function () {
      if (process.platform === 'win32') this.skip();
      const outside = join(scratch.folder(), 'profile');
      writeFileSync(outside, 'precious');
      for (const name of ['events.jsonl', 'series', 'checkpoints', 'control']) {
        const folder = scratch.run();
        rmSync(join(folder, name), { recursive: true, force: true });
        symlinkSync(name === 'events.jsonl' ? outside : scratch.folder(), join(folder, name));
        assert.throws(
          () => RunWriter.open(folder),
          /is a link, which no run folder holds: nothing was written\./,
        );
      }
      assert.equal(readFileSync(outside, 'utf8'), 'precious');
    });
  });

  it('a folder that shrinks, empties and comes back never throws', () => {
    const folder = scratch.run();
    const events = join(folder, 'events.jsonl');
    const reader = new RunReader(folder);
    const lines = [1, 2, 3, 4].map(step => `${scalar(step)}\n`);
    for (const content of [
      lines.join(''),
      lines.slice(0, 2).join(''),
      '',
      lines.join('').slice(0, 100),
      lines.join(''),
    ]) {
      writeFileSync(events, content);
      reader.poll();
      reader.poll();
      const whole = content.split('\n').length - 1;
      assert.equal(reader.scalars.get('trainLoss')?.length ?? 0, whole, content.slice(0, 30));
    }
  });
});

describe('safetensors', () => {
  const tensors = new Map([
    ['b', { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) }],
    ['a', { shape: [], data: Float32Array.of(-0) }],
    ['empty', { shape: [0, 3], data: new Float32Array(0) }],
  ]);

  it('gives back what it was given, and equal bytes whatever the order', () => {
    const bytes = encodeSafetensors(tensors, { format: 'pt' });
    assert.deepEqual(decodeSafetensors(bytes), new Map([...tensors].sort(([a], [b]) => (a < b ? -1 : 1))));
    assert.deepEqual(encodeSafetensors(new Map([...tensors].reverse()), { format: 'pt' }), bytes);
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    assert.deepEqual(decodeSafetensors(shifted.subarray(3)).get('b')!.data, Float32Array.of(1, 2, 3, 4));
  });

  const file = (header: unknown, data = 16, length?: bigint) => {
    const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
    const bytes = Buffer.alloc(8 + json.length + data);
    bytes.writeBigUInt64LE(length ?? BigInt(json.length), 0);
    json.copy(bytes, 8);
    return bytes;
  };
  const good = { dtype: 'F32', shape: [2, 2], data_offsets: [0, 16] };
  const bad: [string, Uint8Array, RegExp][] = [
    ['three bytes', new Uint8Array(3), /shorter than its header/],
    ['a header longer than the file', file({}, 0, 2n ** 60n), /header is longer than the file/],
    ['a header that is no JSON', file('{'), /header is not JSON/],
    ['a header that is a list', file([]), /header is not an object/],
    ['another type', file({ a: { ...good, dtype: 'I64' } }), /"a" is not of type F32/],
    ['no shape', file({ a: { dtype: 'F32' } }), /"a" has no valid shape and offsets/],
    ['a negative size', file({ a: { ...good, shape: [-2, -2] } }), /"a" has no valid shape/],
    ['a size that does not fit', file({ a: { ...good, shape: [2, 3] } }), /offsets of "a" do not fit/],
    ['offsets beyond the end', file({ a: { ...good, data_offsets: [8, 24] } }), /offsets of "a" do not fit/],
    [
      'offsets that go back',
      file({ a: { ...good, shape: [0], data_offsets: [8, 4] } }),
      /offsets of "a" do not fit/,
    ],
    [
      'a shape that overflows',
      file({ a: { ...good, shape: [2 ** 52, 2 ** 52] } }),
      /offsets of "a" do not fit/,
    ],
    [
      'tensors that overlap',
      file({
        a: { ...good, shape: [3], data_offsets: [0, 12] },
        b: { ...good, shape: [3], data_offsets: [4, 16] },
      }),
      /overlap/,
    ],
  ];
  for (const [name, bytes, problem] of bad) {
    it(`refuses ${name}`, () => {
      assert.throws(() => decodeSafetensors(bytes), problem);
    });
  }
});
