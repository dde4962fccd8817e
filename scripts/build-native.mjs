// Builds the native engine, dist/engine/unroll.node, from kernels/: the kernels once for each instruction set, all in
// one addon. What has been compiled from the same sources is not compiled again. Where there is no C++ compiler it says
// so in one line and succeeds: the engine then runs on WASM.
//
//   node scripts/build-native.mjs [--sets best|two|host|all] [--force] [--check]
//     --sets    the best instruction set of this processor (a clone: nothing else would run here), that and the next
//               narrower one (npm test), all that it has (npm run test:deep), or all of its family (packages)
//     --check   fail where the addon cannot be built
//
// CXX names another compiler. Built and tested here: linux-x64. Other targets are built by the same commands on their
// own machines, but have not been tested.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { buildCache, keepNewest } from './build-cache.mjs';
import { withLock } from './lock.mjs';
import { withProgress } from './progress.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const kernels = path.join(root, 'kernels');
const target = path.join(root, 'dist/engine/unroll.node');
/** Stands beside the engine while the addon is compiled for later: a run that trains on WASM then says why. */
export const pendingFile = path.join(root, 'dist/engine/unroll.node.pending');
/** What is known of the addon in dist/, and objects of any clone. */
const work = path.join(root, 'node_modules/.cache/unroll-native');
const objectCache = buildCache(`native-${process.platform}-${process.arch}`);

/** No newer glibc than that of the oldest Linux that VS Code runs on. */
const newestGlibc = [2, 28];

export const compilerFlags =
  '-O3 -std=c++20 -ffp-contract=fast -fno-math-errno -fno-trapping-math -fno-signed-zeros -fno-exceptions -fno-rtti -fPIC -fvisibility=hidden -Wall -Wextra -Wno-psabi -Wno-uninitialized -Wno-maybe-uninitialized'.split(
    ' ',
  );

/**
 * Of this processor's family, best first: the compiler's option, and the macros that it defines under -march=native
 * where the processor has the set.
 */
export const instructionSets = {
  x64: {
    avx512: {
      march: ['-march=x86-64-v4'],
      has: ['__AVX512F__', '__AVX512BW__', '__AVX512CD__', '__AVX512DQ__', '__AVX512VL__', '__BMI2__'],
    },
    avx2: { march: ['-march=x86-64-v3'], has: ['__AVX2__', '__FMA__', '__BMI2__'] },
    plain: { march: ['-march=x86-64'], has: [] },
  },
  arm64: { neon: { march: [], has: [] } },
}[process.arch] ?? { plain: { march: [], has: [] } };

/** Ends what `auto` may do without: a reason in a line. */
class NotBuilt extends Error {}

function run(command, args) {
  const result = spawnSync(command, args, { encoding: 'utf8' });
  if (result.error) throw new NotBuilt(`${command} cannot be run (${result.error.code})`);
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')}\n${result.stderr}`);
  return result.stdout + result.stderr;
}

export function findCompiler() {
  for (const name of process.env.CXX ? [process.env.CXX] : ['g++', 'clang++', 'c++']) {
    const found = spawnSync(name, ['--version'], { encoding: 'utf8' });
    if (!found.error && found.status === 0) return { name, version: found.stdout.split('\n')[0] };
  }
  throw new NotBuilt(`there is no C++ compiler (${process.env.CXX ?? 'g++ or clang++'})`);
}

/** Node's headers: those of the package node-api-headers, which serve any Node, or of the running Node. */
export function findHeaders() {
  const candidates = [path.resolve(process.execPath, '../../include/node'), '/usr/include/node'];
  try {
    candidates.unshift(createRequire(import.meta.url)('node-api-headers').include_dir);
  } catch {
    // not installed
  }
  const folder = candidates.find(candidate => existsSync(path.join(candidate, 'node_api.h')));
  if (folder) return folder;
  throw new NotBuilt("Node's headers are not there (npm install node-api-headers brings them)");
}

/** Names of the instruction sets that are asked for, best first. */
export function chooseSets(which, compiler) {
  const all = Object.keys(instructionSets);
  if (which === 'all' || all.length === 1) return all;
  const native = spawnSync(compiler.name, ['-march=native', '-dM', '-E', '-x', 'c', os.devNull], {
    encoding: 'utf8',
  });
  // a compiler that does not know this processor: the addon chooses when it is loaded
  if (native.error || native.status !== 0) return all;
  const present = all.filter(name =>
    instructionSets[name].has.every(macro => native.stdout.includes(`#define ${macro} `)),
  );
  return present.slice(0, { best: 1, two: 2 }[which]);
}

const isSource = file => /\.(h|cpp)$/.test(file);

function digestOf(parts, files) {
  const hash = createHash('sha256').update(JSON.stringify(parts));
  for (const file of files) hash.update(file).update(readFileSync(path.join(kernels, file)));
  return hash.digest('hex');
}

/** Each object's file carries a digest of all that it is made of, so that a stale one is never linked. */
function planObjects(compiler, headers, sets) {
  const shared = readdirSync(kernels).filter(isSource).sort();
  const binding = readdirSync(path.join(kernels, 'native'))
    .filter(isSource)
    .sort()
    .map(file => `native/${file}`);
  const plan = (name, args, files) => {
    const digest = digestOf([compiler.version, compilerFlags, args], files).slice(0, 16);
    return { name, args, file: path.join(objectCache, `${name}-${digest}.o`) };
  };
  const has = sets.map(name => `-DUNROLL_HAS_${name.toUpperCase()}`);
  return [
    ...sets.map(name =>
      plan(
        name,
        [...instructionSets[name].march, `-DUNROLL_NAMESPACE=unroll_${name}`, '-c', 'kernels.cpp'],
        shared,
      ),
    ),
    plan('threads', ['-c', 'threads.cpp'], shared),
    plan('platform', ['-c', 'native/platform.cpp'], [...shared, ...binding]),
    plan('addon', [...has, '-I', headers, '-c', 'native/addon.cpp'], [...shared, ...binding]),
  ];
}

function compile(compiler, { name, args, file }) {
  const fresh = `${file}.${process.pid}`;
  return new Promise((resolve, reject) => {
    const child = spawn(compiler.name, [...compilerFlags, ...args, '-o', fresh], {
      cwd: kernels,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    child.once('error', reject);
    child.once('exit', code => {
      if (code !== 0) return reject(new Error(`${name} was not compiled`));
      renameSync(fresh, file);
      keepNewest(objectCache, 48);
      resolve();
    });
  });
}

/** As many compilers at a time as there are processors: an instruction set takes about half a minute. */
async function compileAll(compiler, objects, report) {
  const queue = objects.filter(({ file }) => !existsSync(file));
  const count = queue.length;
  const running = new Set();
  let done = 0;
  const say = () => report(`${done} of ${count} parts, compiling ${[...running].join(' and ')}`);
  const worker = async () => {
    for (let object = queue.shift(); object; object = queue.shift()) {
      running.add(object.name);
      say();
      await withLock(`${object.file}.lock`, `${object.name} for another clone`, async () => {
        if (!existsSync(object.file)) await compile(compiler, object);
      });
      running.delete(object.name);
      done++;
      say();
    }
  };
  await Promise.all(Array.from({ length: os.availableParallelism() }, worker));
}

function link(compiler, objects, output) {
  const forSystem =
    process.platform === 'darwin'
      ? ['-undefined', 'dynamic_lookup']
      : ['-static-libgcc', '-static-libstdc++', '-Wl,--gc-sections', '-s'];
  const files = objects.map(({ file }) => file);
  run(compiler.name, ['-shared', '-O3', ...forSystem, ...files, '-o', output]);
}

function checkGlibc(file) {
  if (process.platform !== 'linux') return;
  const symbols = run('readelf', ['--wide', '--version-info', file]);
  const tooNew = [...symbols.matchAll(/GLIBC_(\d+)\.(\d+)/g)].filter(
    ([, major, minor]) => Number(major) * 1000 + Number(minor) > newestGlibc[0] * 1000 + newestGlibc[1],
  );
  if (tooNew.length > 0)
    throw new Error(
      `The addon needs ${tooNew[0][0]}, but no more than GLIBC_${newestGlibc.join('.')} is allowed.`,
    );
  if (/libstdc\+\+|libgcc_s/.test(run('readelf', ['--dynamic', file])))
    throw new Error('The addon needs libstdc++ or libgcc, which should be linked into it.');
}

const MARK = 'UNROLL01';

/** At the end of the file stands what it should be, so that a damaged one is never handed to the loader. */
export function seal(file) {
  const content = readFileSync(file);
  const digest = createHash('sha256').update(content).digest();
  writeFileSync(file, Buffer.concat([content, Buffer.from(MARK), digest]));
}

/** The digest at an addon's end; null where there is no addon. */
function sealOf(file) {
  if (!existsSync(file)) return null;
  return readFileSync(file).subarray(-32).toString('hex');
}

/** What the addon in dist/ was made of, so long as it is the one that was made: a copied or an older one is not. */
function readMark(file) {
  try {
    const mark = JSON.parse(readFileSync(file, 'utf8'));
    return mark.seal === sealOf(target) ? mark : null;
  } catch {
    return null;
  }
}

/** True where the addon holds every object that is wanted; one that holds more sets than wanted serves as well. */
function isCurrent(mark, compiler, headers, sets) {
  if (!mark || !sets.every(name => mark.sets.includes(name))) return false;
  const names = planObjects(compiler, headers, mark.sets).map(({ file }) => path.basename(file));
  return names.join() === mark.objects.join();
}

/** What is asked for, or why it cannot be built (NotBuilt). */
function planBuild(which) {
  const compiler = findCompiler();
  const headers = findHeaders();
  return { compiler, headers, sets: chooseSets(which, compiler) };
}

const markFile = path.join(work, 'built.json');

/** True where nothing is to be built: the addon is there, or there can be none. */
export function isNativeAtHand(which = 'best') {
  try {
    const { compiler, headers, sets } = planBuild(which);
    return isCurrent(readMark(markFile), compiler, headers, sets);
  } catch (error) {
    if (error instanceof NotBuilt) return true;
    throw error;
  }
}

export async function buildNative({ force = false, sets: which = 'best' } = {}) {
  const { compiler, headers, sets } = planBuild(which);
  mkdirSync(work, { recursive: true });
  mkdirSync(path.dirname(target), { recursive: true });
  await withLock(path.join(work, 'lock'), 'the native engine', async () => {
    if (!force && isCurrent(readMark(markFile), compiler, headers, sets)) return;
    const began = Date.now();
    const objects = planObjects(compiler, headers, sets);
    if (force) for (const { file } of objects) rmSync(file, { force: true });
    await withProgress('native engine', report => compileAll(compiler, objects, report));
    const fresh = path.join(work, 'unroll.node');
    link(compiler, objects, fresh);
    checkGlibc(fresh);
    seal(fresh);
    const mark = { sets, seal: sealOf(fresh), objects: objects.map(({ file }) => path.basename(file)) };
    if (process.platform === 'win32') rmSync(target, { force: true });
    renameSync(fresh, target); // a running process keeps the old file
    writeFileSync(markFile, JSON.stringify(mark));
    rmSync(pendingFile, { force: true });
    const seconds = Math.round((Date.now() - began) / 1000);
    console.log(`Native engine built by ${compiler.version} for ${sets.join(', ')} in ${seconds} s.`);
  });
}

/** For the build: the native engine where it can be had, else one clear line. */
export async function buildNativeOrSay(options) {
  try {
    await buildNative(options);
  } catch (error) {
    if (!(error instanceof NotBuilt)) throw error;
    console.log(`The native engine is not built, since ${error.message}; the WASM engine takes its place.`);
  }
}

/** `--sets` of a command line. */
export function setsAsked(argv) {
  const at = argv.indexOf('--sets');
  if (at < 0) return 'best';
  if (['best', 'two', 'host', 'all'].includes(argv[at + 1])) return argv[at + 1];
  throw new Error(`--sets takes best, two, host or all, not "${argv[at + 1]}".`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const options = { force: process.argv.includes('--force'), sets: setsAsked(process.argv) };
  await (process.argv.includes('--check') ? buildNative(options) : buildNativeOrSay(options));
}
