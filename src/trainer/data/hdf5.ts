// HDF5 files as arrays by path, through NIST's h5wasm: the file stands in memory, so that no link in it reaches a disk.
import type { NamedTensor } from '../../runs/safetensors.ts';
import { DataError } from './errors.ts';

const FILE = 'weights.h5';
/** Arrays of a file; a model has a few for each layer. */
const MOST_ARRAYS = 100_000;

export interface Hdf5Array {
  shape: readonly number[];
  data: Float32Array;
}

/** @param arrays by path, such as "layers/dense/vars/0" */
export async function writeHdf5(arrays: ReadonlyMap<string, Hdf5Array>): Promise<Uint8Array> {
  const { default: h5, FS } = await loaded();
  const file = new h5.File(FILE, 'w');
  try {
    const groups = new Set<string>();
    for (const [path, { shape, data }] of arrays) {
      const parts = path.split('/');
      for (let depth = 1; depth < parts.length; depth++) {
        const group = parts.slice(0, depth).join('/');
        if (!groups.has(group)) file.create_group(group);
        groups.add(group);
      }
      file.create_dataset({ name: path, data, shape: [...shape] });
    }
    file.flush();
  } finally {
    file.close();
  }
  const bytes = FS.readFile(FILE);
  FS.unlink(FILE);
  return bytes;
}

/** Every array of numbers by path, as 32-bit floats. @throws DataError for what is no HDF5 */
export async function readHdf5(bytes: Uint8Array, name: string): Promise<Map<string, NamedTensor>> {
  const { default: h5, FS } = await loaded();
  FS.writeFile(FILE, bytes);
  try {
    const file = new h5.File(FILE, 'r');
    try {
      const arrays = new Map<string, NamedTensor>();
      const look = (group: InstanceType<typeof h5.Group>, path: string, depth: number): void => {
        if (depth > 20 || arrays.size > MOST_ARRAYS)
          throw new DataError(`${name} nests too deep, or holds too many arrays, for weights.`);
        for (const key of group.keys()) {
          const entity = group.get(key);
          const own = path === '' ? key : `${path}/${key}`;
          if (entity instanceof h5.Group) look(entity, own, depth + 1);
          else if (entity instanceof h5.Dataset) {
            const { value, shape } = entity;
            if (ArrayBuffer.isView(value) && shape && !(value instanceof DataView))
              arrays.set(own, { shape, data: Float32Array.from(value as ArrayLike<number>, Number) });
          }
        }
      };
      look(file, '', 0);
      return arrays;
    } finally {
      file.close();
    }
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw new DataError(`${name} cannot be read as HDF5: it is damaged, or another sort of file.`);
  } finally {
    FS.unlink(FILE);
  }
}

/** Loaded when such a file is asked for: it takes 4 MB. */
async function loaded() {
  const module = await import('h5wasm');
  const library = await module.ready;
  // else it writes its stack of errors to stderr and goes on
  library.activate_throwing_error_handler();
  return { default: module.default, FS: module.FS! };
}
