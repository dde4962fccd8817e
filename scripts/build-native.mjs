// Builds the native engine, dist/engine/unroll.node, from kernels/: the kernels once for each instruction set, all in
// one addon. Rebuilt only when a source, the compiler or this script has changed. Where there is no C++ compiler it says
// so in one line and succeeds: the engine then runs on WASM.
//
//   node scripts/build-native.mjs [--force] [--check]     --check: fail where the addon cannot be built
//
// CXX names another compiler. Built and tested here: linux-x64. Other targets are built by the same commands on their
// own machines, but have not been tested.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const kernels = path.join(root, 'kernels');
const target = path.join(root, 'dist/engine/unroll.node');
const work = path.join(root, 'node_modules/.cache/unroll-native');

/** No newer glibc than that of the oldest Linux that VS Code runs on. */
const newestGlibc = [2, 28];

const flags =
  '-O3 -std=c++17 -ffp-contract=fast -fno-math-errno -fno-trapping-math -fno-signed-zeros -fno-exceptions -fno-rtti -fPIC -fvisibility=hidden -Wall -Wextra -Wno-psabi -Wno-uninitialized -Wno-maybe-uninitialized'.split(
    ' ',
  );

const instructionSets = {
  x64: { avx512: ['-march=x86-64-v4'], avx2: ['-march=x86-64-v3'], plain: ['-march=x86-64'] },
  arm64: { neon: [] },
}[process.arch] ?? { plain: [] };

/** Ends what `auto` may do without: a reason in a line. */
class NotBuilt extends Error {}

function run(command, args) {
  const result = spawnSync(command, args, { encoding: 'utf8' });
  if (result.error) throw new NotBuilt(`${command} cannot be run (${result.error.code})`);
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')}\n${result.stderr}`);
  return result.stdout + result.stderr;
}

function findCompiler() {
  for (const name of process.env.CXX ? [process.env.CXX] : ['g++', 'clang++', 'c++']) {
    const found = spawnSync(name, ['--version'], { encoding: 'utf8' });
    if (!found.error && found.status === 0) return { name, version: found.stdout.split('\n')[0] };
  }
  throw new NotBuilt(`there is no C++ compiler (${process.env.CXX ?? 'g++ or clang++'})`);
}

/** Node's headers: those of the package node-api-headers, which serve any Node, or of the running Node. */
function findHeaders() {
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

function sources() {
  const inFolder = folder =>
    readdirSync(path.join(kernels, folder))
      .filter(file => /\.(h|cpp)$/.test(file))
      .map(file => path.join(folder, file));
  return [...inFolder('.'), ...inFolder('native')].sort();
}

function fingerprint(compiler) {
  const hash = createHash('sha256')
    .update(compiler.version)
    .update(process.platform + process.arch);
  hash.update(readFileSync(fileURLToPath(import.meta.url)));
  for (const file of sources()) hash.update(file).update(readFileSync(path.join(kernels, file)));
  return hash.digest('hex');
}

/** Two or more compilers at a time: an instruction set takes about half a minute. */
async function compileAll(compiler, headers) {
  const jobs = Object.entries(instructionSets).map(([name, march]) => ({
    output: `${name}.o`,
    args: [...march, `-DUNROLL_NAMESPACE=unroll_${name}`, '-c', 'kernels.cpp'],
  }));
  jobs.push({ output: 'threads.o', args: ['-c', 'threads.cpp'] });
  jobs.push({ output: 'platform.o', args: ['-c', 'native/platform.cpp'] });
  jobs.push({ output: 'addon.o', args: ['-I', headers, '-c', 'native/addon.cpp'] });
  const objects = jobs.map(job => path.join(work, job.output));
  const { spawn } = await import('node:child_process');
  const compile = ({ output, args }) =>
    new Promise((resolve, reject) => {
      const all = [...flags, ...args, '-o', path.join(work, output)];
      const child = spawn(compiler.name, all, { cwd: kernels, stdio: ['ignore', 'inherit', 'inherit'] });
      child.once('error', reject);
      child.once('exit', code => (code === 0 ? resolve() : reject(new Error(`${output} was not compiled`))));
    });
  const queue = [...jobs];
  const worker = async () => {
    for (let job = queue.shift(); job; job = queue.shift()) await compile(job);
  };
  await Promise.all(Array.from({ length: os.availableParallelism() }, worker));
  return objects;
}

function link(compiler, objects, output) {
  const forSystem =
    process.platform === 'darwin'
      ? ['-undefined', 'dynamic_lookup']
      : ['-static-libgcc', '-static-libstdc++', '-Wl,--gc-sections', '-s'];
  run(compiler.name, ['-shared', '-O3', ...forSystem, ...objects, '-o', output]);
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

/** At the end of the file stands what it should be, so that a damaged one is never handed to the loader. */
function seal(file) {
  const content = readFileSync(file);
  writeFileSync(
    file,
    Buffer.concat([content, Buffer.from('UNROLL01'), createHash('sha256').update(content).digest()]),
  );
}

export async function buildNative({ force = false } = {}) {
  const compiler = findCompiler();
  const headers = findHeaders();
  const mark = path.join(work, 'built');
  const wanted = fingerprint(compiler);
  if (!force && existsSync(target) && existsSync(mark) && readFileSync(mark, 'utf8') === wanted) return;
  mkdirSync(work, { recursive: true });
  mkdirSync(path.dirname(target), { recursive: true });
  const began = Date.now();
  const objects = await compileAll(compiler, headers);
  const fresh = path.join(work, 'unroll.node');
  link(compiler, objects, fresh);
  checkGlibc(fresh);
  seal(fresh);
  rmSync(target, { force: true }); // a running process keeps the old file
  renameSync(fresh, target);
  writeFileSync(mark, wanted);
  const sets = Object.keys(instructionSets).join(', ');
  console.log(
    `Native engine built by ${compiler.version} for ${sets} in ${Math.round((Date.now() - began) / 1000)} s.`,
  );
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

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const options = { force: process.argv.includes('--force') };
  await (process.argv.includes('--check') ? buildNative(options) : buildNativeOrSay(options));
}
