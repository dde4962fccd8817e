// Runs on binary tables, tables of sounds and folders: only what a run knew is trained on, and what was appended, deleted or
// replaced is said.
import assert from 'node:assert/strict';
import { appendFileSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExperimentInput } from '../../../../src/experiment/schema.ts';
import { wavOf } from '../data/wav-of.ts';
import { bitsOf, inShortTurns, makeRun, train, useWorkspace, workspaceFolder } from './runs.ts';

interface Case {
  data: ExperimentInput['data'];
  isText?: boolean;
  /** writes the data, as they were or otherwise */
  write(variant: string): void;
  /** by variant: the refusal; null: the run goes on as if nothing had changed */
  variants: Record<string, RegExp | null>;
}

const inWorkspace = (name: string) => join(workspaceFolder(), name);

function binary(extension: string): Case {
  const golden = (name: string) => join('test/golden/series', `${name}.${extension}`);
  const path = `d.${extension}`;
  const anew =
    /: [\d,]+ bytes (then, [\d,]+ now|as then); files of this format are written anew as a whole, .*--changed-data/;
  return {
    data: { task: 'forecast', path, target: 'y', window: 6 },
    write: variant => {
      copyFileSync(golden(variant === 'with bytes behind it' ? 'first' : variant), inWorkspace(path));
      if (variant === 'with bytes behind it')
        appendFileSync(inWorkspace(path), readFileSync(golden('first')));
    },
    variants: {
      grown: anew,
      shorter: anew,
      other: anew,
      'with bytes behind it': /: [\d,]+ bytes then, [\d,]+ now; bytes follow behind its end\. /,
    },
  };
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
    variants: {
      grown: null,
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
        for (let at = 0; at < (variant === 'grown' ? 12 : 10); at++)
          writeFileSync(inWorkspace(`d/${label}/${name(label, at)}`), contentOf(label, at));
      }
      const fourth = inWorkspace(`d/yes/${name('yes', 4)}`);
      const others = contentOf('no', 7);
      if (variant === 'without a file') rmSync(fourth);
      if (variant === 'with another file') writeFileSync(fourth, others);
      if (variant === 'with a file of another name') {
        rmSync(fourth);
        writeFileSync(fourth.replace('4.', '44.'), contentOf('yes', 4));
      }
      if (variant === 'with a hidden file') writeFileSync(inWorkspace('d/.DS_Store'), 'x');
    },
    variants: {
      grown:
        /^d is not the file .* bytes then, [\d,]+ now, in its files; 4 files are new \(no\/10\.\w+, no\/11\.\w+, yes\/10\.\w+, …\)\. /,
      'without a file': /, in its files; 1 file is missing or changed\. /,
      'with another file': /, in its files; the first that differs is yes\/4\.\w+\. /,
      'with a file of another name': /, in its files; the first that differs is yes\/44\.\w+\. /,
      'with a hidden file': null,
    },
  };
}

const CASES: Record<string, Case> = {
  'a series in Parquet': binary('parquet'),
  'a series in Feather': binary('feather'),
  'a series in a stream of Arrow': binary('arrows'),
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
      const run = made(own);
      const controller = new AbortController();
      await inShortTurns(async () => {
        const { reason, message } = await train(run, {
          signal: controller.signal,
          onEvent: (_, event) => event.step === 2 && event.kind === 'checkpoint' && controller.abort(),
        });
        assert.equal(reason, 'stopped', message);
      });
      const goesOn = Object.entries(own.variants).filter(([, refusal]) => refusal === null);
      for (const [variant, refusal] of Object.entries(own.variants)) {
        if (refusal === null) continue;
        own.write(variant);
        const { reason, wrongInput, message } = await train(run);
        assert.deepEqual([reason, wrongInput], ['failed', true], `${variant}: ${message}`);
        assert.match(message, refusal, variant);
      }
      own.write(goesOn[0]?.[0] ?? 'first');
      const notes: string[] = [];
      const { reason, message } = await train(run, { onData: (_, told) => notes.push(...told) });
      assert.equal(reason, 'finished', message);
      if (goesOn[0]?.[0] === 'grown')
        assert.match(notes.join(' '), /^4 rows were appended to d\.csv; going on with the first 20\.$/);
      assert.equal(bitsOf(run), bitsOf(whole));
    });
});
