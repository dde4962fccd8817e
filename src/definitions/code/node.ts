// Syntax nodes as plain objects, copied from tree-sitter's tree one body at a time. A step to a parent or child of
// tree-sitter's own nodes is a call into WebAssembly that starts at the root: in long files that took nearly all the time.
import type { Tree, TreeCursor, Node as TreeNode } from '@vscode/tree-sitter-wasm';

const STATEMENTS_IN_ONE_STEP = 64;

/** Statement lists, which are copied when somebody looks into them. */
const BODIES = new Set(['block', 'statement_block', 'class_body']);

/** one row of numbers for all texts, so that nodes of several files stand in one table */
let ids = 0;

interface Point {
  row: number;
  column: number;
}

type Copied = Pick<Cursor, 'nodeType' | 'field' | 'isNamed' | 'startIndex' | 'endIndex'>;

/** of all that have none */
const NONE: Node[] = [];

export class Node {
  readonly source: Source;
  readonly id: number;
  readonly type: string;
  readonly field: string | null;
  readonly isNamed: boolean;
  readonly startIndex: number;
  readonly endIndex: number;
  readonly parent: Node | null;
  /** place among the parent's children */
  readonly index: number;
  hasError = false;
  /** its dialect's Expression, for all who ask again */
  read: object | null = null;
  /** the Scopes that it stands in, and that it is */
  scope: object | null = null;
  ownScope: object | null = null;
  private made: Node[] | null = null;
  private named: Node[] | null = null;
  private pending: TreeNode | null = null;

  constructor(source: Source, parent: Node | null, index: number, cursor: Copied) {
    this.source = source;
    this.id = ids++;
    this.parent = parent;
    this.index = index;
    this.type = cursor.nodeType;
    this.field = cursor.field;
    this.isNamed = cursor.isNamed;
    this.startIndex = cursor.startIndex;
    this.endIndex = cursor.endIndex;
  }

  get children(): Node[] {
    if (!this.made) {
      const { pending } = this;
      this.pending = null;
      this.made = [];
      if (pending) this.source.fill(this, pending);
    }
    return this.made;
  }

  get namedChildren(): Node[] {
    this.named ??= this.children.filter(({ isNamed }) => isNamed);
    return this.named;
  }

  get text(): string {
    return this.source.text.slice(this.startIndex, this.endIndex);
  }

  get isError(): boolean {
    return this.type === 'ERROR';
  }

  get nextSibling(): Node | null {
    return this.parent?.children[this.index + 1] ?? null;
  }

  get nextNamedSibling(): Node | null {
    return this.parent?.children.slice(this.index + 1).find(({ isNamed }) => isNamed) ?? null;
  }

  get startPosition(): Point {
    return this.source.position(this.startIndex);
  }

  get endPosition(): Point {
    return this.source.position(this.endIndex);
  }

  child(index: number): Node | null {
    return this.children[index] ?? null;
  }

  namedChild(index: number): Node | null {
    return this.namedChildren[index] ?? null;
  }

  childForFieldName(name: string): Node | null {
    for (const child of this.children) if (child.field === name) return child;
    return null;
  }

  childrenForFieldName(name: string): Node[] {
    return this.children.filter(({ field }) => field === name);
  }

  equals(other: Node): boolean {
    return this === other;
  }

  /** Itself included, in the order of the text. */
  descendantsOfType(types: readonly string[]): Node[] {
    const wanted = new Set(types);
    const found: Node[] = [];
    const visit = (node: Node) => {
      if (wanted.has(node.type)) found.push(node);
      for (const child of node.children) visit(child);
    };
    visit(this);
    return found;
  }

  /** The smallest node that holds all from `start` to `end`. */
  descendantForIndex(start: number, end: number = start): Node | null {
    if (start < this.startIndex || end > this.endIndex) return null;
    let here: Node = this;
    for (;;) {
      const inner = here.childAround(start, end);
      if (!inner) return here;
      here = inner;
    }
  }

  private childAround(start: number, end: number): Node | null {
    const { children } = this;
    let low = 0;
    let high = children.length;
    // the first that ends behind the start
    while (low < high) {
      const middle = (low + high) >> 1;
      if (children[middle]!.endIndex > start || (start === end && children[middle]!.endIndex >= end))
        high = middle;
      else low = middle + 1;
    }
    const child = children[low];
    return child && child.startIndex <= start && child.endIndex >= end ? child : null;
  }

  /** For the copying alone: what stands in this node is copied later. */
  leave(node: TreeNode): void {
    this.pending = node;
  }

  get isCopied(): boolean {
    return this.made !== null;
  }

  /** For the copying alone: all children at once. */
  adopt(children: Node[]): void {
    this.made = children;
    this.pending = null;
  }

  /** For the copying alone: it has no children. */
  close(): void {
    this.made = NONE;
    this.named = NONE;
  }

  /** For the copying alone. */
  begin(): Node[] {
    this.made = [];
    return this.made;
  }
}

/** One text with its tree. */
export class Source {
  readonly text: string;
  /** as the caller names it; null where it has no name */
  readonly file: string | null;
  readonly root: Node;
  private readonly cursor: Cursor | null;
  private readonly tree: Tree | null;
  private readonly hasErrors: boolean;
  private readonly added: readonly number[];
  private starts: number[] | null = null;
  private called: Map<string, number[]> | null = null;
  private derived: Map<string, number[]> | null = null;

  /** `tree`: null for a text of another kind, whose places are told by `stretch`. */
  constructor(tree: Tree | null, text: string, file: string | null) {
    this.text = text;
    this.file = file;
    this.tree = tree;
    this.added = (tree && ADDED.get(tree)) ?? [];
    this.cursor = tree && new Cursor(tree, this.added);
    this.hasErrors = this.added.length > 0 || (tree?.rootNode.hasError ?? false);
    this.root = this.cursor ? new Node(this, null, 0, this.cursor) : this.stretch(0, text.length);
    this.root.hasError = this.hasErrors;
    if (tree) this.root.leave(tree.rootNode);
  }

  /** Offsets of the names that are called, `name(`, by name. */
  calledAt(name: string): readonly number[] {
    this.called ??= indexed(this.text, /(?<![\w$])([A-Za-z_$][\w$]*)(?=\s*(?:\?\.\s*)?\()/g);
    return this.called.get(name) ?? [];
  }

  /** Offsets of the classes that name a class among those they are made from. */
  derivedAt(name: string): readonly number[] {
    this.derived ??= basesIn(this.text);
    return this.derived.get(name) ?? [];
  }

  /** A place in the text as a node without children. */
  stretch(startIndex: number, endIndex: number): Node {
    return new Node(this, null, 0, { nodeType: 'stretch', field: null, isNamed: true, startIndex, endIndex });
  }

  /** Copies the statements of the file, some at a time: thousands of them take longer than a frame of the screen. */
  *copyStatements(): Generator<void, void> {
    if (!this.tree || this.root.isCopied) return;
    const cursor = new Cursor(this.tree, this.added);
    const children: Node[] = [];
    if (cursor.firstChild())
      do {
        const child = new Node(this, this.root, children.length, cursor);
        children.push(child);
        this.postpone(child, cursor);
        if (children.length % STATEMENTS_IN_ONE_STEP === 0) yield;
      } while (cursor.nextSibling());
    if (!this.root.isCopied) this.root.adopt(children);
  }

  private postpone(child: Node, cursor: Cursor): void {
    child.leave(cursor.current);
    child.hasError = this.hasErrors && (cursor.current.hasError || cursor.holdsAdded);
  }

  fill(node: Node, from: TreeNode): void {
    if (!this.cursor) return;
    this.cursor.reset(from);
    this.copyChildren(this.cursor, node, node.parent === null);
  }

  position(offset: number): Point {
    this.starts ??= lineStarts(this.text);
    let low = 0;
    let high = this.starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.starts[middle]! <= offset) low = middle;
      else high = middle;
    }
    return { row: low, column: offset - this.starts[low]! };
  }

  /** The cursor stands on the node, before and after. */
  private copyChildren(cursor: Cursor, node: Node, isTop: boolean): void {
    const children = node.begin();
    if (!cursor.firstChild()) return;
    do {
      // a place that `[, b] = pair` leaves out is told by its comma
      if (cursor.isSign && node.type !== 'array_pattern') continue;
      const child = new Node(this, node, children.length, cursor);
      children.push(child);
      if (cursor.isLeaf) child.close();
      else if (isTop || BODIES.has(child.type)) {
        this.postpone(child, cursor);
      } else {
        this.copyChildren(cursor, child, false);
        child.hasError = this.hasErrors && (cursor.isMissing || faulty(child));
      }
    } while (cursor.nextSibling());
    cursor.parent();
  }
}

function faulty({ isError, children }: Node): boolean {
  return isError || children.some(({ hasError }) => hasError);
}

function indexed(text: string, pattern: RegExp): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const { 1: name, index } of text.matchAll(pattern)) {
    const list = found.get(name!);
    if (list) list.push(index);
    else found.set(name!, [index]);
  }
  return found;
}

/** `class Name(Base, package.Other)`, `class Name extends Base` */
function basesIn(text: string): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const { 1: bases, index } of text.matchAll(/\bclass\s+\w+\s*\(([^()]*(?:\([^()]*\)[^()]*)*)\)/g))
    for (const [name] of bases!.matchAll(/[A-Za-z_$][\w$]*/g))
      found.set(name, [...(found.get(name) ?? []), index]);
  for (const { 1: base, index } of text.matchAll(/\bclass\s+[\w$]*\s*extends\s+(?:[\w$]+\.)*([\w$]+)/g))
    found.set(base!, [...(found.get(base!) ?? []), index]);
  return found;
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

/** Tree-sitter's cursor, with what a type and a field are called remembered by their numbers. */
class Cursor {
  private readonly cursor: TreeCursor;
  private readonly added: readonly number[];
  /** no token in it is missing */
  private readonly isSound: boolean;
  private readonly names: Kind[] = [];
  private readonly fields: (string | null | undefined)[] = [null];
  /** of the node that it stands on, as it was asked last */
  private kind: Kind = NO_KIND;
  private start = 0;

  constructor(tree: Tree, added: readonly number[]) {
    this.cursor = tree.walk();
    this.added = added;
    this.isSound = added.length === 0 && !tree.rootNode.hasError;
  }

  get nodeType(): string {
    const id = this.cursor.nodeTypeId;
    this.kind = this.names[id] ??= kindOf(this.cursor);
    return this.kind.type;
  }

  /** Ask `nodeType` before. */
  get isNamed(): boolean {
    return this.kind.isNamed;
  }

  /** Ask `nodeType` before. */
  get isToken(): boolean {
    return this.isSound && this.kind.isToken;
  }

  /** Ask `nodeType` before. */
  get isLeaf(): boolean {
    return this.isSound && this.kind.isLeaf;
  }

  /** Brackets and what stands between items, which nobody asks for. */
  get isSign(): boolean {
    if (!this.isSound) return false;
    const id = this.cursor.nodeTypeId;
    return (this.names[id] ??= kindOf(this.cursor)).isSign;
  }

  get field(): string | null {
    const id = this.cursor.currentFieldId;
    let name = this.fields[id];
    if (name === undefined) this.fields[id] = name = this.cursor.currentFieldName;
    return name;
  }

  get startIndex(): number {
    this.start = this.own(this.cursor.startIndex);
    return this.start;
  }

  /** Ask `startIndex` before. A token is as long as its name. */
  get endIndex(): number {
    return this.isToken ? this.start + this.kind.type.length : this.own(this.cursor.endIndex);
  }

  /** also a bracket that the text does not have */
  get isMissing(): boolean {
    return this.cursor.nodeIsMissing || this.added.includes(this.cursor.startIndex);
  }

  get holdsAdded(): boolean {
    const { startIndex, endIndex } = this.cursor;
    return this.added.some(offset => startIndex <= offset && offset < endIndex);
  }

  /** The place in the caller's text. */
  private own(offset: number): number {
    if (this.added.length === 0) return offset;
    return offset - this.added.filter(each => each < offset).length;
  }

  get current(): TreeNode {
    return this.cursor.currentNode;
  }

  reset(node: TreeNode): void {
    this.cursor.reset(node);
  }

  firstChild(): boolean {
    return this.cursor.gotoFirstChild();
  }

  nextSibling(): boolean {
    return this.cursor.gotoNextSibling();
  }

  parent(): void {
    this.cursor.gotoParent();
  }
}

interface Kind {
  type: string;
  isNamed: boolean;
  /** it is what its name says, a keyword or signs */
  isToken: boolean;
  /** it never has children */
  isLeaf: boolean;
  isSign: boolean;
}

const NO_KIND: Kind = { type: '', isNamed: false, isToken: false, isLeaf: false, isSign: false };
const SIGNS = /^[()[\]{},.;]$/;
const LEAVES = /^(?:(?:property_|type_)?identifier|integer|float|number|comment|true|false|none|null)$/;

function kindOf({ nodeType: type, nodeIsNamed: isNamed }: TreeCursor): Kind {
  // `not in` may have any space between
  const isToken = !isNamed && /^[^\s\\_]+$/.test(type);
  return {
    type,
    isNamed,
    isToken,
    isLeaf: isToken || (isNamed && LEAVES.test(type)),
    isSign: !isNamed && SIGNS.test(type),
  };
}

/** Of trees whose text had open brackets: where they were closed. */
const ADDED = new WeakMap<Tree, readonly number[]>();

export function rememberAdded(tree: Tree, offsets: readonly number[]): void {
  ADDED.set(tree, offsets);
}

const SOURCES = new WeakMap<Tree, Source>();

/** The nodes of a tree, copied once for all who read it; without a file, as whoever came first named it. */
export function sourceOf(tree: Tree, text: string, file?: string | null): Source {
  let source = SOURCES.get(tree);
  if (!source || (file !== undefined && source.file !== file)) {
    source = new Source(tree, text, file ?? null);
    SOURCES.set(tree, source);
  }
  return source;
}
