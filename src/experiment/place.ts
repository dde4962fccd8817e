// Places in the text of an experiment: from a path such as ["model", "layers", 0, "units"] to line and
// column, and back to words.
import { findNodeAtLocation, type Node } from 'jsonc-parser';

export type Path = (string | number)[];

/** Line and column count from 1, columns in UTF-16 units as editors do. */
export interface TextRange {
  offset: number;
  length: number;
  line: number;
  column: number;
  endLine: number;
  endColumn: number;
}

export class TextPlaces {
  readonly #lineStarts: number[] = [0];
  readonly #length: number;

  constructor(text: string) {
    this.#length = text.length;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code === 13 && text.charCodeAt(i + 1) === 10) continue;
      if (code === 10 || code === 13) this.#lineStarts.push(i + 1);
    }
  }

  range(offset: number, length: number): TextRange {
    const start = Math.min(Math.max(0, offset), this.#length);
    const end = Math.min(this.#length, start + Math.max(0, length));
    const [line, column] = this.#position(start);
    const [endLine, endColumn] = this.#position(end);
    return { offset: start, length: end - start, line, column, endLine, endColumn };
  }

  #position(offset: number): [line: number, column: number] {
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#lineStarts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return [low + 1, offset - this.#lineStarts[low]! + 1];
  }
}

/** The value at `path`, else the nearest value around it. */
export function enclosing(root: Node, path: readonly (string | number)[]): Node {
  for (let end = path.length; end > 0; end--) {
    const node = findNodeAtLocation(root, path.slice(0, end));
    if (node) return node;
  }
  return root;
}

/** The value at `path`, else the key of the nearest thing around it that is there. */
export function nearestNode(root: Node, path: readonly (string | number)[]): Node {
  const exact = findNodeAtLocation(root, [...path]);
  if (exact) return exact;
  for (let end = path.length - 1; end > 0; end--) {
    const around = findNodeAtLocation(root, path.slice(0, end));
    if (around) return keyOf(around) ?? firstCharacter(around);
  }
  return firstCharacter(root);
}

/** The key that a value stands under, for faults of the key rather than the value. */
export function keyOf(node: Node): Node | null {
  return node.parent?.type === 'property' ? (node.parent.children?.[0] ?? null) : null;
}

function firstCharacter(node: Node): Node {
  return { type: node.type, offset: node.offset, length: Math.min(1, node.length) };
}

/** ["model", "layers", 0, "units"] → "model.layers[0].units". */
export function dotted(path: readonly (string | number)[]): string {
  let text = '';
  for (const key of path) text += typeof key === 'number' ? `[${key}]` : text ? `.${key}` : key;
  return text;
}

/** The last key with the indices that follow it: what a sentence calls the place. */
export function shortName(path: readonly (string | number)[]): string {
  const last = path.findLastIndex(key => typeof key === 'string');
  return last < 0 ? 'the experiment' : `\`${dotted(path.slice(last))}\``;
}

/** "model.layers.1.units" or "model.layers[1].units" → its path. */
export function parseDotted(text: string): Path {
  return text
    .replace(/\[(\d+)\]/g, '.$1')
    .split('.')
    .filter(part => part !== '')
    .map(part => (/^\d{1,9}$/.test(part) ? Number(part) : part));
}
