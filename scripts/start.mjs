// npm start: installs, builds, and opens a VS Code with the extension loaded. See `usage` below.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
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
ensureInstalled();
if (spawnSync(process.execPath, ['esbuild.js'], { stdio: 'inherit' }).status !== 0)
  fail('The build failed (see above).');
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
