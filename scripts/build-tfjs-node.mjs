// Builds the optional TensorFlow engine: the binding of @tensorflow/tfjs-node against the TensorFlow inside a Python
// wheel, for machines that reach npm and PyPI but not the site tfjs-node downloads its library from. Linux only.
// Nothing of the repository's node_modules is touched; see docs/tfjs-node.md.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';

const TENSORFLOW = '2.21.0';
const TFJS_NODE = '4.22.0';

const usage = `node scripts/build-tfjs-node.mjs [--into FOLDER] [--venv FOLDER] [--python COMMAND]
  --into FOLDER     where the engine goes (default ${defaultFolder()}); about 1.3 GB
  --venv FOLDER     a virtual environment with tensorflow or tensorflow-cpu ${TENSORFLOW} in it; without one, one is
                    made in FOLDER for the time of the build
  --python COMMAND  the Python that makes the environment (default python3)`;

const { values: options } = parseArgs({
  options: {
    into: { type: 'string', default: defaultFolder() },
    venv: { type: 'string' },
    python: { type: 'string', default: 'python3' },
    help: { type: 'boolean', default: false },
  },
});
if (options.help) {
  console.log(usage);
  process.exit(0);
}
if (process.platform !== 'linux')
  stop('This build is for Linux; elsewhere: npm install @tensorflow/tfjs-node');

const folder = path.resolve(options.into);
const module = path.join(folder, 'node_modules', '@tensorflow', 'tfjs-node');
mkdirSync(folder, { recursive: true });
const ownVenv = path.join(folder, '.venv');
const tensorflow = findTensorflow(options.venv ? path.resolve(options.venv) : makeVenv());
installPackage();
layOutDependencies(tensorflow, path.join(module, 'deps'));
run('npm', ['run', '--silent', 'build-addon-from-source'], module, 'The binding could not be compiled');
if (!options.venv) rmSync(ownVenv, { recursive: true, force: true });
tryOut();
console.log(
  `\nDone. Tell Unroll where it is: the setting unroll.tensorflow.path, or\n  export UNROLL_TFJS_NODE=${folder}`,
);

function defaultFolder() {
  const cache = process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache');
  return path.join(cache, 'unroll', 'tfjs-node');
}

/** Only TensorFlow itself: none of what it needs in Python is needed here. */
function makeVenv() {
  const pip = path.join(ownVenv, 'bin', 'pip');
  if (!existsSync(pip))
    run(options.python, ['-m', 'venv', ownVenv], folder, 'No virtual environment could be made');
  const wheel = process.arch === 'x64' ? 'tensorflow-cpu' : 'tensorflow';
  const flags = ['--no-deps', '--only-binary=:all:', '--disable-pip-version-check'];
  run(
    pip,
    ['install', ...flags, `${wheel}==${TENSORFLOW}`],
    folder,
    `${wheel} ${TENSORFLOW} could not be had from PyPI`,
  );
  return ownVenv;
}

/** The folder of the Python package. */
function findTensorflow(venv) {
  const lib = path.join(venv, 'lib');
  const versions = existsSync(lib) ? readdirSync(lib) : [];
  const places = versions.map(python => path.join(lib, python, 'site-packages'));
  const place = places.find(site => existsSync(path.join(site, 'tensorflow', 'libtensorflow_cc.so.2')));
  if (!place) stop(`There is no TensorFlow in ${venv}; install tensorflow-cpu==${TENSORFLOW} there.`);
  const [, version] =
    readdirSync(place)
      .join('\n')
      .match(/^tensorflow(?:_cpu)?-([\d.]+)\.dist-info$/m) ?? [];
  if (version !== TENSORFLOW)
    console.warn(`Warning: ${venv} has TensorFlow ${version}; this was tried with ${TENSORFLOW}.`);
  return path.join(place, 'tensorflow');
}

function installPackage() {
  if (!existsSync(path.join(folder, 'package.json')))
    writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund'];
  const spec = `@tensorflow/tfjs-node@${TFJS_NODE}`;
  run('npm', ['install', spec, ...flags], folder, `${spec} could not be had from npm`);
}

/** Headers and libraries under the names that the binding and its installer look for. */
function layOutDependencies(wheel, deps) {
  rmSync(deps, { recursive: true, force: true });
  const lib = path.join(deps, 'lib');
  mkdirSync(lib, { recursive: true });
  cpSync(path.join(wheel, 'include'), path.join(deps, 'include'), { recursive: true });
  for (const name of ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'])
    linkOrCopy(path.join(wheel, name), path.join(lib, name));
  // without the last name tfjs-node's own installer takes the folder for an old one and empties it
  for (const name of ['libtensorflow.so', 'libtensorflow.so.2', 'libtensorflow.so.2.9.1'])
    symlinkSync('libtensorflow_cc.so.2', path.join(lib, name));
  symlinkSync('libtensorflow_framework.so.2', path.join(lib, 'libtensorflow_framework.so'));
}

function linkOrCopy(from, to) {
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to); // another file system
  }
}

/** In a process of its own, as Unroll loads it: with what newer versions of Node have taken out of util. */
function tryOut() {
  const program = `
    const util = require('node:util');
    util.isNullOrUndefined ??= value => value === null || value === undefined;
    util.isArray ??= Array.isArray;
    const tf = require(${JSON.stringify(module)});
    const [four] = tf.matMul([[2]], [[2]]).dataSync();
    if (four !== 4) throw new Error('2 · 2 is ' + four);
    console.log('TensorFlow ' + tf.backend().binding.TF_Version + ' multiplies.');`;
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' };
  run(process.execPath, ['-e', program], folder, 'The binding was built, but it does not work', env);
}

function run(command, args, cwd, failure, env = process.env) {
  console.log(`> ${command === process.execPath ? 'node -e …' : [command, ...args].join(' ')}`);
  const { status, error } = spawnSync(command, args, { cwd, env, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) stop(`${failure}${error ? `: ${error.message}` : ` (see above).`}`);
}

function stop(message) {
  console.error(message);
  process.exit(1);
}
