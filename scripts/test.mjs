// npm test: everything, in one run. `npm test -- STAGE…` runs only those named: build, prebuilt, biome, imports, types,
// unit, host, e2e, desktop. The last line says what passed and failed.
//
// No stage has a limit by the clock: a machine with other work to do is no fault. A stage ends when it has used more
// processor time than it ever should, or has neither said nor computed anything for a while. Where the build fails the
// stages that stand on it are not run.
import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { isNativeAtHand } from './build-native.mjs';
import { isWasmAtHand } from './build-wasm.mjs';
import { ensureInstalled, root } from './install.mjs';

process.chdir(root);
await ensureInstalled();
(await import('tsx/esm/api')).register();
const { atEnd } = await import('../test/host/cleanup.ts');
const { HostError } = await import('../test/host/command.ts');
const { mark } = await import('../test/host/environment.ts');
const { kill, markedProcesses, processorSeconds, waitUntilGone } = await import('../test/host/processes.ts');
const { withSampleWorkspace } = await import('../test/host/workspace.ts');

const output = path.join(root, 'test/out');
const id = `test-${process.pid}-${Date.now()}`;
process.env[mark] = id;
useMemory();
atEnd(() => kill(markedProcesses(id), 'SIGKILL'));

/**
 * Temporary folders go into memory where there is room: each checkpoint of a run is synced to the disk, and the tests
 * of training would wait for that half of their time.
 */
function useMemory() {
  const memory = '/dev/shm';
  const enough = 4e9;
  if (process.platform !== 'linux' || !existsSync(memory) || os.freemem() < enough) return;
  const { bavail, bsize } = statfsSync(memory);
  if (bavail * bsize < enough) return;
  let folder;
  try {
    // short, since unix sockets live in it
    folder = mkdtempSync(path.join(memory, 'unroll-'));
  } catch {
    return; // not ours to write
  }
  atEnd(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));
  const program = path.join(folder, 'probe');
  writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 });
  // containers may forbid to run what lies in it
  if (spawnSync(program).status !== 0) return;
  // what tsx has compiled stays where the next run finds it
  const compiled = `tsx-${process.getuid()}`;
  const kept = path.join(os.tmpdir(), compiled);
  mkdirSync(kept, { recursive: true });
  symlinkSync(kept, path.join(folder, compiled));
  process.env.TMPDIR = folder;
}

const bin = name => path.join('node_modules', '.bin', name);

/** Minutes of processor time, about four times what each takes. */
const stages = {
  // two widths of vectors, since the tests compare them; the WASM modules are a third, and npm run test:deep builds all
  build: { run: () => check('node', ['esbuild.js', '--sets', 'two']), minutes: 20 },
  // the WASM modules that are committed are of these kernels
  prebuilt: { run: () => check('node', ['scripts/build-wasm.mjs', '--current']), minutes: 5 },
  // while one of the two compilers of the build has ended, or not begun
  biome: { run: write => check(bin('biome'), ['check', '.'], write), minutes: 5, beside: 'build' },
  imports: {
    run: write =>
      check(bin('depcruise'), ['src', '--config', '.dependency-cruiser.cjs', '--output-type', 'err'], write),
    minutes: 5,
    beside: 'build',
  },
  types: { run: write => check(bin('tsc'), ['--noEmit'], write), minutes: 5, beside: 'build' },
  // mocha's own choice leaves one core idle
  unit: {
    run: () => mocha('unit', ['--parallel', '--jobs', String(os.availableParallelism())]),
    minutes: 40,
    needsBuild: true,
  },
  // waits more than it computes
  host: { run: inHost, minutes: 25, needsBuild: true, beside: 'unit' },
  e2e: { run: endToEnd, minutes: 60, needsBuild: true },
  desktop: { run: onDesktop, minutes: 25, needsBuild: true },
};
const SILENT_MINUTES = 5;

/** A tool that only says yes or no counts as one test. */
async function check(command, args, write) {
  const code = await runChild(command, args, {}, write);
  const name = [path.basename(command), ...args].join(' ');
  return {
    passed: code === 0 ? 1 : 0,
    failed: code === 0 ? [] : [`${name} (exit code ${code})`],
    skipped: [],
  };
}

async function mocha(stage, args) {
  const reportFile = path.join(output, `${stage}.json`);
  const running = path.join(output, `${stage}-running`);
  const code = await runChild(bin('mocha'), ['--reporter', 'test/host/reporter.cjs', ...args], {
    UNROLL_TEST_REPORT: reportFile,
    UNROLL_TESTS_RUNNING: running,
  });
  if (!existsSync(reportFile)) {
    const files = existsSync(running) ? readdirSync(running) : [];
    const titles = files.map(file => readFileSync(path.join(running, file), 'utf8'));
    const during = titles.length > 0 ? ` It was in: ${titles.join('; ')}.` : '';
    throw new HostError(`mocha ended with ${code} and without a report.${during}`);
  }
  const report = JSON.parse(readFileSync(reportFile, 'utf8'));
  if (code !== 0 && report.failed.length === 0) report.failed.push(`mocha ended with ${code}`);
  return report;
}

/** `write` takes what the tests print. */
async function inHost(write) {
  const { fetchHost } = await import('../test/host/fetch.ts');
  const { fetchChromium } = await import('../test/host/chromium.ts');
  const { runInHost } = await import('../test/host/in-host.ts');
  fetchHost();
  fetchChromium();
  return withSampleWorkspace(workspace =>
    runInHost({ workspace, screenshot: path.join(output, 'in-host.png'), write }),
  );
}

async function endToEnd() {
  const { fetchHost } = await import('../test/host/fetch.ts');
  const { fetchChromium } = await import('../test/host/chromium.ts');
  fetchHost();
  fetchChromium();
  // a window waits more than it computes: one file more than there are cores
  const jobs = ['--parallel', '--jobs', String(os.availableParallelism() + 1)];
  // the largest first: a long file that begins last is waited for alone
  const files = readdirSync('test/e2e')
    .filter(name => name.endsWith('.test.ts'))
    .map(name => path.join('test/e2e', name))
    .sort((one, other) => statSync(other).size - statSync(one).size);
  return mocha('e2e', [...jobs, '--config', 'test/e2e/.mocharc.json', ...files]);
}

async function onDesktop() {
  const { runOnDesktop } = await import('../test/host/desktop.ts');
  const reportFile = path.join(output, 'desktop.json');
  return withSampleWorkspace(workspace => runOnDesktop({ workspace, reportFile }));
}

/** Resolves to the exit code, or to the signal or the limit that ended it. `write` takes what it prints. */
function runChild(command, args, env = {}, write) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    for (const name of ['stdout', 'stderr'])
      child[name].on('data', data => {
        watch.said();
        if (write) write(data);
        else process[name].write(data);
      });
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(watch.ended ?? code ?? signal));
  });
}

/** Ends the processes of a stage that computes without end, or that does nothing any more. */
class Watch {
  ended = null;
  #limit;
  #used = new Map();
  #total = 0;
  #progress = Date.now();
  #looked = Date.now();
  #timer;

  constructor(minutes) {
    this.#limit = minutes * 60;
    this.#timer = setInterval(() => this.#look(), 5000);
    this.#timer.unref();
  }

  said() {
    this.#progress = Date.now();
  }

  close() {
    clearInterval(this.#timer);
  }

  /** Seconds of processor time of all processes of the stage that were seen. */
  get seconds() {
    return this.#total;
  }

  #look() {
    const before = this.#total;
    // what we do ourselves (fetching the host) keeps this from being called
    if (Date.now() - this.#looked > 20_000) this.said();
    this.#looked = Date.now();
    for (const { pid } of markedProcesses(id))
      this.#used.set(pid, processorSeconds(pid) ?? this.#used.get(pid));
    this.#total = [...this.#used.values()].reduce((sum, seconds) => sum + (seconds ?? 0), 0);
    if (this.#total > before + 1) this.said();
    if (this.#total > this.#limit) this.#end(`no end after ${this.#limit / 60} minutes of processor time`);
    else if (Date.now() - this.#progress > SILENT_MINUTES * 60_000)
      this.#end(`neither a word nor work for ${SILENT_MINUTES} minutes`);
  }

  #end(why) {
    this.ended = why;
    console.error(`The stage is ended: ${why}.`);
    this.close();
    kill(markedProcesses(id), 'SIGKILL');
  }
}
let watch;

/** Why a stage that stands on the build cannot run, or null. */
function missingGround() {
  const files = [
    'dist/extension.cjs',
    'dist/main.cjs',
    'dist/engine/unroll.mjs',
    'dist/webview/dashboard.js',
    'dist/engine/wasm/simd128.wasm',
  ];
  const missing = files.find(file => !existsSync(file));
  if (missing) return `there is no ${missing}`;
  if (!isNativeAtHand()) return 'the native engine in dist/ is of other sources than kernels/';
  if (!isWasmAtHand()) return 'the WASM engine in dist/ is of other sources than kernels/';
  return null;
}

const heading = name => `\n── ${name} ${'─'.repeat(70 - name.length)}`;

/** Runs the first stage, and beside it the others in turn; what those print comes after the first. */
async function runStages(names) {
  const [first, ...others] = names;
  console.log(heading(first));
  watch = new Watch(names.reduce((sum, name) => sum + stages[name].minutes, 0));
  const later = new Map(others.map(name => [name, []]));
  const inTurn = async () => {
    const reports = [];
    for (const name of others) reports.push(await runStage(name, text => later.get(name).push(text)));
    return reports;
  };
  const [report, reportsBeside] = await Promise.all([runStage(first), inTurn()]);
  const reports = [report, ...reportsBeside];
  for (const [name, said] of later) process.stdout.write(`${heading(name)}\n${Buffer.concat(said)}`);
  const left = await waitUntilGone(id, 10);
  for (const { pid, command } of left)
    reports[0].failed.push(`${names.join(' or ')} left process ${pid} behind: ${command.join(' ')}`);
  kill(left, 'SIGKILL');
  watch.close();
  reports[0].processor = watch.seconds;
  return reports;
}

async function runStage(name, write) {
  const began = Date.now();
  const { run, needsBuild } = stages[name];
  const said =
    write &&
    (text => {
      watch.said();
      write(text);
    });
  let report;
  try {
    const ground = needsBuild ? missingGround() : null;
    if (ground) throw new HostError(`${name} was not run: ${ground}. npm run build comes first.`);
    report = await run(said);
  } catch (error) {
    const known = error instanceof HostError;
    console.error(known ? error.message : error);
    report = {
      passed: 0,
      failed: [known ? error.message.split('\n')[0] : `${name} did not run to its end`],
      skipped: [],
    };
  }
  if (report.passed + report.failed.length === 0) report.failed.push(`${name} ran no tests`);
  return { name, seconds: (Date.now() - began) / 1000, ...report };
}

const asked = process.argv.slice(2);
const unknown = asked.find(name => !(name in stages));
if (unknown) {
  console.error(`There is no stage "${unknown}"; the stages are ${Object.keys(stages).join(', ')}.`);
  process.exit(2);
}
const names = asked.length ? asked : Object.keys(stages).filter(name => name !== 'desktop');

rmSync(output, { recursive: true, force: true });
mkdirSync(output, { recursive: true });
const reports = [];
const notRun = [];
const isBeside = name => names.includes(stages[name].beside);
for (const name of names.filter(each => !isBeside(each))) {
  const built = !reports.some(({ name: earlier, failed }) => earlier === 'build' && failed.length > 0);
  const together = [name, ...names.filter(each => stages[each].beside === name)];
  if (built || !stages[name].needsBuild) reports.push(...(await runStages(together)));
  else notRun.push(...together);
}

console.log(`\n── all ${'─'.repeat(67)}`);
for (const { name, seconds, processor, passed, failed, skipped } of reports) {
  const others = skipped.length ? `, ${skipped.length} skipped` : '';
  const computed = processor === undefined ? '' : `, ${processor.toFixed(0)} s of processor time`;
  const times = `${seconds.toFixed(1)} s${computed}`;
  console.log(`${name.padEnd(8)} ${passed} passed, ${failed.length} failed${others} (${times})`);
  for (const title of failed) console.log(`  failed: ${title}`);
  for (const title of skipped) console.log(`  skipped: ${title}`);
}
if (notRun.length) console.log(`Not run, since the build failed: ${notRun.join(', ')}`);
const pictures = readdirSync(output).filter(file => file.endsWith('.png')).length;
if (pictures) console.log(`${pictures} screenshots in test/out/`);
const sum = key => reports.reduce((total, report) => total + (report[key].length ?? report[key]), 0);
const skipped = sum('skipped') ? `, ${sum('skipped')} skipped` : '';
console.log(`${sum('passed')} passed, ${sum('failed')} failed${skipped}`);
process.exit(sum('failed') ? 1 : 0);
