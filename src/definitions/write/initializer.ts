// How Keras and TensorFlow.js name what recurrent weights begin as.
import type { LayerInput } from '../to-experiment.ts';

/** Keras's own name; none where the framework's default is meant, or what it has no name for. */
export function initializerName({
  recurrentInit,
}: Extract<LayerInput, { type: 'rnn' | 'gru' | 'lstm' }>): string[] {
  if (!recurrentInit || recurrentInit === 'default' || recurrentInit === 'uniform') return [];
  return [recurrentInit.replaceAll('-', '_')];
}

export function camelCase(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}
