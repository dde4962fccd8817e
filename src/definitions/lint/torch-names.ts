// Under which names a file has PyTorch at hand.
import type { LintSource } from './source.ts';

/** `import torch`, also with others and of a part of it; not under another name */
const TORCH = /^[ \t]*import\s+(?:[\w.]+(?:\s+as\s+\w+)?\s*,\s*)*torch(?:\.\w+)*[ \t]*(?:[,;#\r\n]|$)/m;
const NN =
  /^[ \t]*(?:import\s+torch\.nn\s+as\s+(\w+)|from\s+torch\s+import\s+(?:[^#\n]*,\s*)?nn(?:\s+as\s+(\w+))?\s*(?:[,#\r\n]|$))/m;

export function hasTorch({ text }: LintSource): boolean {
  return TORCH.test(text);
}

/** What `torch.nn` is called here; null where it has no name. */
export function nnName(source: LintSource): string | null {
  const found = NN.exec(source.text);
  if (found) return found[1] ?? found[2] ?? 'nn';
  return hasTorch(source) ? 'torch.nn' : null;
}
