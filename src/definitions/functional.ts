// The layers of a functional model: all that its outputs were made with, back to its inputs. A script that makes two of
// them has two models, and what belongs to neither, such as an optimizer, stands in none.
import type { Expression } from './code/expression.ts';
import type { Node } from './code/node.ts';
import { innerOf, type KnownCall, type SourceReader } from './found-layers.ts';

export interface FunctionalModel {
  /** of `keras.Model(inputs, outputs)` */
  call: Node;
  /** calls that make its layers */
  layers: ReadonlySet<Node>;
}

/** Of one scope, in the order of the text. */
export function functionalModels(reader: SourceReader, within: Node): FunctionalModel[] {
  const scope = reader.dialect.scopeOf(within.childForFieldName('body') ?? within.namedChildren[0] ?? within);
  const { text } = within;
  return [...text.matchAll(/\b[Mm]odel\s*\(/g)].flatMap(({ index, 0: match }) => {
    const call = reader.callThatEndsIn(within.startIndex + index + match.trimEnd().length - 1);
    const known = call && reader.dialect.scopeOf(call) === scope ? reader.known(call) : null;
    if (!call || !known || !/^model$/i.test(known.maker.name)) return [];
    const { named, positional } = known.expression;
    const outputs = (named.get('outputs') ?? named.get('output'))?.value ?? positional[1];
    if (!outputs) return [];
    const layers = new Set<Node>();
    new Trace(reader, layers).follow(outputs, 0);
    return layers.size > 0 ? [{ call, layers }] : [];
  });
}

class Trace {
  private readonly reader: SourceReader;
  private readonly layers: Set<Node>;
  private readonly seen = new Set<Node>();

  constructor(reader: SourceReader, layers: Set<Node>) {
    this.reader = reader;
    this.layers = layers;
  }

  follow(expression: Expression, depth: number): void {
    if (depth > 60) return;
    for (const each of this.reader.resolver.definitions(expression)) this.one(each, depth);
  }

  private one(expression: Expression, depth: number): void {
    if (this.seen.has(expression.node) && expression.kind === 'call') return;
    switch (expression.kind) {
      case 'list':
        for (const item of expression.items) this.follow(item, depth + 1);
        return;
      case 'index':
        this.follow(expression.object, depth + 1);
        return;
      case 'binary':
        this.follow(expression.left, depth + 1);
        this.follow(expression.right, depth + 1);
        return;
      case 'call':
        this.seen.add(expression.node);
        this.call(expression, depth);
    }
  }

  private call(call: Extract<Expression, { kind: 'call' }>, depth: number): void {
    const own = this.reader.known(call.node);
    // `concatenate([a, b])` of Keras is applied as it is called
    const isFunction = own?.maker.framework === 'keras' && /^[a-z]/.test(own.maker.name);
    if (own && !isFunction) {
      this.layer(own, depth);
      return;
    }
    const { callee } = call;
    const maker = callee.kind === 'member' && callee.name === 'apply' ? callee.object : callee;
    if (maker.kind !== 'member' || !this.isModule(maker)) this.follow(maker, depth + 1);
    for (const given of [...call.positional, ...[...call.named.values()].map(({ value }) => value)])
      this.follow(given, depth + 1);
  }

  /** `tf.concat`, `K.concatenate`: nothing that was made here. */
  private isModule(maker: Extract<Expression, { kind: 'member' }>): boolean {
    return this.reader.resolver.definitions(maker).every(each => each === maker || each.kind === 'member');
  }

  private layer(known: KnownCall, depth: number): void {
    this.layers.add(known.expression.node);
    if (known.maker.role !== 'wrapper' && known.maker.role !== 'model') return;
    const { positional, named } = known.expression;
    const inner = innerOf(known) ?? named.get('layers')?.value ?? positional[0];
    if (inner) this.follow(inner, depth + 1);
    const backward = named.get('backward_layer') ?? named.get('backwardLayer');
    if (backward) this.follow(backward.value, depth + 1);
  }
}
