// Runs on binary tables, tables of sounds and folders: only what a run knew is trained on, and what was appended, deleted or
// replaced is said.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExperimentInput } from '../../../../src/experiment/schema.ts';
import { zipOf } from '../../../../src/trainer/export/keras/zip.ts';
import { openRunData } from '../../../../src/trainer/training/run-data.ts';
import { wavOf } from '../data/wav-of.ts';
import { bitsOf, inShortTurns, makeRun, readRun, train, useWorkspace, workspaceFolder } from './runs.ts';

interface Case {
  data: ExperimentInput['data'];
  isText?: boolean;
  /** writes the data, as they were or otherwise */
  write(variant: string): void;
  /** by variant: the refusal */
  refused: Record<string, RegExp>;
  /** by variant: what is told where the run goes on to the same bits */
  goesOn: Record<string, string>;
}

const inWorkspace = (name: string) => join(workspaceFolder(), name);

/** A series of one column, written anew as a whole: 40 rows at first, 50 when grown. */
function whole(path: string, target: string, contentOf: (variant: string) => Uint8Array | string): Case {
  return {
    data: { task: 'forecast', path, target, window: 6 },
    write: variant => writeFileSync(inWorkspace(path), contentOf(variant)),
    refused: {
      shorter:
        /^d\.\w+ is not the file .*: [\d,]+ bytes then, [\d,]+ now; 40 rows then, 30 now\. .*--changed-data/,
      other:
        /: [\d,]+ bytes (as then|then, [\d,]+ now); its first 40 rows, or the names of its columns, are others\. /,
    },
    goesOn: { grown: `10 rows were appended to ${path}; going on with the first 40.` },
  };
}

function golden(extension: string): Case {
  const content = (name: string) => readFileSync(join('test/golden/series', `${name}.${extension}`));
  const own = whole(`d.${extension}`, 'y', variant =>
    variant === 'with bytes behind it'
      ? Buffer.concat([content('first'), content('first')])
      : content(variant),
  );
  // what is read of it are the same rows
  return { ...own, goesOn: { ...own.goesOn, 'with bytes behind it': '' } };
}

const LENGTHS: Record<string, number> = { grown: 50, shorter: 30 };

const valuesOf = (variant: string) =>
  Array.from({ length: LENGTHS[variant] ?? 40 }, (_, row) => Math.sin(row) + (variant === 'other' ? row : 0));

/** (rows, 1) of float64, or (rows). */
function npyOf(variant: string, isTable = true): Buffer {
  const values = valuesOf(variant);
  const header = `{'descr': '<f8', 'fortran_order': False, 'shape': (${values.length},${isTable ? 1 : ''}), }`;
  const head = Buffer.from(`\x93NUMPY\x01\x00\x76\x00${header.padEnd(117)}\n`, 'latin1');
  return Buffer.concat([head, Buffer.from(Float64Array.from(values).buffer)]);
}

function list(): Case {
  const own = whole('d.json', 'y', variant => {
    const rows = valuesOf(variant).map((y, x) => ({ x, y }));
    return JSON.stringify(rows, null, variant === 'with other spaces' ? 2 : 0);
  });
  return { ...own, goesOn: { ...own.goesOn, 'with other spaces': '' } };
}

const sound = (pitch: number, rate = 8000) =>
  wavOf(
    Array.from({ length: 1600 }, (_, at) => 0.5 * Math.sin(at * pitch)),
    { rate },
  );

function sounds(data: ExperimentInput['data'], targetOf: (row: number) => string): Case {
  return {
    data,
    write(variant) {
      rmSync(inWorkspace('wav'), { recursive: true, force: true });
      mkdirSync(inWorkspace('wav'));
      const rows = Array.from({ length: variant === 'grown' ? 24 : 20 }, (_, row) => row);
      for (const row of rows) writeFileSync(inWorkspace(`wav/${row}.wav`), sound(0.2 + 0.01 * row));
      const lines = rows.map(row => `wav/${row}.wav,${targetOf(row)}\n`);
      if (variant === 'without its last rows') lines.length -= 3;
      if (variant === 'with two rows exchanged') [lines[3], lines[4]] = [lines[4]!, lines[3]!];
      writeFileSync(inWorkspace('d.csv'), `file,label\n${lines.join('')}`);
      const third = inWorkspace('wav/3.wav');
      if (variant === 'with another sound') writeFileSync(third, sound(0.9));
      if (variant === 'without a sound') rmSync(third);
      if (variant === 'with a cut sound') writeFileSync(third, sound(0.23).subarray(0, 900));
      if (variant === 'with a sound of another rate') writeFileSync(third, sound(0.23, 16_000));
    },
    goesOn: { grown: '4 rows were appended to d.csv; going on with the first 20.' },
    refused: {
      'without its last rows': /^d\.csv is not the file .* bytes then, .* now; .*--changed-data/,
      'with two rows exchanged': /^d\.csv is not the file .* bytes as then; its beginning differs\. /,
      'with another sound': /^The files that d\.csv names are not those .*; wav\/3\.wav differs\. /,
      'without a sound': /^d\.csv, line 5: .*wav\/3\.wav does not exist/,
      'with a cut sound': /^d\.csv, line 5: wav\/3\.wav is truncated/,
      'with a sound of another rate':
        /^d\.csv, line 5: wav\/3\.wav has 16,000 samples a second, but .* 8,000/,
    },
  };
}

function folder(
  data: ExperimentInput['data'],
  name: (label: string, at: number) => string,
  contentOf: (label: string, at: number) => string | Uint8Array,
): Case {
  return {
    data,
    isText: !('audio' in data),
    write(variant) {
      rmSync(inWorkspace('d'), { recursive: true, force: true });
      for (const label of ['no', 'yes']) {
        mkdirSync(inWorkspace(`d/${label}`), { recursive: true });
        for (let at = 0; at < (variant.startsWith('grown') ? 12 : 10); at++)
          writeFileSync(inWorkspace(`d/${label}/${name(label, at)}`), contentOf(label, at));
      }
      const fourth = inWorkspace(`d/yes/${name('yes', 4)}`);
      const others = contentOf('no', 7);
      if (variant.endsWith('without a file')) rmSync(fourth);
      if (variant === 'with another file') writeFileSync(fourth, others);
      if (variant === 'with a file of another name') {
        rmSync(fourth);
        writeFileSync(fourth.replace('4.', '44.'), contentOf('yes', 4));
      }
      if (variant === 'with a hidden file') writeFileSync(inWorkspace('d/.DS_Store'), 'x');
    },
    goesOn: {
      grown: '4 files were added to d; going on with the 20 of the run.',
      'with a hidden file': '',
    },
    refused: {
      'grown and without a file':
        /, in its files; 4 files are new \(no\/10\.\w+, no\/11\.\w+, yes\/10\.\w+, …\), 1 file is missing or changed\. /,
      'without a file': /, in its files; 1 file is missing or changed\. /,
      'with another file': /, in its files; the first that differs is yes\/4\.\w+\. /,
      'with a file of another name': /, in its files; the first that differs is yes\/44\.\w+\. /,
    },
  };
}

const CASES: Record<string, Case> = {
  'a series in Parquet': golden('parquet'),
  'a series in Feather': golden('feather'),
  'a series in a stream of Arrow': golden('arrows'),
  'a series in NPY': whole('d.npy', '0', variant => npyOf(variant)),
  'a series in NPZ': whole('d.npz', 'y', variant => zipOf({ 'y.npy': npyOf(variant, false) })),
  'a series in a JSON list': list(),
  'sounds with classes': sounds(
    { task: 'classify', path: 'd.csv', audio: 'file', label: 'label' },
    row => ['low', 'high'][row % 2]!,
  ),
  'sounds with unaligned labels': sounds(
    { task: 'ctc', path: 'd.csv', audio: 'file', target: 'label' },
    row => ['ab', 'ba', 'c'][row % 3]!,
  ),
  'a folder of texts': folder(
    { task: 'classify', path: 'd', text: 'text', label: 'label' },
    (_, at) => `${at}.txt`,
    (label, at) => `${label} film ${at}`,
  ),
  'a folder of sounds': folder(
    { task: 'classify', path: 'd', audio: 'file', label: 'label' },
    (_, at) => `${at}.wav`,
    (label, at) => sound((label === 'no' ? 0.2 : 0.6) + 0.01 * at),
  ),
};

describe('going on with binary tables, sounds and folders', () => {
  useWorkspace();

  const made = ({ data, isText, write }: Case) => {
    write('first');
    return makeRun({
      data,
      model: {
        layers: [
          ...(isText ? [{ type: 'embedding', dim: 4 } as const] : []),
          { type: 'gru', units: 4 },
          { type: 'dense' },
        ],
      },
      training: { steps: 6, batchSize: 4, checkpoint: { every: 2 }, validation: { every: 3 } },
    });
  };

  for (const [name, own] of Object.entries(CASES))
    it(name, async () => {
      const whole = made(own);
      assert.equal((await train(whole)).reason, 'finished');
      const stopped = async () => {
        const run = made(own);
        const controller = new AbortController();
        await inShortTurns(async () => {
          const { reason, message } = await train(run, {
            signal: controller.signal,
            onEvent: (_, event) => event.step === 2 && event.kind === 'checkpoint' && controller.abort(),
          });
          assert.equal(reason, 'stopped', message);
        });
        return run;
      };
      let run = await stopped();
      for (const [variant, refusal] of Object.entries(own.refused)) {
        own.write(variant);
        const { reason, wrongInput, message } = await train(run);
        assert.deepEqual([reason, wrongInput], ['failed', true], `${variant}: ${message}`);
        assert.match(message, refusal, variant);
      }
      for (const [index, [variant, told]] of Object.entries(own.goesOn).entries()) {
        if (index > 0) run = await stopped();
        own.write(variant);
        const notes: string[] = [];
        const { reason, message } = await train(run, { onData: (_, told) => notes.push(...told) });
        assert.equal(reason, 'finished', message);
        assert.equal(notes.join(' '), told, variant);
        assert.equal(bitsOf(run), bitsOf(whole), variant);
      }
    });

  it('refuses a binary table that was written anew where an older run keeps no hash of its rows', async () => {
    const run = made(CASES['a series in NPY']!);
    assert.equal((await train(run)).reason, 'finished');
    const path = join(run, 'run.json');
    const { data, ...others } = JSON.parse(readFileSync(path, 'utf8'));
    const { rows, ...file } = data[0];
    assert.equal(rows.count, 40);
    writeFileSync(path, JSON.stringify({ ...others, data: [file] }));
    CASES['a series in NPY']!.write('grown');
    const reader = readRun(run);
    await assert.rejects(
      openRunData(run, reader.request!, reader.run, {}),
      /: 448 bytes then, 528 now; files of this format are written anew as a whole, and this run keeps no hash of their rows\. Restore it/,
    );
  });
});
