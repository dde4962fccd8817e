// npm test: everything, in one run. `npm test -- STAGE…` runs only those named: build, biome, imports,
// types, unit, host, e2e, desktop. The last line says what passed and failed.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { ensureInstalled, root } from './install.mjs';

process.chdir(root);
await ensureInstalled();
(await import('tsx/esm/api')).register();
const { atEnd } = await import('../test/host/cleanup.ts');
const { HostError } = await import('../test/host/command.ts');
const { mark } = await import('../test/host/environment.ts');
const { kill, markedProcesses, waitUntilGone } = await import('../test/host/processes.ts');
const { withSampleWorkspace } = await import('../test/host/workspace.ts');

const output = path.join(root, 'test/out');
const id = `test-${process.pid}-${Date.now()}`;
process.env[mark] = id;
atEnd(() => kill(markedProcesses(id), 'SIGKILL'));

const bin = name => path.join('node_modules', '.bin', name);
const minutes = 60_000;

const stages = {
  // every instruction set that this processor has, since the tests compare them
  build: () => check('node', ['esbuild.js', '--sets', 'host'], 10 * minutes),
  biome: () => check(bin('biome'), ['check', '.']),
  imports: () =>
    check(bin('depcruise'), ['src', '--config', '.dependency-cruiser.cjs', '--output-type', 'err']),
  types: () => check(bin('tsc'), ['--noEmit']),
  unit: () => mocha('unit', 6 * minutes, []),
  host: inHost,
  e2e: endToEnd,
  desktop: onDesktop,
};

/** A tool that only says yes or no counts as one test. */
async function check(command, args, limit = 5 * minutes) {
  const code = await runChild(command, args, limit);
  const name = [path.basename(command), ...args].join(' ');
  return {
    passed: code === 0 ? 1 : 0,
    failed: code === 0 ? [] : [`${name} (exit code ${code})`],
    skipped: [],
  };
}

async function mocha(stage, limit, args) {
  const reportFile = path.join(output, `${stage}.json`);
  const code = await runChild(bin('mocha'), ['--reporter', 'test/host/reporter.cjs', ...args], limit, {
    UNROLL_TEST_REPORT: reportFile,
  });
  if (!existsSync(reportFile)) throw new HostError(`mocha ended with ${code} and without a report.`);
  const report = JSON.parse(readFileSync(reportFile, 'utf8'));
  if (code !== 0 && report.failed.length === 0) report.failed.push(`mocha ended with ${code}`);
  return report;
}

async function inHost() {
  const { fetchHost } = await import('../test/host/fetch.ts');
  const { fetchChromium } = await import('../test/host/chromium.ts');
  const { runInHost } = await import('../test/host/in-host.ts');
  fetchHost();
  fetchChromium();
  return withSampleWorkspace(workspace =>
    runInHost({ workspace, screenshot: path.join(output, 'in-host.png'), timeout: 5 * minutes }),
  );
}

async function endToEnd() {
  const { fetchHost } = await import('../test/host/fetch.ts');
  const { fetchChromium } = await import('../test/host/chromium.ts');
  fetchHost();
  fetchChromium();
  return mocha('e2e', 9 * minutes, ['--config', 'test/e2e/.mocharc.json', 'test/e2e/**/*.test.ts']);
}

async function onDesktop() {
  const { runOnDesktop } = await import('../test/host/desktop.ts');
  const reportFile = path.join(output, 'desktop.json');
  return withSampleWorkspace(workspace => runOnDesktop({ workspace, reportFile }));
}

/** Resolves to the exit code, or to the signal or limit that ended it. */
function runChild(command, args, limit, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, ...env },
    });
    const timer = setTimeout(() => {
      kill(markedProcesses(id), 'SIGKILL');
      resolve(`no end after ${limit / minutes} minutes`);
    }, limit);
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      resolve(code ?? signal);
    });
  });
}

async function runStage(name) {
  console.log(`\n── ${name} ${'─'.repeat(70 - name.length)}`);
  const began = Date.now();
  let report;
  try {
    report = await stages[name]();
  } catch (error) {
    console.error(error instanceof HostError ? error.message : error);
    report = { passed: 0, failed: [`${name} did not run to its end`], skipped: [] };
  }
  if (report.passed + report.failed.length === 0) report.failed.push(`${name} ran no tests`);
  const left = await waitUntilGone(id, 10);
  for (const { pid, command } of left)
    report.failed.push(`${name} left process ${pid} behind: ${command.join(' ')}`);
  kill(left, 'SIGKILL');
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
for (const name of names) reports.push(await runStage(name));

console.log(`\n── all ${'─'.repeat(67)}`);
for (const { name, seconds, passed, failed, skipped } of reports) {
  const others = skipped.length ? `, ${skipped.length} skipped` : '';
  console.log(
    `${name.padEnd(8)} ${passed} passed, ${failed.length} failed${others} (${seconds.toFixed(1)} s)`,
  );
  for (const title of failed) console.log(`  failed: ${title}`);
  for (const title of skipped) console.log(`  skipped: ${title}`);
}
const pictures = readdirSync(output).filter(file => file.endsWith('.png')).length;
if (pictures) console.log(`${pictures} screenshots in test/out/`);
const sum = key => reports.reduce((total, report) => total + (report[key].length ?? report[key]), 0);
const skipped = sum('skipped') ? `, ${sum('skipped')} skipped` : '';
console.log(`${sum('passed')} passed, ${sum('failed')} failed${skipped}`);
process.exit(sum('failed') ? 1 : 0);
