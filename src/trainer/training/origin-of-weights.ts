// What the record of a run's first weights says of a file: by what it is known again, and what was taken by name.
import { createHash } from 'node:crypto';
import type { WeightsOrigin } from '../../runs/weights-origin.ts';

/** Of the whole file. */
export function printOf(bytes: Uint8Array): Pick<WeightsOrigin, 'bytes' | 'sha256'> {
  return { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** Each weight from the tensor of its own name. */
export function takenByName(names: Iterable<string>): WeightsOrigin['taken'] {
  return Array.from(names, name => ({ to: name, from: name, tensors: [name] }));
}
