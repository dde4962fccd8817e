// The operations of layers beside the recurrent ones: the active provider's own where it has them, else the
// reference's on the same arrays, and convolutions made of the provider's products.
import type { SequenceOperations } from './provider.ts';
import { convolutionsOf } from './reference/convolution.ts';
import { referenceOperations } from './reference/sequence-operations.ts';
import { provider } from './storage.ts';

let made: { of: unknown; operations: SequenceOperations } | null = null;

export function operations(): SequenceOperations {
  const active = provider();
  if (made?.of === active) return made.operations;
  const { gemm, columnSums } = active;
  const convolutions = convolutionsOf({
    gemm: call => gemm.call(active, call),
    columnSums: (...call) => columnSums.call(active, ...call),
  });
  const all: SequenceOperations = { ...referenceOperations, ...convolutions };
  for (const name of Object.keys(all) as (keyof SequenceOperations)[])
    if (active[name]) Object.assign(all, { [name]: active[name].bind(active) });
  made = { of: active, operations: all };
  return all;
}
