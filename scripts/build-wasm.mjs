// Builds the WASM engine, dist/engine/wasm/, from kernels/: two modules of the same source, one for hosts with relaxed
// SIMD (fused multiply-add) and one for all others with SIMD and threads, and the script of their worker threads. The
// compiler is an npm package, so that any machine can build it. It takes half a minute, so what has been built is kept
// under a hash of the sources, the compiler's version and its flags.
//
//   node scripts/build-wasm.mjs [--force] [--check]     --check: build twice and fail where the bytes differ
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

const self = fileURLToPath(import.meta.url);
const root = path.dirname(path.dirname(self));
const kernels = path.join(root, 'kernels');
const target = path.join(root, 'dist/engine/wasm');
const cache = path.join(root, 'node_modules/.cache/unroll-wasm');
const units = ['kernels.cpp', 'threads.cpp', 'wasm/platform.cpp'];

const modules = { simd128: [], 'relaxed-simd': ['-mrelaxed-simd'] };

// -pre-RA-sched=source: since 22, clang no longer keeps products in the order in which they are written when it chooses
// instructions; it brings those of one vector together, so that all rows' factors are alive at once, and V8 spills
// them: 1.3 to 1.4 times slower. With it the module is as fast as clang 19's.
// -fno-unroll-loops: tiles are unrolled by hand, the rest only grows.
const compilerFlags =
  '--target=wasm32 -O3 -std=c++20 -I. -ffp-contract=fast -fno-math-errno -fno-trapping-math -fno-signed-zeros -fno-exceptions -fno-rtti -nostdlib -ffreestanding -fno-builtin-memset -mbulk-memory -msimd128 -matomics -fno-unroll-loops -mllvm -pre-RA-sched=source -Wall -Wextra -Werror -Wno-unknown-pragmas -Wno-pass-failed'.split(
    ' ',
  );
const exported = [
  '__stack_pointer',
  '__heap_base',
  'unroll_threads_start',
  'unroll_thread_run',
  'unroll_threads_stop',
];
const linkerFlags = [
  ...'--no-entry --strip-all -z stack-size=262144 --shared-memory --import-memory --max-memory=4294967296'.split(
    ' ',
  ),
  ...exported.map(name => `--export=${name}`),
];

/** kernels/ as the compiler's file system. */
function sources(folder = kernels) {
  const tree = {};
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const place = path.join(folder, entry.name);
    if (entry.isDirectory()) tree[entry.name] = sources(place);
    else if (/\.(h|cpp)$/.test(entry.name)) tree[entry.name] = readFileSync(place, 'utf8');
  }
  delete tree.native;
  return tree;
}

function fingerprint(tree) {
  const lock = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8'));
  const { version } = lock.packages['node_modules/@yowasp/clang'];
  const recipe = JSON.stringify([version, compilerFlags, linkerFlags, modules, units, tree]);
  return createHash('sha256').update(recipe).digest('hex');
}

/** The compiler cannot start processes, so that compiling and linking are two calls. */
async function compile(flags, tree) {
  const { commands, runLLVM } = await import('@yowasp/clang');
  await runLLVM(undefined, {}, { fetchProgress: () => {} }); // else it reports how it reads its own files
  const messages = [];
  const options = {
    stdout: null,
    stderr: bytes => bytes && messages.push(Buffer.from(bytes).toString()),
  };
  try {
    let files = tree;
    const objects = units.map((_, i) => `unit-${i}.o`);
    for (const [i, unit] of units.entries()) {
      const command = ['-c', '-fintegrated-cc1', ...compilerFlags, ...flags, unit, '-o', objects[i]];
      files = { ...files, ...(await commands['clang++'](command, files, options)) };
    }
    const linked = await commands['wasm-ld'](
      [...linkerFlags, ...objects, '-o', 'unroll.wasm'],
      files,
      options,
    );
    return seal(linked['unroll.wasm']);
  } catch (error) {
    throw new Error(`The WASM engine could not be built: ${error.message}\n${messages.join('')}`);
  }
}

/** A last section tells the digest of all before it, so that a damaged module is known as one. */
function seal(module) {
  const digest = createHash('sha256').update(module).digest();
  const name = Buffer.from('unroll.digest');
  const content = Buffer.concat([Buffer.from([name.length]), name, digest]);
  return Buffer.concat([module, Buffer.from([0, content.length]), content]);
}

function compileInThread(name, tree) {
  return new Promise((resolve, reject) => {
    const thread = new Worker(self, { workerData: { flags: modules[name], tree } });
    thread.once('message', module => resolve(Buffer.from(module)));
    thread.once('error', reject);
  });
}

async function build(tree) {
  const began = Date.now();
  const names = Object.keys(modules);
  const built = await Promise.all(names.map(name => compileInThread(name, tree)));
  const sizes = names.map((name, i) => `${name} ${Math.round(built[i].length / 1024)} KB`);
  console.log(`WASM engine built (${sizes.join(', ')}) in ${Math.round((Date.now() - began) / 1000)} s.`);
  return Object.fromEntries(names.map((name, i) => [name, built[i]]));
}

export async function buildWasm({ force = false, check = false } = {}) {
  const tree = sources();
  const kept = path.join(cache, fingerprint(tree));
  const fileOf = name => path.join(kept, `${name}.wasm`);
  const names = Object.keys(modules);
  const present = names.every(name => existsSync(fileOf(name)));
  const keptModules = () => Object.fromEntries(names.map(name => [name, readFileSync(fileOf(name))]));
  if (force || check || !present) {
    const built = await build(tree);
    if (check) {
      const before = present ? keptModules() : await build(tree);
      const changed = names.filter(name => !built[name].equals(before[name]));
      if (changed.length > 0) throw new Error(`${changed} came out different from the same sources.`);
      console.log('The same sources gave the same bytes twice.');
    }
    mkdirSync(kept, { recursive: true });
    for (const name of names) writeFileSync(fileOf(name), built[name]);
  }
  mkdirSync(target, { recursive: true });
  for (const name of names) cpSync(fileOf(name), path.join(target, `${name}.wasm`));
  cpSync(path.join(kernels, 'wasm/worker.mjs'), path.join(target, 'worker.mjs'));
}

if (!isMainThread && workerData?.tree) {
  parentPort.postMessage(await compile(workerData.flags, workerData.tree));
} else if (process.argv[1] === self) {
  await buildWasm({ force: process.argv.includes('--force'), check: process.argv.includes('--check') });
}
