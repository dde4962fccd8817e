// A first checkpoint from weights of another program: safetensors of PyTorch or of Unroll, or Keras's `.weights.h5`.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { gruForm } from '../../../experiment/layers/gru.ts';
import { placeLayers } from '../../../experiment/models.ts';
import type { Experiment } from '../../../experiment/schema.ts';
import { BadRunError } from '../../../runs/errors.ts';
import { decodeForeign, type NamedTensor } from '../../../runs/safetensors.ts';
import { DataError } from '../../data/errors.ts';
import { readHdf5 } from '../../data/hdf5.ts';
import type { DataPlace } from '../../data/locate.ts';
import { startEngine } from '../../engine/start.ts';
import { writeWeights } from '../../layers/weights.ts';
import { openTask } from '../../tasks/index.ts';
import { CHECKPOINT } from '../checkpoint.ts';
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
}

/** @throws InputError, DataError and BadRunError, each one sentence */
export async function beginWith(file: string, experiment: Experiment, place: DataPlace): Promise<Beginning> {
  const { tensors, modules, form } = await readWeightsOf(file);
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
      matched = { weights: tensors, report: [`Every weight of ${name} has the name that it has here.`] };
    else {
      if (experiment.model.encoder)
        throw new InputError(
          'A model with an encoder begins only with weights that Unroll wrote: names of other programs do not tell which half a module is of.',
        );
      matched = matchModules(placeLayers(experiment, task.sizes), shapes, modules, name);
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
    };
  } finally {
    trainer.dispose();
  }
}

interface ReadWeights {
  tensors: Map<string, NamedTensor>;
  modules: FoundModule[];
  /** of the GRUs, as the header says */
  form: unknown;
}

async function readWeightsOf(file: string): Promise<ReadWeights> {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (!stat?.isFile()) throw new DataError(`There is no file ${file}.`);
  if (stat.size > MOST_BYTES) throw new DataError(`${basename(file)} has more than 4 GB, too much to load.`);
  const bytes = readFileSync(file);
  if (bytes.subarray(1, 4).toString('latin1') === 'HDF')
    return { tensors: new Map(), modules: kerasModules(await readHdf5(bytes, basename(file))), form: null };
  if (!/\.safetensors$/i.test(file))
    throw new InputError(
      `${basename(file)} is neither safetensors nor HDF5 (.weights.h5); a PyTorch state_dict is saved by safetensors.torch.save_file.`,
    );
  try {
    const { tensors, metadata } = decodeForeign(bytes);
    return { tensors, modules: torchModules(tensors, metadata), form: metadata['gru'] ?? null };
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
