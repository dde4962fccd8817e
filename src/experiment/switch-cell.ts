// One cell in another's place, with the fields that both have.
import { kindOf, type Layer, type LayerType } from './layers/index.ts';

/** Fields of one name that mean different things in different kinds. */
const OWN = new Set(['type', 'activation']);
/** Where the width is not known before the data are read. */
const UNITS = 64;

/** `width`: units for a kind that has them where the layer has none; its input's, so that the width stays. */
export function switchCell(layer: Layer, type: LayerType, width: number): Layer {
  if (layer.type === type) return layer;
  const { schema } = kindOf({ type });
  const known = schema.shape;
  const shared = Object.entries(layer).filter(([key]) => Object.hasOwn(known, key) && !OWN.has(key));
  const units = Number.isNaN(width) ? UNITS : width;
  const sized = Object.hasOwn(known, 'units') ? { units } : {};
  return schema.parse({ ...sized, ...Object.fromEntries(shared), type }) as Layer;
}
