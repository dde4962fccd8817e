// While code is edited a line may make no sense: each definition in it that cannot be read is then kept as it last was,
// at the place that the edit moved it to, and marked, so that nobody takes it for what stands there.
import { TextPlaces, type TextRange } from '../experiment/place.ts';
import { editBetween } from './code/syntax.ts';
import type { Definitions, FoundModel } from './definition.ts';

/** What a text without an error of syntax defined. */
export interface Readable {
  text: string;
  definitions: Definitions;
}

/** `found` in `text`, which has an error of syntax, beside what `before` had. */
export function keepUnreadable(before: Readable, found: Definitions, text: string): Definitions {
  const sound = new Map(found.models.flatMap(model => (model.isBroken ? [] : [[model.name, model]])));
  const moved = moveTo(before.text, text);
  const kept = before.definitions.models.flatMap(model =>
    sound.has(model.name) ? [] : [asItWas(model, moved)],
  );
  const models = [...sound.values(), ...kept].sort((a, b) => a.range.offset - b.range.offset);
  return {
    models,
    layers: models.flatMap(({ layers }) => layers.filter(({ recurrent }) => recurrent)),
    others: found.others,
    hasErrors: true,
  };
}

function asItWas(model: FoundModel, moved: (range: TextRange) => TextRange): FoundModel {
  return {
    ...model,
    isKept: true,
    range: moved(model.range),
    layers: model.layers.map(layer => ({
      ...layer,
      range: moved(layer.range),
      callRange: moved(layer.callRange),
    })),
  };
}

/** Where a stretch of one text stands in another that differs from it in one place. */
function moveTo(before: string, after: string): (range: TextRange) => TextRange {
  const { startIndex, oldEndIndex, newEndIndex } = editBetween(before, after);
  const places = new TextPlaces(after);
  const move = (offset: number) => {
    if (offset <= startIndex) return offset;
    return offset < oldEndIndex ? newEndIndex : offset + newEndIndex - oldEndIndex;
  };
  return ({ offset, length }) => places.range(move(offset), move(offset + length) - move(offset));
}
