// npm start: installs, builds, and opens a VS Code with the extension loaded. See `usage` below. The native engine takes
// longer to compile than a person waits: it is made beside the window, and the next run takes it.
import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { ensureInstalled, root } from './install.mjs';

const usage = `npm start -- [options]
  --train           start the sample comparison at once and show the dashboard
  --workspace DIR   the folder to open (default: samples/)
  --port N          port of the window's address (default: the first free one from 8200)
  --desktop         use the desktop VS Code, the command "code"
  --trust           ask whether the folder is trusted, as a fresh VS Code does
  --help            this text`;

function fail(message) {
  console.error(message);
  process.exit(2);
}

function readOptions() {
  try {
    return parseArgs({
      options: {
        train: { type: 'boolean', default: false },
        workspace: { type: 'string', default: path.join(root, 'samples') },
        port: { type: 'string' },
        desktop: { type: 'boolean', default: false },
        trust: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    fail(`${error.message}\n\n${usage}`);
  }
}

/** What --train trains: the sample comparison, or in another folder its first experiment. */
function experimentIn(workspace) {
  const files = readdirSync(workspace).filter(file => file.endsWith('.rnn.json'));
  const file = files.includes('emma.rnn.json') ? 'emma.rnn.json' : files.sort()[0];
  return file ? path.join(workspace, file) : null;
}

/** One engine now, the other beside the window. Of two that must be compiled the native one takes less time. */
async function bringEngine() {
  if (isWasmAtHand()) {
    await buildWasm();
    if (isNativeAtHand()) return;
    if (!existsSync('dist/engine/unroll.node')) writeFileSync(pendingFile, '');
    buildBeside('build-native.mjs', 'native', () => rmSync(pendingFile, { force: true }));
  } else {
    await buildNativeOrSay();
    if (existsSync('dist/engine/unroll.node')) buildBeside('build-wasm.mjs', 'WASM');
    else await buildWasm();
  }
}

/** Ends with us, and with it the compilers it started. What a person waits for has the processor first. */
function buildBeside(script, engine, atEnd = () => {}) {
  const log = path.join(root, '.vscode-test', `${path.basename(script, '.mjs')}.log`);
  mkdirSync(path.dirname(log), { recursive: true });
  const output = openSync(log, 'w');
  const child = spawn(process.execPath, [path.join('scripts', script)], {
    stdio: ['ignore', output, output],
    detached: true,
  });
  closeSync(output);
  os.setPriority(child.pid, os.constants.priority.PRIORITY_BELOW_NORMAL);
  console.log(`The ${engine} engine is compiled beside the window (${path.relative(root, log)}).`);
  const stop = () => {
    atEnd();
    try {
      process.kill(-child.pid);
    } catch {
      // it has ended
    }
  };
  process.once('exit', stop);
  child.once('exit', code => {
    process.off('exit', stop);
    atEnd();
    const last = readFileSync(log, 'utf8').trim().split('\n').at(-1);
    console.log(
      code === 0 ? `${last} The next run can use it.` : `The ${engine} engine was not built: ${last}`,
    );
  });
}

const options = readOptions();
if (options.help) {
  console.log(usage);
  process.exit(0);
}
// npm runs us in the package's folder; the person's own is in INIT_CWD
const workspace = path.resolve(process.env.INIT_CWD ?? process.cwd(), options.workspace);
if (!existsSync(workspace) || !statSync(workspace).isDirectory())
  fail(`${workspace} is not a folder: --workspace takes the folder to open.`);
const port = options.port === undefined ? null : Number(options.port);
if (port !== null && !(Number.isInteger(port) && port > 0 && port < 65536))
  fail(`--port takes a number from 1 to 65535, not "${options.port}".`);
const experiment = experimentIn(workspace);
if (options.train && !experiment) fail(`${workspace} holds no *.rnn.json file for --train to train.`);

process.chdir(root);
await ensureInstalled();
if (spawnSync(process.execPath, ['esbuild.js', '--bundles'], { stdio: 'inherit' }).status !== 0)
  fail('The build failed (see above).');
const { buildNativeOrSay, isNativeAtHand, pendingFile } = await import('./build-native.mjs');
const { buildWasm, isWasmAtHand } = await import('./build-wasm.mjs');
await bringEngine();
(await import('tsx/esm/api')).register();
const { HostError } = await import('../test/host/command.ts');
const { openWindow } = await import('../test/host/open.ts');
try {
  await openWindow({ ...options, port, workspace, experiment });
} catch (error) {
  if (!(error instanceof HostError)) throw error;
  console.error(error.message);
  process.exit(1);
}
