// Moves the typed arrays of a message into one buffer. VS Code counts the buffers of a message in a single byte: of nine
// runs, whose curves are 350 arrays, the page got the first three without a word.

/** A copy whose typed arrays are views of one buffer, each aligned to 8 bytes; the rest is as it was. */
export function onOneBuffer<T>(message: T): T {
  const arrays: ArrayBufferView[] = [];
  collect(message, arrays);
  if (arrays.length < 2) return message;
  const places = new Map<ArrayBufferView, number>();
  let end = 0;
  for (const array of arrays) {
    if (places.has(array)) continue;
    places.set(array, end);
    end += Math.ceil(array.byteLength / 8) * 8;
  }
  return moved(message, places, new ArrayBuffer(end)) as T;
}

function collect(value: unknown, found: ArrayBufferView[]): void {
  if (typeof value !== 'object' || value === null) return;
  if (ArrayBuffer.isView(value)) found.push(value);
  else for (const part of Object.values(value)) collect(part, found);
}

function moved(value: unknown, places: ReadonlyMap<ArrayBufferView, number>, buffer: ArrayBuffer): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(part => moved(part, places, buffer));
  if (!ArrayBuffer.isView(value))
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, moved(part, places, buffer)]));
  const at = places.get(value)!;
  new Uint8Array(buffer, at, value.byteLength).set(
    new Uint8Array(value.buffer, value.byteOffset, value.byteLength),
  );
  const Same = value.constructor as Float64ArrayConstructor;
  return new Same(buffer, at, value.byteLength / Same.BYTES_PER_ELEMENT);
}
