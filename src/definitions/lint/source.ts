// What every rule reads: the text, its tree, the layers found in it, and the calls that make them.
import { TextPlaces, type TextRange } from '../../experiment/place.ts';
import { type Expression, rangeOf } from '../code/expression.ts';
import type { Language, Node, Tree } from '../code/syntax.ts';
import type { Definitions, FoundLayer, FoundModel, Framework } from '../definition.ts';
import { dialectOf } from '../dialects.ts';
import { type CallExpression, type KnownCall, SourceReader } from '../found-layers.ts';
import { Shapes } from '../shapes.ts';

export interface LayerCall {
  layer: FoundLayer;
  call: CallExpression;
}

export class LintSource {
  readonly text: string;
  readonly root: Node;
  readonly definitions: Definitions;
  readonly isPython: boolean;
  readonly reader: SourceReader;
  /** recurrent layers whose call has no syntax error, which would make arguments of what is none */
  readonly layers: readonly LayerCall[];
  private readonly byStart = new Map<number, LayerCall>();
  private places: TextPlaces | null = null;
  private readonly found = new Map<string, readonly RegExpMatchArray[]>();
  private readonly shapes = new Map<FoundModel, Shapes>();
  private bare: string | null = null;

  constructor(tree: Tree, definitions: Definitions, text: string, language: Language) {
    this.text = text;
    this.definitions = definitions;
    this.isPython = language === 'python';
    this.reader = new SourceReader(text, tree, language, dialectOf(language));
    this.root = this.reader.root;
    this.layers = definitions.layers.flatMap(layer => this.callOf(layer) ?? []);
    for (const each of this.layers) this.byStart.set(each.call.node.startIndex, each);
  }

  of(framework: Framework): LayerCall[] {
    return this.layers.filter(({ layer }) => layer.framework === framework);
  }

  /** The recurrent layer that a call makes. */
  layerAt(node: Node): LayerCall | null {
    const found = this.byStart.get(node.startIndex);
    return found?.call.node.endIndex === node.endIndex ? found : null;
  }

  expression(node: Node): Expression {
    return this.reader.dialect.expression(node);
  }

  /** What passes between the layers of the model that a layer stands in; null where it stands in none. */
  shapesAround({ callRange }: FoundLayer): Shapes | null {
    const model = this.definitions.models.find(({ layers }) =>
      layers.some(each => each.callRange.offset === callRange.offset),
    );
    if (!model) return null;
    let shapes = this.shapes.get(model);
    if (!shapes) {
      shapes = new Shapes(this.reader, model.layers, 'known');
      this.shapes.set(model, shapes);
    }
    return shapes;
  }

  /** The one known call that an expression surely stands for. */
  knownCall(expression: Expression): KnownCall | null {
    const [only, ...more] = this.reader.resolver.definitions(expression);
    return only?.kind === 'call' && more.length === 0 ? this.reader.known(only.node) : null;
  }

  /** Where a global pattern stands in the text; searched for once. */
  matches(pattern: RegExp): readonly RegExpMatchArray[] {
    let found = this.found.get(`${pattern}`);
    if (!found) {
      found = [...this.text.matchAll(pattern)];
      this.found.set(`${pattern}`, found);
    }
    return found;
  }

  /** Python's text with blanks for comments, so that offsets stay. */
  get withoutComments(): string {
    this.bare ??= this.text.replace(/#[^\r\n]*/g, comment => ' '.repeat(comment.length));
    return this.bare;
  }

  /** Where in the text a pattern stands, as the nearest nodes of these types around it: no walk through the tree. */
  around(pattern: RegExp, types: readonly string[]): Node[] {
    const found = new Map<number, Node>();
    for (const { index } of this.text.matchAll(pattern)) {
      let node: Node | null = this.root.descendantForIndex(index, index + 1);
      while (node && !types.includes(node.type)) node = node.parent;
      if (node && !node.hasError) found.set(node.id, node);
    }
    return [...found.values()];
  }

  range(start: number, end: number): TextRange {
    this.places ??= new TextPlaces(this.text);
    return this.places.range(start, end - start);
  }

  private callOf(layer: FoundLayer): LayerCall | null {
    const { offset, length } = layer.callRange;
    let node = this.root.descendantForIndex(offset, offset + length);
    while (node && !this.reader.dialect.calls.includes(node.type)) node = node.parent;
    if (!node || node.startIndex !== offset || node.hasError) return null;
    const call = this.expression(node);
    return call.kind === 'call' ? { layer, call } : null;
  }
}

/** How the text names a layer's kind. */
export function nameOf({ name, recurrent }: FoundLayer): string {
  return name === '*' ? (recurrent?.cell ?? 'layer') : name;
}

export { rangeOf };
