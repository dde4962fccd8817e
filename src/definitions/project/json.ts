// Configuration files in JSON as records of settings, with the place of each.
import { type Node as JsonNode, parseTree } from 'jsonc-parser';
import type { Constant, Expression } from '../code/expression.ts';
import { Source } from '../code/node.ts';

/** What several files have in common: keys of any, values that all of those with the key agree on, else their range. */
export function mergedSettings(all: readonly Expression[]): Expression {
  const [first, ...rest] = all as [Expression, ...Expression[]];
  const { node } = first;
  if (rest.length === 0) return first;
  if (all.every(each => each.kind === 'record')) {
    const keys = new Set(all.flatMap(each => [...each.entries.keys()]));
    const entries = new Map(
      [...keys].map(key => [key, mergedSettings(all.flatMap(each => each.entries.get(key) ?? []))]),
    );
    return { kind: 'record', entries, spreads: [], isWhole: true, node };
  }
  if (all.every(each => each.kind === 'list')) {
    const { length } = first.kind === 'list' ? first.items : [];
    if (all.every(each => each.items.length === length)) {
      const items = Array.from({ length }, (_, at) => mergedSettings(all.map(each => each.items[at]!)));
      return { kind: 'list', items, node };
    }
    return { kind: 'other', node };
  }
  if (!all.every(each => each.kind === 'setting')) return { kind: 'other', node };
  const values = all.map(({ value }) => value);
  if (values.every(value => value === values[0])) return first;
  return values.every(value => typeof value === 'number')
    ? { kind: 'setting', value: null, range: [Math.min(...values), Math.max(...values)], node }
    : { kind: 'other', node };
}

/** null: it is no JSON */
export function jsonSettings(text: string, file: string): Expression | null {
  const tree = parseTree(text);
  return tree ? expressionOf(tree, new Source(null, text, file)) : null;
}

function expressionOf(json: JsonNode, source: Source): Expression {
  const node = source.stretch(json.offset, json.offset + json.length);
  const children = json.children ?? [];
  if (json.type === 'object') {
    const entries = new Map(
      children.flatMap(({ children: pair }): [string, Expression][] => {
        const [key, value] = pair ?? [];
        return key && value ? [[String(key.value), expressionOf(value, source)]] : [];
      }),
    );
    return { kind: 'record', entries, spreads: [], isWhole: true, node };
  }
  if (json.type === 'array')
    return { kind: 'list', items: children.map(each => expressionOf(each, source)), node };
  return { kind: 'setting', value: json.value as Constant, node };
}
