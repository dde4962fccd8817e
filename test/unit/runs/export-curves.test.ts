// Curves for other tools.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { exportScalars } from '../../../src/runs/export-curves.ts';
import { crc32c } from '../../../src/runs/tensorboard.ts';
import { RunWriter } from '../../../src/runs/writer.ts';
import { Scratch, scalars } from './folder.ts';

describe('exportScalars', () => {
  const scratch = new Scratch();
  afterEach(() => scratch.clean());

  function run(): string {
    const folder = scratch.run();
    const writer = RunWriter.open(folder);
    writer.event(scalars(1, { trainLoss: 0.5, '=cmd,"x"': 1 }));
    writer.event({
      kind: 'scalars',
      step: 300,
      time: 2,
      values: { trainLoss: { mean: 0.25, min: 0.125, max: 'NaN' } },
      ownSeconds: 30,
      tokens: 960_000,
    });
    writer.close();
    return folder;
  }

  it('csv, with names that no spreadsheet runs', () => {
    const [file] = exportScalars(run(), 'csv', scratch.folder());
    assert.deepEqual(readFileSync(file!, 'utf8').split('\n'), [
      'name,step,seconds,tokens,mean,min,max',
      'trainLoss,1,0.1,3200,0.5,0.5,0.5',
      'trainLoss,300,30,960000,0.25,0.125,NaN',
      `"'=cmd,""x""",1,0.1,3200,1,1,1`,
      '',
    ]);
  });

  it('JSON lines', () => {
    const [file] = exportScalars(run(), 'jsonl', scratch.folder());
    const rows = readFileSync(file!, 'utf8')
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
    assert.equal(rows.length, 3);
    assert.deepEqual(rows[1], {
      name: 'trainLoss',
      step: 300,
      seconds: 30,
      tokens: 960_000,
      mean: 0.25,
      min: 0.125,
      max: 'NaN',
    });
  });

  it('CRC-32C as published (RFC 3720, B.4)', () => {
    assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
    assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
    assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e);
    assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
  });

  it('TensorBoard: records that frame themselves, with the values in them', () => {
    const [file] = exportScalars(run(), 'tensorboard', scratch.folder());
    assert.match(basename(file!), /^events\.out\.tfevents\./);
    const events = recordsOf(readFileSync(file!)).map(eventOf);
    assert.equal(events[0]!.version, 'brain.Event:2');
    assert.deepEqual(
      events.slice(1).map(({ step, tag, value }) => ({ step, tag, value })),
      [
        { step: 1, tag: 'trainLoss', value: 0.5 },
        { step: 300, tag: 'trainLoss', value: 0.25 },
        { step: 300, tag: 'trainLoss/min', value: 0.125 },
        { step: 300, tag: 'trainLoss/max', value: Number.NaN },
        { step: 1, tag: '=cmd,"x"', value: 1 },
      ],
    );
    assert.ok(Math.abs(events[2]!.time - events[1]!.time - 29.9) < 1e-3);
  });
});

/** Reads the framing as TensorBoard does, checksums included. */
function recordsOf(bytes: Buffer): Buffer[] {
  const unmask = (value: number) => {
    const rotated = (value - 0xa282ead8) >>> 0;
    return ((rotated >>> 17) | (rotated << 15)) >>> 0;
  };
  const records: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    assert.equal(unmask(bytes.readUInt32LE(at + 8)), crc32c(bytes.subarray(at, at + 8)));
    const data = bytes.subarray(at + 12, at + 12 + length);
    assert.equal(unmask(bytes.readUInt32LE(at + 12 + length)), crc32c(data));
    records.push(data);
    at += 16 + length;
  }
  return records;
}

interface Fields {
  [field: number]: Buffer | number;
}

function fieldsOf(data: Buffer): Fields {
  const fields: Fields = {};
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = data[at++]!;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  while (at < data.length) {
    const key = varint();
    const field = key >> 3;
    if ((key & 7) === 0) fields[field] = varint();
    else if ((key & 7) === 1) fields[field] = data.readDoubleLE((at += 8) - 8);
    else if ((key & 7) === 5) fields[field] = data.readFloatLE((at += 4) - 4);
    else {
      const length = varint();
      fields[field] = data.subarray(at, (at += length));
    }
  }
  return fields;
}

function eventOf(data: Buffer) {
  const event = fieldsOf(data);
  const summary = event[5] ? fieldsOf(fieldsOf(event[5] as Buffer)[1] as Buffer) : {};
  return {
    time: event[1] as number,
    step: event[2] as number | undefined,
    version: event[3]?.toString(),
    tag: summary[1]?.toString(),
    value: summary[2] as number | undefined,
  };
}
