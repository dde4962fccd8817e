// One cell in another's place, with the fields that both have.
import { kindOf, LAYER_KINDS, type Layer, type LayerType } from './layers/index.ts';

/** Fields of one name that mean different things in different kinds. */
const OWN = new Set(['type', 'activation']);

export function switchCell(layer: Layer, type: LayerType): Layer {
  if (layer.type === type) return layer;
  const known = kindOf({ type }).schema.shape;
  const shared = Object.entries(layer).filter(([key]) => Object.hasOwn(known, key) && !OWN.has(key));
  const fields = { ...Object.fromEntries(shared), type };
  // a cell without units has given way to one with them: as many as the width that stood there
  const whole = Object.hasOwn(known, 'units') && !('units' in fields) ? { ...fields, units: 64 } : fields;
  return LAYER_KINDS[type].schema.parse(whole) as Layer;
}
