// Refusals by the hundred: commands with operands and options that do not fit, on files, experiments and run folders that
// were changed. Each ends with an exit code of the documented ones and one sentence: no raw error of the system, no
// words of a library, no stack. SEED sets other cases; it is printed where one fails.
import assert from 'node:assert/strict';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { runCommandLine } from '../../../src/trainer/cli/run.ts';
import { randomStream } from '../../../src/trainer/random.ts';
import { makeRun, tinyExperiment, train, useWorkspace } from '../trainer/training/runs.ts';

const SEED = Number(process.env['SEED'] ?? 20261128);
const CASES = process.env['UNROLL_TEST_DEEP'] ? 1500 : 150;
const RAW =
  /undefined|\[object |Invalid (?:input|option)|expected \w+, received|Cannot read|TypeError|RangeError|SyntaxError|Maximum call stack|\bE(?:NOENT|ACCES|ISDIR|LOOP|INVAL|NOTDIR|PERM|EXIST)\b|unroll failed|^\s+at /m;

/** What a command writes to both streams, and its exit code. */
async function said(args: string[]): Promise<{ code: number; text: string }> {
  let text = '';
  const streams = [process.stdout, process.stderr];
  const writes = streams.map(stream => stream.write);
  for (const stream of streams)
    stream.write = ((chunk: string | Uint8Array, ...rest: unknown[]) => {
      text += typeof chunk === 'string' ? chunk : new TextDecoder().decode(chunk);
      const done = rest.find(one => typeof one === 'function') as (() => void) | undefined;
      done?.();
      return true;
    }) as never;
  try {
    return { code: await runCommandLine(args), text };
  } finally {
    for (const [at, stream] of streams.entries()) stream.write = writes[at]!;
  }
}

describe('refusals', () => {
  useWorkspace();
  let folder = '';
  let run = '';
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'unroll-refusals-'));
    run = join(folder, 'sound');
    const made = makeRun(tinyExperiment({ steps: 3 }));
    await train(made);
    cpSync(made, run, { recursive: true });
    mkdirSync(join(folder, 'empty'));
    symlinkSync('loop', join(folder, 'loop'));
    writeFileSync(join(folder, 'nothing.csv'), '');
    writeFileSync(join(folder, 'noise.csv'), Buffer.from([0x89, 0x50, 0, 0xff, 0xfe, 1, 2]));
    writeFileSync(join(folder, 'table.csv'), 't,v\n1,2\n2,x\n');
    writeFileSync(join(folder, 'lines.jsonl'), '{"v":1}\n[1]\n{"v":NaN}\n');
    writeFileSync(join(folder, 'code.py'), 'model = nn.LSTM(3, (((\n');
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const good = {
    data: { task: 'forecast', path: 'table.csv', target: 'v', window: 4 },
    model: { layers: [{ type: 'gru', units: 4 }, { type: 'dense' }] },
    training: { steps: 2 },
  };
  const WRONG: unknown[] = [
    null,
    -1,
    0.5,
    1e300,
    '',
    'x',
    [],
    {},
    [null],
    true,
    2 ** 53,
    'lines.jsonl',
    'loop',
    '..',
  ];

  it(`of ${CASES} commands, seed ${SEED}`, async () => {
    let refused = 0;
    for (let index = 0; index < CASES; index++) {
      const stream = randomStream(SEED, 'refusals', index);
      const pick = <T>(list: readonly T[]): T => list[stream.int(list.length)]!;
      const broken = join(folder, 'broken');
      rmSync(broken, { recursive: true, force: true });
      cpSync(run, broken, { recursive: true });
      const files = (readdirSync(broken, { recursive: true }) as string[]).filter(name =>
        statSync(join(broken, name)).isFile(),
      );
      const victim = join(broken, pick(files));
      const bytes = readFileSync(victim);
      rmSync(victim);
      pick<() => void>([
        () => mkdirSync(victim),
        () => symlinkSync(victim, victim),
        () => writeFileSync(victim, ''),
        () => writeFileSync(victim, bytes.subarray(0, bytes.length >> 1)),
        () => writeFileSync(victim, '{}'),
        () => writeFileSync(victim, 'null\n'),
        () => writeFileSync(victim, bytes.toString('latin1').replace(/\d+/, '"x"'), 'latin1'),
        () => {},
      ])();
      const experiment = structuredClone(good) as Record<string, Record<string, unknown>>;
      const room = experiment[pick(Object.keys(experiment))]!;
      room[pick([...Object.keys(room), 'unknown', 'seed'])] = pick(WRONG);
      writeFileSync(
        join(folder, 'e.rnn.json'),
        JSON.stringify(experiment).slice(0, stream.int(8) ? undefined : 40),
      );
      const operand = () =>
        pick(
          [broken, broken, broken, run, 'e.rnn.json', 'empty', 'loop', 'loop/x', 'nothing.csv', 'noise.csv']
            .concat([
              'table.csv',
              'table.csv/x',
              'lines.jsonl',
              'code.py',
              'nowhere',
              '',
              'a\nb',
              'x'.repeat(5000),
            ])
            .map(name => (name === '' || name.startsWith('/') ? name : join(folder, name))),
        );
      const options = [
        '--json',
        '--layer',
        '--format',
        '--checkpoint',
        '--length',
        '--numbers',
        '--out',
        '--nonsense',
        '--workspace',
      ];
      const args = [
        pick([
          'show',
          'compare',
          'sample',
          'predict',
          'evaluate',
          'data',
          'export',
          'params',
          'check',
          'definitions',
          'resume',
          'nothing',
        ]),
        ...Array.from({ length: stream.int(3) }, operand),
        ...(stream.int(3) === 0
          ? [pick(options), pick(['-1', 'x', '', '1e99', 'pytorch', join(folder, 'loop')])]
          : []),
      ];
      if (args[0] === 'export' && !args.includes('--out')) args.push('--out', join(folder, `out-${index}`));
      const { code, text } = await said(args);
      const what = `SEED=${SEED}, case ${index}: unroll ${args.join(' ').slice(0, 300)}\n${text.slice(0, 2000)}`;
      assert.ok([0, 2, 3, 130].includes(code), what);
      assert.doesNotMatch(text, RAW, what);
      if (code !== 0) assert.match(text, /\S/, what);
      if (code === 2) refused++;
    }
    assert.ok(refused > CASES / 3, `${refused} of ${CASES} were refused`);
  }).timeout(0);
});
