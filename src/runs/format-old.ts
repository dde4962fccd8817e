// What folders of version 0.1.0 lack or name in another way, brought into today's form before it is checked.

/** Version 0.1.0 names a recurrent level by its cell alone. */
export function levelOfOld(value: unknown): unknown {
  const { cell, ...rest } = (value ?? {}) as Record<string, unknown>;
  if (typeof cell !== 'string' || 'family' in rest) return value;
  const keeps = { lstm: 'f', gru: 'z' }[cell];
  return { ...rest, family: 'recurrent', title: cell.toUpperCase(), ...(keeps && { keeps }) };
}

/** Version 0.1.0 has these series alone, and does not say how they are drawn. */
const VIEWS: Readonly<Record<string, string>> = {
  'gradient-flow': 'time-map',
  'gradient-flow-full': 'time-map',
  gates: 'gates',
  saturation: 'gates',
  'dead-units': 'shares',
};

export function viewOfOld(value: unknown): unknown {
  const sidecar = (value ?? {}) as Record<string, unknown>;
  if ('view' in sidecar || typeof sidecar['name'] !== 'string') return value;
  return { ...sidecar, view: VIEWS[sidecar['name']] ?? '' };
}

/** Version 0.1.0 names a series by the task it had. */
export const OLD_SAMPLE_TYPES: readonly string[] = ['forecast'];

export function sampleOfOld(value: unknown): unknown {
  const { type } = (value ?? {}) as Record<string, unknown>;
  return OLD_SAMPLE_TYPES.includes(String(type)) ? { ...(value as object), type: 'series' } : value;
}
