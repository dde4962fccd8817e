// The trainer's own suite on TensorFlow, where a tfjs-node is present. Each file runs in a process of its own, since
// TensorFlow, once loaded, stays. UNROLL_TFJS_NODE_SUITE=whole adds the files that train for minutes.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { whyAbsent } from './present.ts';

interface Part {
  file: string;
  /** tests that are about something else than what computes */
  except?: RegExp;
  long?: boolean;
}

const parts: Part[] = [
  { file: 'engine/backend', except: /^starting the engine|mismatched products are left to tfjs/ },
  { file: 'engine/losses' },
  { file: 'engine/optimizers' },
  { file: 'layers/bidirectional' },
  { file: 'layers/blocks' },
  { file: 'layers/build' },
  { file: 'layers/cells' },
  // which kernels run is another list here
  { file: 'layers/kernels', except: /: runs our kernels, and of tfjs's only/, long: true },
  { file: 'layers/models' },
  { file: 'layers/operations' },
  { file: 'layers/weights' },
  { file: 'tasks/tasks', except: /reads windows of the rows before/, long: true },
  { file: 'training/bptt' },
  { file: 'training/diverged' },
  { file: 'training/early-stopping', long: true },
  { file: 'training/learns', long: true },
  { file: 'training/same-bits', long: true },
  // looks for the name of the engine it asked for
  { file: 'training/work', except: /writes run\.json with what was found out/, long: true },
];

const here = fileURLToPath(new URL('.', import.meta.url));
const trainer = fileURLToPath(new URL('../../', import.meta.url));
const mocha = fileURLToPath(import.meta.resolve('mocha/lib/cli/cli.js'));

interface Report {
  stats: { passes: number };
  failures: { fullTitle: string; err: { message: string } }[];
}

function run(flags: string[]): Report {
  const own = ['--import=tsx', mocha, '--no-config', '--timeout', '120000', '--reporter', 'json'];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...own, ...flags], { encoding: 'utf8' });
  const from = stdout.indexOf('{\n  "stats"');
  assert.ok(from >= 0, `the tests did not run (exit code ${status}): ${stderr.slice(-2000)}`);
  return JSON.parse(stdout.slice(from)) as Report;
}

function requirePassed({ stats, failures }: Report): void {
  const list = failures.map(({ fullTitle, err }) => `${fullTitle}: ${err.message}`);
  assert.deepEqual(list, []);
  assert.ok(stats.passes > 0, 'no test ran');
}

describe('tfjs-node engine', () => {
  const absent = whyAbsent();
  if (absent) {
    it(`skipped: ${absent}`, function () {
      this.skip();
    });
    return;
  }

  it('agrees with the reference within 1e-4', () => requirePassed(run([`${here}agreement.ts`])));

  it('loads on a Node that has lost what it calls in util', () => {
    const both = ['newer-node.cjs', 'on-tensorflow.cjs'].flatMap(file => ['--require', here + file]);
    requirePassed(run([...both, `${trainer}layers/models.test.ts`]));
  });

  for (const { file, except, long } of parts)
    it(`passes ${file}.test.ts`, function () {
      if (long && process.env.UNROLL_TFJS_NODE_SUITE !== 'whole') this.skip();
      const without = except ? ['--grep', String(except), '--invert'] : [];
      requirePassed(run(['--require', `${here}on-tensorflow.cjs`, ...without, `${trainer}${file}.test.ts`]));
    });
});
