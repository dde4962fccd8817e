// The operations of layers beside the recurrent ones: the active provider's own where it has them, else the
// reference's on the same arrays.
import type { SequenceOperations } from './provider.ts';
import { referenceOperations } from './reference/sequence-operations.ts';
import { provider } from './storage.ts';

let made: { of: unknown; operations: SequenceOperations } | null = null;

export function operations(): SequenceOperations {
  const active = provider();
  if (made?.of === active) return made.operations;
  const all: SequenceOperations = { ...referenceOperations };
  for (const name of Object.keys(all) as (keyof SequenceOperations)[])
    if (active[name]) Object.assign(all, { [name]: active[name].bind(active) });
  made = { of: active, operations: all };
  return all;
}
