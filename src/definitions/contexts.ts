// One layer from several: as each call of the code around it makes it. What all agree on is known, by the call that
// says it; what they do not agree on stays open, with what each gives.
import type { Origin } from './code/evaluation.ts';
import { countParameters } from './counts.ts';
import {
  type CellKind,
  CONVENTION_OF,
  type FoundLayer,
  type FoundRecurrent,
  type Given,
} from './definition.ts';

export interface Variant {
  layer: FoundLayer;
  /** the call that leads there; null for a turn of a loop */
  at: Origin | null;
}

export function merged(base: FoundLayer, variants: readonly Variant[]): FoundLayer {
  const layers = variants.map(({ layer }) => layer);
  const names = new Set([base, ...layers].flatMap(({ options }) => [...options.keys()]));
  const options = new Map(
    [...names].map(name => {
      const own = base.options.get(name) ?? NOTHING;
      return [name, agreed(own, variants, each => each.options.get(name) ?? NOTHING)] as const;
    }),
  );
  const isWhole = layers.every(each => each.isWhole);
  const recurrent = base.recurrent && mergedRecurrent(base, options, variants);
  return { ...base, options, isWhole, recurrent };
}

const NOTHING: Given<number | string | boolean> = { value: null, fallback: null, text: '', range: null };

function mergedRecurrent(
  base: FoundLayer,
  options: FoundLayer['options'],
  variants: readonly Variant[],
): FoundRecurrent {
  const own = base.recurrent!;
  const of = <T>(pick: (recurrent: FoundRecurrent) => Given<T>) =>
    agreed(pick(own), variants, ({ recurrent }) => (recurrent ? pick(recurrent) : pick(own)));
  const ofMaybe = <T>(pick: (recurrent: FoundRecurrent) => Given<T> | null) =>
    pick(own) &&
    agreed(pick(own)!, variants, ({ recurrent }) => (recurrent && pick(recurrent)) ?? pick(own)!);
  const cells = new Set<CellKind | null>(variants.map(({ layer }) => layer.recurrent?.cell ?? null));
  const [cell] = cells;
  const several = new Set(variants.flatMap(({ layer }) => layer.recurrent?.cells ?? []));
  const found: FoundRecurrent = {
    ...own,
    cell: cells.size === 1 ? cell! : null,
    cells: cells.has(null) ? own.cells : [...several],
    units: of(each => each.units),
    inputSize: of(each => each.inputSize),
    layers: of(each => each.layers),
    bidirectional: of(each => each.bidirectional),
    returnSequences: ofMaybe(each => each.returnSequences),
    batchFirst: ofMaybe(each => each.batchFirst),
    variants: distinct(variants),
  };
  if (base.framework === 'torch') countParameters(found, CONVENTION_OF.torch, options);
  return found;
}

/** The ways that differ in a number. */
function distinct(variants: readonly Variant[]): FoundLayer[] {
  const found = new Map<string, FoundLayer>();
  for (const { layer } of variants) {
    const { cell, units, inputSize, layers, bidirectional } = layer.recurrent!;
    const sizes = [units, inputSize, layers, bidirectional].map(given => given.value ?? given.fallback);
    found.set([cell, ...sizes].join(), layer);
  }
  return found.size > 1 ? [...found.values()] : [];
}

function agreed<T>(
  own: Given<T>,
  variants: readonly Variant[],
  pick: (layer: FoundLayer) => Given<T>,
): Given<T> {
  const all = variants.map(({ layer, at }) => ({ at, given: pick(layer) }));
  const [first, ...rest] = all.map(({ given }) => given);
  const { text, range } = own;
  const fallback = own.fallback ?? sameFallback([first!, ...rest]);
  const isOne =
    first &&
    rest.every(each => each.value === first.value && (each.value !== null || isSameOpen(each, first)));
  if (isOne) {
    if (first.value !== null) return { ...first, text, range };
    return {
      ...own,
      ...(first.sizes ? { sizes: first.sizes } : {}),
      ...(first.called && rest.length === 0 ? { called: first.called } : {}),
      fallback,
      from: own.from ?? first.from ?? null,
    };
  }
  const called = all.flatMap(({ at, given }) => {
    const from = given.from?.isCall ? given.from : (at ?? given.from ?? null);
    // a search or branches leave it open inside of one call
    const ends = given.value === null && given.fallback === null ? (given.called ?? []) : [];
    if (ends.length > 0) return ends.map(each => ({ ...each, from }));
    return [{ value: given.value, fallback: given.fallback, from }];
  });
  return { ...own, value: null, fallback: fallback ?? told(all), called };
}

/** Where some calls leave it open: what the others agree on, else those of the program, its tests not among them. */
function told<T>(all: readonly { at: Origin | null; given: Given<T> }[]): T | null {
  const known = all.flatMap(({ at, given }) => {
    const value = given.value ?? given.fallback;
    return value === null ? [] : [{ value, isTest: TEST.test(at?.file ?? '') }];
  });
  if (known.length === all.length) return null;
  const program = known.filter(({ isTest }) => !isTest);
  const [first, ...rest] = program.length > 0 ? program : known;
  return first && rest.every(({ value }) => value === first.value) ? first.value : null;
}

const TEST = /(?:^|[\\/])(?:tests?[\\/]|test_[^\\/]*$|[^\\/]*(?:_test\.py|\.(?:test|spec)\.\w+)$)/;

/** Neither has a default, or both have the same. */
function isSameOpen<T>(a: Given<T>, b: Given<T>): boolean {
  return a.fallback === null || b.fallback === null || a.fallback === b.fallback;
}

function sameFallback<T>([first, ...rest]: Given<T>[]): T | null {
  return first && rest.every(each => each.fallback === first.fallback) ? first.fallback : null;
}
