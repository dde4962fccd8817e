// Configuration files in JSON as records of settings, with the place of each.
import { type Node as JsonNode, parseTree } from 'jsonc-parser';
import type { Constant, Expression } from '../code/expression.ts';
import { Source } from '../code/node.ts';

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
