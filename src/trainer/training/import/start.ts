// A first checkpoint from weights of another program: safetensors of PyTorch or of Unroll, or Keras's `.weights.h5`.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { gruForm } from '../../../experiment/layers/gru.ts';
import { type PlacedLayer, placeLayers } from '../../../experiment/models.ts';
import type { Experiment } from '../../../experiment/schema.ts';
import { BadRunError } from '../../../runs/errors.ts';
import { decodeForeign, type NamedTensor } from '../../../runs/safetensors.ts';
import type { WeightsOrigin } from '../../../runs/weights-origin.ts';
import { DataError } from '../../data/errors.ts';
import { readHdf5 } from '../../data/hdf5.ts';
import type { DataPlace } from '../../data/locate.ts';
import { startEngine } from '../../engine/start.ts';
import { writeWeights } from '../../layers/weights.ts';
import { openTask } from '../../tasks/index.ts';
import { CHECKPOINT } from '../checkpoint.ts';
import { printOf, takenByName } from '../origin-of-weights.ts';
import { InputError } from '../prepare.ts';
import { Trainer } from '../trainer.ts';
import { kerasModules } from './keras.ts';
import { type Matched, matchModules } from './match.ts';
import type { FoundModule } from './module.ts';
import { torchModules } from './torch.ts';

const MOST_BYTES = 4e9;

export interface Beginning {
  /** of the checkpoint of step 0, by name */
  files: ReadonlyMap<string, Uint8Array>;
  report: string[];
  /** for the run folder */
  origin: WeightsOrigin;
}

/** @throws InputError, DataError and BadRunError, each one sentence */
export async function beginWith(file: string, experiment: Experiment, place: DataPlace): Promise<Beginning> {
  const { tensors, modules, form, names, print } = await readWeightsOf(file);
  const { model: layers } = experiment;
  const hasGru = gruForm([...(layers.encoder ?? []), ...layers.layers], layers.convention) !== null;
  if (hasGru && form === null && isOfRun(file))
    throw new InputError(
      `${file} is a checkpoint of a run, which does not tell the form of its GRU; \`unroll export RUN --format safetensors\` writes a file that does.`,
    );
  const task = await openTask(experiment, place);
  await startEngine('auto', null);
  const trainer = new Trainer(experiment, task);
  try {
    const { model } = trainer;
    const shapes = new Map([...model.variables].map(([name, { shape }]) => [name, shape]));
    const isOwn = [...shapes].every(([name, shape]) => String(tensors.get(name)?.shape) === String(shape));
    const name = basename(file);
    let matched: Matched;
    if (isOwn && tensors.size === shapes.size && fitsForm(experiment, form))
      matched = {
        weights: tensors,
        report: [`Every weight of ${name} has the name that it has here.`],
        taken: takenByName(tensors.keys()),
      };
    else {
      const layers = placeLayers(experiment, task.sizes);
      matched = experiment.model.encoder
        ? matchHalves(layers, shapes, modules, name)
        : matchModules(layers, shapes, modules, name);
    }
    writeWeights(model, matched.weights);
    const isSymbols = task.sizes.input.kind === 'tokens';
    return {
      files: trainer.snapshot(0).files,
      report: [
        ...matched.report,
        ...(isSymbols
          ? ['Symbols are taken in the order of the file: task.json of the run tells theirs here.']
          : []),
      ],
      origin: { file, ...print, taken: matched.taken, left: leftOf(names, matched.taken) },
    };
  } finally {
    trainer.dispose();
  }
}

/** Modules are of the half that stands in their name, as a segment such as "encoder" or "decoder_rnn". */
function matchHalves(
  layers: readonly PlacedLayer[],
  shapes: ReadonlyMap<string, readonly number[]>,
  modules: readonly FoundModule[],
  file: string,
): Matched {
  const isOf = (half: string) => new RegExp(`(?:^|[./_])${half}(?:oder)?(?:$|[./_ \\d])`, 'i');
  const [encoder, decoder] = [isOf('enc'), isOf('dec')];
  const stray = modules.find(({ name }) => encoder.test(name) === decoder.test(name));
  if (stray)
    throw new InputError(
      `A model with an encoder begins with weights of other programs where each module's name tells its half ("encoder.rnn", "decoder.out"); "${stray.name}" in ${file} does not.`,
    );
  const isEncoder = (name: string) => name.startsWith('encoder.');
  const half = (ofEncoder: boolean) =>
    matchModules(
      layers.filter(({ name }) => isEncoder(name) === ofEncoder),
      new Map([...shapes].filter(([name]) => isEncoder(name) === ofEncoder)),
      modules.filter(({ name }) => encoder.test(name) === ofEncoder),
      file,
    );
  const [first, second] = [half(true), half(false)];
  return {
    weights: new Map([...first.weights, ...second.weights]),
    report: [...first.report, ...second.report],
    taken: [...first.taken, ...second.taken],
  };
}

interface ReadWeights {
  tensors: Map<string, NamedTensor>;
  modules: FoundModule[];
  /** of the GRUs, as the header says */
  form: unknown;
  /** of all tensors in the file */
  names: readonly string[];
  print: Pick<WeightsOrigin, 'bytes' | 'sha256'>;
}

/** Everything in the file that no layer begins with. */
function leftOf(names: readonly string[], taken: WeightsOrigin['taken']): string[] {
  const used = new Set(taken.flatMap(({ tensors }) => tensors));
  return names.filter(name => !used.has(name));
}

async function readWeightsOf(file: string): Promise<ReadWeights> {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (!stat?.isFile()) throw new DataError(`There is no file ${file}.`);
  if (stat.size > MOST_BYTES) throw new DataError(`${basename(file)} has more than 4 GB, too much to load.`);
  const bytes = readFileSync(file);
  const print = printOf(bytes);
  if (bytes.subarray(1, 4).toString('latin1') === 'HDF') {
    const arrays = await readHdf5(bytes, basename(file));
    const names = [...arrays.keys()];
    return { tensors: new Map(), modules: kerasModules(arrays), form: null, names, print };
  }
  if (!/\.safetensors$/i.test(file))
    throw new InputError(
      `${basename(file)} is neither safetensors nor HDF5 (.weights.h5); a PyTorch state_dict is saved by safetensors.torch.save_file.`,
    );
  try {
    const { tensors, names, metadata } = decodeForeign(bytes);
    return { tensors, modules: torchModules(tensors, metadata), form: metadata['gru'] ?? null, names, print };
  } catch (cause) {
    if (cause instanceof BadRunError) throw new DataError(`${basename(file)}: ${cause.message}`);
    throw cause;
  }
}

function isOfRun(file: string): boolean {
  return basename(file) === CHECKPOINT.weights && existsSync(join(dirname(file), CHECKPOINT.state));
}

/** Names alone do not tell the form of a GRU: without a word of the header the modules are compared, as PyTorch has them. */
function fitsForm({ model }: Experiment, form: unknown): boolean {
  const own = gruForm([...(model.encoder ?? []), ...model.layers], model.convention);
  return own === null || own === form;
}
