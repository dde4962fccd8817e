// npm run test:deep: what takes too long for every change, to be run nightly. The native engine for every instruction set
// of this processor; the random tests with ten times as many cases and more kills, on a seed of the day, which is printed;
// 10,000 cases of random input; the committed WASM modules, built anew and compared; the sanitizers; and the faults that
// the short suite must catch.
//
//   npm run test:deep -- [--seed N] [--only sets,random,fuzz,wasm,sanitize,mutants]
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { ensureInstalled, root } from './install.mjs';

const { values: options } = parseArgs({
  options: {
    seed: { type: 'string', default: new Date().toISOString().slice(0, 10).replaceAll('-', '') },
    only: { type: 'string' },
  },
});

process.chdir(root);
await ensureInstalled();

const seed = options.seed;
const environment = { UNROLL_TEST_DEEP: '1', SEED: seed, UNROLL_TEST_SEED: seed, UNROLL_SEED: seed };
const parts = {
  sets: ['scripts/build-native.mjs', '--sets', 'host', '--check'],
  random: ['node_modules/mocha/bin/mocha.js', '--reporter', 'dot'],
  fuzz: ['node_modules/mocha/bin/mocha.js', '--reporter', 'spec', 'test/deep/*.test.ts'],
  wasm: ['scripts/build-wasm.mjs', '--check'],
  sanitize: ['scripts/sanitize.mjs'],
  mutants: ['scripts/mutants.mjs', '--seed', seed],
};
const names = options.only?.split(',') ?? Object.keys(parts);
const failed = [];
for (const name of names) {
  console.log(`\n── ${name}, seed ${seed}`);
  const { status } = spawnSync(process.execPath, parts[name], {
    stdio: 'inherit',
    env: { ...process.env, ...environment },
  });
  if (status !== 0) failed.push(name);
}
console.log(
  failed.length ? `\nFailed with seed ${seed}: ${failed.join(', ')}` : `\nAll passed with seed ${seed}.`,
);
process.exit(failed.length ? 1 : 0);
