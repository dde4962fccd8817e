// Numbers in the JSON files of a run folder: NaN, the infinities and -0 come back from every writer by every reader, and
// no writer makes JSON but by `jsonText`.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunEvent, RunFile, RunRequest, RunStatus } from '../../../src/runs/format.ts';
import { fromJsonNumber, jsonText, toJsonNumber } from '../../../src/runs/json.ts';
import { RunReader } from '../../../src/runs/reader.ts';
import { RunWriter } from '../../../src/runs/writer.ts';
import { readCheckpoint } from '../../../src/trainer/training/checkpoint.ts';
import { makeRun, tinyExperiment, train, useWorkspace } from '../trainer/training/runs.ts';
import { runFileOf, Scratch, sidecar } from './folder.ts';

const SPECIAL = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0];

type Path = (string | number)[];

/** Paths of all numbers in a value. */
function* numbersIn(value: unknown, path: Path = []): Generator<Path> {
  if (typeof value === 'number') yield path;
  else if (Array.isArray(value))
    for (const [at, own] of value.entries()) yield* numbersIn(own, [...path, at]);
  else if (typeof value === 'object' && value !== null)
    for (const [name, own] of Object.entries(value)) yield* numbersIn(own, [...path, name]);
}

const at = (value: unknown, path: Path): unknown =>
  path.reduce((own, name) => (own as Record<string, unknown> | undefined)?.[name], value);

function changed<T>(value: T, path: Path, number: number): T {
  const copy = structuredClone(value);
  (at(copy, path.slice(0, -1)) as Record<string, unknown>)[path.at(-1)!] = number;
  return copy;
}

/** Clocks and counts: no measurement can make them NaN. */
const isClock = (path: Path) => ['time', 'ownSeconds', 'seconds', 'tokens'].includes(String(path.at(-1)));

const EVENTS: RunEvent[] = [
  { kind: 'started', step: 0, time: 1 },
  {
    kind: 'scalars',
    step: 1,
    time: 2,
    values: { trainLoss: { mean: 1.5, min: 1.5, max: 1.5 }, valLoss: 1.5 },
    ownSeconds: 1,
    tokens: 1,
  },
  { kind: 'checkpoint', step: 1, time: 3, best: true, valLoss: 1.5 },
  { kind: 'sample', step: 1, time: 3, sample: { type: 'text', prompt: 'a', text: 'b', temperature: 1.5 } },
  {
    kind: 'sample',
    step: 1,
    time: 3,
    sample: {
      type: 'series',
      target: 'C',
      index: [1.5],
      truth: [1.5],
      prediction: [1.5],
      persistence: [1.5],
    },
  },
  {
    kind: 'finding',
    step: 1,
    time: 3,
    finding: {
      id: 'x',
      severity: 'info',
      message: 'm',
      evidence: { figure: 1.5 },
      layer: null,
      fixes: [],
    },
  },
  {
    kind: 'ended',
    step: 2,
    time: 5,
    reason: 'diverged',
    message: '',
    trainLoss: 1.5,
    valLoss: 1.5,
    metrics: { valAccuracy: 1.5 },
    seconds: 1,
  },
];

describe('numbers in files of a run', () => {
  const scratch = new Scratch();
  useWorkspace();
  afterEach(() => scratch.clean());

  it('come back from the text that is written, at any depth', () => {
    const seen: unknown[] = [0, -1, 1e-310, 5e-324, 1e308, 'NaN', '-0', 'null', null, true, 10, 100.5];
    const value = [...SPECIAL, ...seen, { a: SPECIAL, b: { c: -0 } }];
    for (const indent of [undefined, 2]) {
      const read = JSON.parse(jsonText(value, indent));
      for (const [place, number] of SPECIAL.entries()) {
        assert.ok(Object.is(fromJsonNumber(read[place]), number), String(number));
        assert.ok(Object.is(fromJsonNumber(read.at(-1).a[place]), number));
      }
      assert.deepEqual(read.slice(SPECIAL.length, -1), seen);
      assert.ok(Object.is(read.at(-1).b.c, -0));
    }
    assert.ok(Object.is(JSON.parse(jsonText(-0)), -0));
    for (const number of SPECIAL.slice(0, 3))
      assert.ok(Object.is(fromJsonNumber(toJsonNumber(number)), number));
  });

  /** Writes one file of each kind; what the reader gives back. */
  function written(file: RunFile, events: readonly RunEvent[], status: Partial<RunStatus>): RunReader {
    const writer = RunWriter.open(scratch.run());
    writer.writeRun({ ...file, id: (writer.request as RunRequest).id });
    for (const event of events) writer.event(event);
    writer.series('gradient-flow', sidecar);
    writer.status(status as never);
    writer.close();
    const reader = new RunReader(writer.folder);
    while (reader.poll() || reader.behind);
    return reader;
  }
  const fileOf = () => runFileOf(RunWriter.open(scratch.run()).request as RunRequest);
  const status = { state: 'training', step: 2, eta: 1.5, last: { trainLoss: 1.5 } } as const;

  /** Every number of `value` that takes -0.5, so that it is measured and not counted, takes the special ones too. */
  function each<T>(value: T, read: (value: T) => { problems: readonly string[]; back: unknown }): number {
    let measured = 0;
    for (const path of numbersIn(value)) {
      if (isClock(path)) continue;
      if (read(changed(value, path, -0.5)).problems.length > 0) continue;
      measured++;
      for (const number of SPECIAL) {
        const { problems, back } = read(changed(value, path, number));
        assert.deepEqual(problems, [], `${path.join('.')} = ${number}`);
        assert.ok(Object.is(fromJsonNumber(at(back, path)), number), `${path.join('.')} = ${number}`);
      }
    }
    return measured;
  }

  it('come back from run.json: no figure makes a run unreadable', () => {
    const read = (file: RunFile) => {
      const { problems, run } = written(file, [], status);
      return { problems: run ? problems : [...problems, 'unreadable'], back: run };
    };
    assert.ok(each(fileOf(), read) >= 1);
  });

  it('come back from status.json', () => {
    const read = (own: typeof status) => {
      const { problems, status: back } = written(fileOf(), [], own);
      return { problems, back };
    };
    assert.ok(each(status, read) >= 2);
  });

  it('come back from every kind of event', () => {
    let measured = 0;
    for (const event of EVENTS) {
      const read = (own: RunEvent) => {
        const reader = written(fileOf(), [own], status);
        const column = reader.scalars;
        const range = (name: string) => ({
          mean: column.get(name)?.mean.at(0),
          min: column.get(name)?.min.at(0),
          max: column.get(name)?.max.at(0),
        });
        const back = {
          scalars: { values: { trainLoss: range('trainLoss'), valLoss: column.get('valLoss')?.mean.at(0) } },
          sample: reader.samples.at(-1),
          finding: { finding: reader.findings.at(-1) },
          ended: reader.ended,
        }[own.kind as 'scalars'];
        return { problems: reader.problems, back: back ?? own };
      };
      measured += each(event, read);
    }
    assert.ok(measured >= 10, `${measured} measured numbers`);
  });

  it('come back from the state of a checkpoint', async () => {
    const run = makeRun(tinyExperiment({ steps: 2 }));
    await train(run);
    const folder = join(run, 'checkpoints', '2');
    const sound = JSON.parse(readFileSync(join(folder, 'state.json'), 'utf8'));
    const full = { ...sound, trainLoss: 1.5, valLoss: 1.5, best: { ...sound.best, best: 1.5 } };
    const read = (state: unknown) => {
      writeFileSync(join(folder, 'state.json'), jsonText(state, 2));
      try {
        return { problems: [], back: readCheckpoint(folder).progress };
      } catch (cause) {
        return { problems: [(cause as Error).message], back: null };
      }
    };
    assert.ok(each(full, read) >= 3);
  });

  it('are written by jsonText alone in the rooms that write run folders', () => {
    /** They make keys to compare by, and write nothing. */
    const keys = new Set([
      'src/runs/comparison-row.ts',
      'src/runs/comparison.ts',
      'src/runs/differences.ts',
      'src/runs/matrix.ts',
      'src/runs/json.ts',
    ]);
    const bare: string[] = [];
    for (const room of ['src/runs', 'src/trainer'])
      for (const name of readdirSync(room, { recursive: true }) as string[]) {
        const path = join(room, name);
        if (!path.endsWith('.ts') || keys.has(path)) continue;
        const text = readFileSync(path, 'utf8');
        // in src/trainer what writes files at all; elsewhere stdout is meant, which report-json.ts has a form for
        const writes = room === 'src/runs' || /\b(replaceFile|AppendFile|encodeSafetensors)\(/.test(text);
        if (writes && /JSON\.stringify\(/.test(text)) bare.push(path);
      }
    assert.deepEqual(bare, [], 'write run folders by jsonText of src/runs/json.ts');
  });
});
