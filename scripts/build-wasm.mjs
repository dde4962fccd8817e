// Brings the WASM engine into dist/engine/wasm/: two modules made of kernels/, one for hosts with relaxed SIMD (fused
// multiply-add) and one for all others with SIMD and threads, and the script of their worker threads. The modules are
// committed (kernels/wasm/prebuilt/) with a digest of their sources, compiler and flags; where the digest is another
// they are built here by a compiler from npm, which takes a minute and a half, and kept under their digest.
//
//   node scripts/build-wasm.mjs [--refresh | --check | --current]
//     --refresh   writes kernels/wasm/prebuilt/ from the sources as they are (npm run refresh:wasm)
//     --check     builds, and fails where the committed modules are of other sources or have other bytes
//     --current   fails where the committed modules are of other sources; builds nothing
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { buildCache, keepNewest } from './build-cache.mjs';
import { withLock } from './lock.mjs';
import { withProgress } from './progress.mjs';

const self = fileURLToPath(import.meta.url);
const root = path.dirname(path.dirname(self));
const kernels = path.join(root, 'kernels');
const target = path.join(root, 'dist/engine/wasm');
const prebuilt = path.join(kernels, 'wasm/prebuilt');
const cache = buildCache('wasm');
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
  'unroll_threads_alone',
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
  delete tree.prebuilt;
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

/** The modules by name. The compiler says nothing on its way, so that a line tells the time it usually takes. */
async function build(tree) {
  const began = Date.now();
  const names = Object.keys(modules);
  const built = await withProgress('WASM engine', report => {
    let done = 0;
    const say = () => report(`${done} of ${names.length} modules, about 90 s of processor time`);
    say();
    return Promise.all(
      names.map(async name => {
        const module = await compileInThread(name, tree);
        done++;
        say();
        return module;
      }),
    );
  });
  const sizes = names.map((name, i) => `${name} ${Math.round(built[i].length / 1024)} KB`);
  console.log(`WASM engine built (${sizes.join(', ')}) in ${Math.round((Date.now() - began) / 1000)} s.`);
  return Object.fromEntries(names.map((name, i) => [name, built[i]]));
}

const digestOf = content => createHash('sha256').update(content).digest('hex');

function readModules(folder) {
  const files = Object.keys(modules).map(name => [name, path.join(folder, `${name}.wasm`)]);
  if (!files.every(([, file]) => existsSync(file))) return null;
  return Object.fromEntries(files.map(([name, file]) => [name, readFileSync(file)]));
}

function writeModules(folder, built) {
  mkdirSync(folder, { recursive: true });
  for (const [name, module] of Object.entries(built))
    writeFileSync(path.join(folder, `${name}.wasm`), module);
}

/** The committed modules where they are of these sources and whole, else null. */
function readPrebuilt(sourcesDigest) {
  const file = path.join(prebuilt, 'digest.json');
  if (!existsSync(file)) return null;
  const digest = JSON.parse(readFileSync(file, 'utf8'));
  const found = readModules(prebuilt);
  if (digest.sources !== sourcesDigest || !found) return null;
  const whole = Object.entries(found).every(([name, module]) => digest.modules[name] === digestOf(module));
  return whole ? found : null;
}

/** From the cache where these sources have been built before. */
async function buildOnce(tree, digest) {
  const kept = path.join(cache, digest);
  return withLock(`${kept}.lock`, 'the WASM engine', async () => {
    const found = readModules(kept);
    if (found) return found;
    const built = await build(tree);
    writeModules(kept, built);
    keepNewest(cache, 12);
    return built;
  });
}

/** True where the modules are there without compiling. */
export function isWasmAtHand() {
  const digest = fingerprint(sources());
  return readPrebuilt(digest) !== null || readModules(path.join(cache, digest)) !== null;
}

export async function buildWasm() {
  const tree = sources();
  const digest = fingerprint(tree);
  writeModules(target, readPrebuilt(digest) ?? (await buildOnce(tree, digest)));
  cpSync(path.join(kernels, 'wasm/worker.mjs'), path.join(target, 'worker.mjs'));
}

const STALE =
  'kernels/wasm/prebuilt/ was made of other sources than kernels/ has now: npm run refresh:wasm makes it anew, to be committed.';

function requireCurrent() {
  const found = readPrebuilt(fingerprint(sources()));
  if (found) return found;
  console.error(STALE);
  process.exit(1);
}

/** The proof that the committed modules are made of the sources. */
async function check() {
  const committed = requireCurrent();
  const built = await build(sources());
  const changed = Object.keys(modules).filter(name => !built[name].equals(committed[name]));
  if (changed.length === 0) return console.log('The committed WASM modules are those that the sources give.');
  console.error(`${changed.join(' and ')} in kernels/wasm/prebuilt/ is not what its sources give.`);
  process.exit(1);
}

async function refresh() {
  const tree = sources();
  const digest = fingerprint(tree);
  if (readPrebuilt(digest)) return console.log('kernels/wasm/prebuilt/ is of these sources already.');
  const built = await buildOnce(tree, digest);
  writeModules(prebuilt, built);
  const digests = Object.fromEntries(Object.entries(built).map(([name, module]) => [name, digestOf(module)]));
  const text = JSON.stringify({ sources: digest, modules: digests }, null, 2);
  writeFileSync(path.join(prebuilt, 'digest.json'), `${text}\n`);
  console.log('kernels/wasm/prebuilt/ is made anew: commit it.');
}

if (!isMainThread && workerData?.tree) {
  parentPort.postMessage(await compile(workerData.flags, workerData.tree));
} else if (process.argv[1] === self) {
  const actions = { '--refresh': refresh, '--check': check, '--current': requireCurrent };
  await (actions[process.argv[2]] ?? buildWasm)();
}
