// npm run test:sanitize: the native engine under AddressSanitizer and UndefinedBehaviorSanitizer, on the best instruction
// set of this processor and at a width of 1, and its threads under ThreadSanitizer. The provider's tests and random calls
// run against addons compiled for this: arrays come from the sanitizer's own allocator, so that a step beyond one is seen.
//
//   npm run test:sanitize -- [--only address|width-1|thread] [-g PATTERN]
//
// Linux with gcc or clang. A finding ends the process that made it, with its place in kernels/.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import {
  chooseSets,
  compilerFlags,
  findCompiler,
  findHeaders,
  instructionSets,
  seal,
} from './build-native.mjs';
import { root } from './install.mjs';
import { withProgress } from './progress.mjs';

const { values: options } = parseArgs({
  options: { only: { type: 'string' }, grep: { type: 'string', short: 'g' } },
});

const compiler = findCompiler();
const [best] = chooseSets('best', compiler);
const last = Object.keys(instructionSets).at(-1);
const headers = findHeaders();
const tests = ['test/unit/trainer/engine/native.test.ts', 'test/deep/kernel-calls.test.ts'];
const folder = mkdtempSync(path.join(os.tmpdir(), 'unroll-sanitize-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

/** The compiler's flags without its optimisation, which would merge what the report should tell apart. */
const common = [
  ...compilerFlags.filter(flag => flag !== '-O3'),
  '-O1',
  '-g',
  '-w',
  '-fno-omit-frame-pointer',
];

const builds = {
  address: {
    set: best,
    flags: ['-fsanitize=address,undefined', '-fno-sanitize-recover=undefined'],
    library: 'libasan.so',
  },
  // the vectors of one float are ordinary C++: what they do is plain to the sanitizer
  'width-1': {
    set: last,
    flags: ['-fsanitize=address,undefined', '-fno-sanitize-recover=undefined', '-DUNROLL_WIDTH=1'],
    library: 'libasan.so',
  },
  thread: { set: best, flags: ['-fsanitize=thread'], library: 'libtsan.so' },
};

function compile(name) {
  const { set, flags } = builds[name];
  const addon = path.join(folder, `${name}.node`);
  const sources = ['kernels.cpp', 'threads.cpp', 'native/platform.cpp', 'native/addon.cpp'];
  const args = [
    ...common,
    ...flags,
    ...instructionSets[set].march,
    ...[`-DUNROLL_NAMESPACE=unroll_${set}`, `-DUNROLL_HAS_${set.toUpperCase()}`, '-I', headers, '-shared'],
    ...sources,
    ...['-o', addon],
  ];
  return new Promise((resolve, reject) => {
    const child = spawn(compiler.name, args, { cwd: path.join(root, 'kernels'), stdio: 'inherit' });
    child.once('error', reject);
    child.once('exit', code => {
      if (code !== 0) return reject(new Error(`The addon for ${name} was not compiled.`));
      seal(addon);
      resolve(addon);
    });
  });
}

/** V8's and Node's own threads are not compiled for the sanitizer: only reports with a place of ours in them count. */
function ownReports(log) {
  const files = readdirSync(folder).filter(file => file.startsWith(path.basename(log)));
  const reports = files.flatMap(file => readFileSync(path.join(folder, file), 'utf8').split(/^={10,}$/m));
  return reports.filter(report => /kernels\/[\w/]+\.(h|cpp)/.test(report));
}

function test(name, addon) {
  const log = path.join(folder, `${name}.log`);
  const library = spawnSync(compiler.name, [`-print-file-name=${builds[name].library}`], {
    encoding: 'utf8',
  });
  const env = {
    ...process.env,
    LD_PRELOAD: library.stdout.trim(),
    ASAN_OPTIONS: 'detect_leaks=0:allocator_may_return_null=1',
    UBSAN_OPTIONS: 'print_stacktrace=1',
    TSAN_OPTIONS: `log_path=${log} exitcode=0 report_signal_unsafe=0 ignore_noninstrumented_modules=1`,
    UNROLL_TEST_ADDON: addon,
  };
  const grep = options.grep ? ['-g', options.grep] : [];
  const args = ['node_modules/mocha/bin/mocha.js', '--timeout', '0', '--reporter', 'dot', ...grep];
  const { status } = spawnSync(process.execPath, [...args, ...tests], {
    cwd: root,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const reports = name === 'thread' ? ownReports(log) : [];
  for (const report of reports.slice(0, 5)) console.log(report);
  return status === 0 && reports.length === 0;
}

/** The pool with threads that come late or lose their processor: what they share must be handed over in order. */
function testPool() {
  const program = path.join(folder, 'pool');
  const args = [...builds.thread.flags, '-std=c++20', '-O0', '-g', '-w', '-pthread', '-DUNROLL_WIDTH=1'];
  const built = spawnSync(
    compiler.name,
    [...args, '-I', 'kernels', 'test/unit/kernels/pool.cpp', '-o', program],
    {
      cwd: root,
      stdio: 'inherit',
    },
  );
  const run = name => {
    const { status } = spawnSync(program, [name], {
      stdio: 'inherit',
      env: { ...process.env, TSAN_OPTIONS: 'exitcode=1' },
    });
    return status === 0;
  };
  return built.status === 0 && ['calls', 'processor', 'bits'].every(run);
}

const names = Object.keys(builds).filter(name => !options.only || name === options.only);
const failed = [];
for (const name of names) {
  console.log(`\n── ${name}: ${builds[name].set}, ${builds[name].flags.join(' ')}`);
  const addon = await withProgress(`compiling the kernels for ${name}`, () => compile(name));
  if (!test(name, addon) || (name === 'thread' && !testPool())) failed.push(name);
}
console.log(failed.length ? `Not clean: ${failed.join(', ')}` : `Clean: ${names.join(', ')}`);
process.exit(failed.length ? 1 : 0);
