// npm run test:mutants: puts faults into the code, one at a time, and counts how many the unit tests catch. Those of
// test/mutants/faults.mjs, and others drawn by a seed from operators (sign, bound, index, constant, missing call) over
// all files of the kernels, the layers, the runs, the diagnosis and the definitions. It works on copies of the
// repository, and runs the tests that can see the file with the fault; `npm run build` comes first.
//
//   npm run test:mutants -- [--seed N] [--draw N] [--room NAME] [--jobs N] [--only N,…] [--at FILE:LINE,…] [--list]
//
// --at makes every change that the operators know in a file, or in a line of it, instead of those that are drawn.
// --list only names the faults.
// Each fault is named by a number; survivors are listed with their change. Exit code 1 where fewer than 90 % are caught.
// A fault of the kernels that no test sees is also asked of the sanitizer of indices, as in npm run test:sanitize.
// What cannot change a result is not drawn: tuning constants of kernels, and whatever leaves the machine code as it is.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { faults } from '../test/mutants/faults.mjs';
import { testsByFile } from '../test/mutants/importers.mjs';
import { compilerFlags, findCompiler, findHeaders, instructionSets, seal } from './build-native.mjs';
import { root } from './install.mjs';

/** Seconds of processor time after which a fault counts as caught: it made something endless. */
const LIMIT = 120;

const texts = new Map();

/** Read once: the repository may change while this runs. */
function original(file) {
  if (!texts.has(file)) texts.set(file, readFileSync(path.join(root, file), 'utf8'));
  return texts.get(file);
}

const NATIVE = 'test/unit/trainer/engine/native.test.ts';

/** Other tests that compute with the native engine. */
function startingNative() {
  const folder = 'test/unit/trainer';
  return readdirSync(path.join(root, folder), { recursive: true })
    .map(name => path.join(folder, name))
    .filter(name => /\/(?:engine|layers)\/[\w-]+\.test\.ts$/.test(name) && name !== NATIVE)
    .filter(name => original(name).includes("'native'"))
    .sort();
}

const inTraining = name => `test/unit/trainer/training/${name}.test.ts`;

const rooms = {
  kernels: { folder: 'kernels', tests: [NATIVE, ...startingNative()] },
  layers: {
    folder: 'src/trainer/layers',
    tests: [
      'test/unit/trainer/layers/**/*.test.ts',
      'test/unit/trainer/tasks/**/*.test.ts',
      ...['bptt', 'same-bits', 'learns', 'dead-units'].map(inTraining),
    ],
  },
  runs: {
    folder: 'src/runs',
    tests: [
      'test/unit/runs/**/*.test.ts',
      ...['work', 'same-bits', 'repair', 'resumed-options', 'import'].map(inTraining),
      'test/unit/dashboard/**/*.test.ts',
    ],
  },
  diagnosis: {
    folder: 'src/diagnosis',
    tests: ['test/unit/diagnosis/**/*.test.ts', 'test/unit/extension/**/*.test.ts'],
  },
  definitions: {
    folder: 'src/definitions',
    tests: ['test/unit/definitions/**/*.test.ts', 'test/unit/extension/**/*.test.ts'],
  },
};

const { values: options } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    draw: { type: 'string', default: '40' },
    room: { type: 'string' },
    jobs: { type: 'string', default: '1' },
    only: { type: 'string' },
    at: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
});

/** Mulberry32: the same faults for the same seed on any machine. */
function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The text with comments, strings and regular expressions blanked: places stay, words go. */
function codeOf(text) {
  const pattern =
    /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`|(?<=[(,=:]\s*)\/(?![*/ ])(?:[^/\\\n]|\\.)+\/[a-z]*/g;
  return text.replace(pattern, found => found.replace(/[^\n]/g, ' '));
}

const operators = {
  sign: [/ ([+-])(=?) (?=[\w(])/g, ([, sign, equal]) => ` ${sign === '+' ? '-' : '+'}${equal} `],
  bound: [/ (<=?|>=?) (?=[\w(-])/g, ([, bound]) => ` ${bound.endsWith('=') ? bound[0] : `${bound}=`} `],
  index: [/\[(\w+)\]/g, ([, index]) => (/^\d+$/.test(index) ? `[${Number(index) + 1}]` : `[${index} + 1]`)],
  constant: [/(?<![\w.[])(\d+)(?![\w.\]]|e\d)/g, ([, number]) => `${Number(number) + 1}`],
  'missing call': [
    /^( *)(?!return|throw|await import|if|for|while|super)[\w.]+(?:\?\.|!)?\w*\([^{}\n]*\);$/gm,
    ([, indent]) => `${indent};`,
  ],
};

/** A loop over vectors that cuts the last one to the numbers that are left: one more has none, and changes nothing. */
function isOneMoreVector(line, next) {
  const [, index, end] = /\bfor \(.*; (\w+) < (\w+); \1 \+= WIDTH\)/.exec(line) ?? [];
  return index !== undefined && next?.includes(`lanes = smaller<Index>(WIDTH, ${end} - ${index});`);
}

/**
 * Lines whose change says nothing: types, imports, how deep a name is followed, and in kernels the sizes of tiles and
 * of shares, and from how many vectors on which form of the same computation is taken.
 */
function isIdle(line, next, room, operator) {
  if (/^\s*(import|export (type|interface)|interface|type|static_assert|template|#|typedef|\})/.test(line))
    return true;
  if (operator === 'constant' && /\bdepth \+ \d/.test(line)) return true;
  if (room !== 'kernels') return false;
  if (operator === 'bound' && isOneMoreVector(line, next)) return true;
  if (operator === 'constant' && /smaller<Index>\(\w+ \+ \d+,/.test(line)) return true;
  if (operator === 'bound' && /\bif \(.*[<>]=? \d+ \* WIDTH\b/.test(line)) return true;
  return /\bconstexpr\b|#pragma|WORTH_THREADS|larger<|template/.test(line);
}

function sitesOf(room) {
  const { folder } = rooms[room];
  const files = readdirSync(path.join(root, folder), { recursive: true })
    .map(name => path.join(folder, name))
    .filter(name => /\.(ts|h)$/.test(name) && !/abi\.h|table\.h|threads\.h|format\.ts$/.test(name))
    .sort();
  return files.flatMap(file => {
    const text = original(file);
    const code = codeOf(text);
    const lines = code.split('\n');
    return Object.entries(operators).flatMap(([operator, [pattern, change]]) =>
      [...code.matchAll(pattern)].flatMap(match => {
        const line = code.slice(0, match.index).split('\n').length;
        const [whole, next] = lines.slice(line - 1, line + 1);
        if (isIdle(whole, next, room, operator)) return [];
        return { room, file, operator, line, at: match.index, was: match[0], becomes: change(match) };
      }),
    );
  });
}

function drawn(count, seed) {
  const random = randomOf(seed);
  const names = Object.keys(rooms);
  const sites = Object.fromEntries(names.map(name => [name, sitesOf(name)]));
  const kinds = Object.keys(operators);
  return Array.from({ length: count }, (_, i) => {
    const room = names[i % names.length];
    // each operator in turn, else the many constants are drawn alone
    const kind = kinds[Math.floor(i / names.length) % kinds.length];
    const left = sites[room].filter(({ operator }) => operator === kind);
    const choice = left.length > 0 ? left : sites[room];
    const picked = choice[Math.floor(random() * choice.length)];
    sites[room].splice(sites[room].indexOf(picked), 1);
    return {
      ...picked,
      alternatives: () => {
        const [next] = sites[room].filter(({ operator, file }) => operator === kind && file === picked.file);
        if (next) sites[room].splice(sites[room].indexOf(next), 1);
        return next && { ...next, alternatives: picked.alternatives };
      },
    };
  });
}

/** Every site of these files, or of these lines of them. */
function sitesAt(places) {
  const all = Object.keys(rooms).flatMap(sitesOf);
  return places.split(',').flatMap(place => {
    const [file, line] = place.split(':');
    return all.filter(site => site.file === file && (!line || site.line === Number(line)));
  });
}

/** Faults whose place is gone are told, and make the run fail: their idea is to be moved. */
const lost = [];

function byHand() {
  return faults.flatMap(([file, was, becomes]) => {
    const text = existsSync(path.join(root, file)) ? original(file) : '';
    const at = text.indexOf(was);
    if (at < 0 || text.indexOf(was, at + 1) >= 0) {
      lost.push(`${file} does not hold this once: ${was}`);
      return [];
    }
    const room = Object.keys(rooms).find(name => file.startsWith(`${rooms[name].folder}/`));
    const line = text.slice(0, at).split('\n').length;
    return [{ room, file, operator: 'by hand', line, at, was, becomes }];
  });
}

function makeCopy() {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'unroll-mutants-'));
  for (const name of [
    'src',
    'kernels',
    'test',
    'bench',
    'scripts',
    'samples',
    'docs',
    'snippets',
    'dist',
    'package.json',
    'package-lock.json',
    'package.nls.json',
    'tsconfig.json',
    '.mocharc.cjs',
    'README.md',
    'CONTRIBUTING.md',
    'LICENSE',
    'CHANGELOG.md',
    'esbuild.js',
    'biome.json',
  ])
    cpSync(path.join(root, name), path.join(folder, name), {
      recursive: true,
      filter: file => !file.includes(`${path.sep}out${path.sep}`),
    });
  symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
  return folder;
}

function execute(command, args, cwd, limit) {
  return new Promise(resolve => {
    // a processor-time limit, since the clock says little on a busy machine
    const words = [command, ...args].map(word => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
    const child = spawn('sh', ['-c', `ulimit -t ${limit}; exec ${words}`], {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      env: { ...process.env, UNROLL_TEST_SEED: '1', UNROLL_SEED: '1', FC_SEED: '1' },
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', data => (said = (said + data).slice(-20_000)));
    // asleep for good: no processor time is used, so that only the clock tells
    const timer = setTimeout(() => killGroup(child), 20 * 60_000);
    child.once('exit', code => {
      clearTimeout(timer);
      killGroup(child);
      resolve({ code, said });
    });
  });
}

function killGroup(child) {
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // it has ended
  }
}

const compiler = findCompiler();
// the narrowest without optimisation: 10 s to compile, where the widest takes 60
const set = Object.keys(instructionSets).at(-1);
const quick = [...compilerFlags.filter(flag => flag !== '-O3' && !flag.startsWith('-W')), '-O0', '-w'];

const ADDON = 'dist/engine/unroll.node';

/** An index beyond an array ends the process. */
const traps = ['-fsanitize=bounds', '-fsanitize-undefined-trap-on-error'];

async function compileKernels(copy, flags = quick) {
  const kernels = path.join(copy, 'kernels');
  const parts = [
    [
      ...instructionSets[set].march,
      `-DUNROLL_NAMESPACE=unroll_${set}`,
      '-c',
      'kernels.cpp',
      '-o',
      'kernels.o',
    ],
    ['-c', 'threads.cpp', '-o', 'threads.o'],
    ['-c', 'native/platform.cpp', '-o', 'platform.o'],
    [`-DUNROLL_HAS_${set.toUpperCase()}`, '-I', findHeaders(), '-c', 'native/addon.cpp', '-o', 'addon.o'],
  ];
  for (const part of parts) {
    const { code, said } = await execute(compiler.name, [...flags, ...part], kernels, LIMIT);
    if (code !== 0) return { error: said };
  }
  const objects = ['kernels.o', 'threads.o', 'platform.o', 'addon.o'].map(name => path.join(kernels, name));
  const addon = path.join(copy, ADDON);
  const { status, stderr } = spawnSync(compiler.name, ['-shared', ...objects, '-o', addon], {
    encoding: 'utf8',
  });
  if (status !== 0) return { error: stderr };
  seal(addon);
  const digest = createHash('sha256');
  for (const object of objects.slice(0, 2)) digest.update(readFileSync(object));
  return { digest: digest.digest('hex') };
}

const seeing = testsByFile(root);
/** Test files that are run in one process: most faults end in the first ones, and a process has its limit of time. */
const AT_ONCE = 4;

/** The tests of the fault's room that can see its file, the nearest first: groups of files. */
function testsOf({ room, file }) {
  const { tests } = rooms[room];
  if (room === 'kernels') return [[NATIVE], ...inGroups(tests.slice(1))];
  const own = path.join('test/unit', file.replace(/^src\//, '').replace(/\.\w+$/, '.test.ts'));
  const inRoom = name => name === own || tests.some(each => name.startsWith(each.split('**')[0]));
  const seen = seeing(file).filter(inRoom);
  return inGroups(seen);
}

function inGroups(tests) {
  return Array.from({ length: Math.ceil(tests.length / AT_ONCE) }, (_, i) =>
    tests.slice(i * AT_ONCE, (i + 1) * AT_ONCE),
  );
}

/** mocha's arguments for these test files. */
const mochaOf = tests => [
  'node_modules/mocha/bin/mocha.js',
  ...['--bail', '--reporter', 'test/mutants/reporter.mjs'],
  ...tests.flatMap(test => ['--spec', test]),
];

function mutate(copy, { file, at, was, becomes }) {
  const text = original(file);
  writeFileSync(path.join(copy, file), text.slice(0, at) + becomes + text.slice(at + was.length));
}

/** What the first failure of a group of tests was; null where all are green. */
async function failureOf(tests, copy) {
  const { code, said } = await execute(process.execPath, mochaOf(tests), copy, LIMIT);
  if (code === 0) return null;
  const failed = /^FAILED (.*)$/m.exec(said);
  const { file, title } = failed ? JSON.parse(failed[1]) : { file: null, title: 'an early end' };
  return { tests: file ? [path.relative(copy, file)] : tests, title };
}

const greens = new Map();

/** Whether tests are green without a fault: asked of those that have caught one. Red ones judge nothing. */
async function areGreen(tests, copy) {
  const key = tests.join();
  if (!greens.has(key)) {
    const failure = await failureOf(tests, copy);
    greens.set(key, failure === null);
    if (failure) lost.push(`${key}: red without a fault: ${failure.title}`);
  }
  return greens.get(key);
}

/** What npm run test:sanitize sees of a fault that changes no result: an index beyond an array. */
async function judgeByTraps(copy, fault) {
  const isRed = async () => {
    await compileKernels(copy, [...quick, ...traps]);
    return (await failureOf([NATIVE], copy)) !== null;
  };
  mutate(copy, fault);
  if (!(await isRed())) return { caught: false };
  writeFileSync(path.join(copy, fault.file), original(fault.file));
  return { caught: !(await isRed()), by: 'the sanitizer of indices' };
}

async function judge(copy, fault, baseline) {
  mutate(copy, fault);
  try {
    if (fault.room === 'kernels') {
      const { error, digest } = await compileKernels(copy);
      if (error) return { caught: true, by: 'the compiler' };
      if (digest === baseline.kernels) return { idle: true };
    }
    for (const group of testsOf(fault)) {
      let tests = group;
      while (tests.length > 0) {
        const failure = await failureOf(tests, copy);
        if (!failure) break;
        writeFileSync(path.join(copy, fault.file), original(fault.file));
        if (fault.room === 'kernels') cpSync(baseline.addon, path.join(copy, ADDON));
        if (await areGreen(failure.tests, copy)) return { caught: true, by: failure.title };
        // red without the fault too: the other tests judge it
        tests = tests.filter(test => !failure.tests.includes(test));
        mutate(copy, fault);
        if (fault.room === 'kernels') await compileKernels(copy);
      }
    }
    return fault.room === 'kernels' ? await judgeByTraps(copy, fault) : { caught: false };
  } finally {
    writeFileSync(path.join(copy, fault.file), original(fault.file));
  }
}

/** The place, and the line with its change in brackets. */
function describe({ file, line, operator, at, was, becomes }) {
  const text = original(file);
  const from = text.lastIndexOf('\n', at) + 1;
  const to = text.indexOf('\n', at + was.length);
  const shown = `${text.slice(from, at)}[${was} → ${becomes}]${text.slice(at + was.length, to)}`;
  return `${file}:${line} (${operator}) ${shown.trim().replace(/\s+/g, ' ')}`;
}

async function main() {
  const seed = Number(options.seed);
  const chosen = options.at ? sitesAt(options.at) : [...byHand(), ...drawn(Number(options.draw), seed)];
  let list = chosen.map((fault, i) => ({
    ...fault,
    number: i + 1,
  }));
  if (options.room) list = list.filter(({ room }) => room === options.room);
  if (options.only) list = list.filter(({ number }) => options.only.split(',').includes(String(number)));
  if (options.list) {
    for (const fault of list) console.log(`${fault.number} ${describe(fault)}`);
    return;
  }
  const jobs = Number(options.jobs);
  console.log(`${list.length} faults, seed ${seed}, ${jobs} at a time`);
  const copies = Array.from({ length: jobs }, makeCopy);
  const results = [];
  try {
    const baseline = {};
    if (list.some(({ room }) => room === 'kernels')) {
      const { error, digest } = await compileKernels(copies[0]);
      if (error) throw new Error(`The kernels do not compile as they are:\n${error}`);
      baseline.kernels = digest;
      baseline.addon = path.join(copies[0], 'without-fault.node');
      cpSync(path.join(copies[0], ADDON), baseline.addon);
    }
    const queue = [...list];
    await Promise.all(
      copies.map(async copy => {
        for (let fault = queue.shift(); fault; fault = queue.shift()) {
          let result = await judge(copy, fault, baseline);
          for (let next = fault; result.idle; ) {
            next = next.alternatives?.();
            if (!next) break;
            fault = { ...next, number: fault.number };
            result = await judge(copy, fault, baseline);
          }
          if (result.idle) {
            console.log(`  ${fault.number} leaves the machine code as it is: ${describe(fault)}`);
            continue;
          }
          results.push({ ...fault, ...result });
          console.log(
            `${result.caught ? '✔' : '✘ SURVIVED'} ${fault.number} ${describe(fault)}${result.by ? `\n      ${result.by}` : ''}`,
          );
        }
      }),
    );
  } finally {
    for (const copy of copies) rmSync(copy, { recursive: true, force: true });
  }
  const survivors = results.filter(({ caught }) => !caught);
  const share = (results.length - survivors.length) / results.length;
  for (const room of Object.keys(rooms)) {
    const of = results.filter(result => result.room === room);
    if (of.length)
      console.log(`${room.padEnd(12)} ${of.filter(({ caught }) => caught).length} of ${of.length}`);
  }
  for (const place of lost) console.log(`lost: ${place}`);
  for (const fault of survivors) console.log(`survived: ${fault.number} ${describe(fault)}`);
  console.log(
    `${results.length - survivors.length} of ${results.length} caught (${(100 * share).toFixed(0)} %), seed ${seed}`,
  );
  mkdirSync(path.join(root, 'test/out'), { recursive: true });
  writeFileSync(path.join(root, 'test/out/mutants.json'), JSON.stringify(results, null, 1));
  process.exit(share >= 0.9 && lost.length === 0 ? 0 : 1);
}

await main();
