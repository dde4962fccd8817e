// Tree-sitter, started once: text to syntax trees, again from the last tree after an edit.
import type { Edit, Language as Grammar, Parser as ParserClass, Tree } from '@vscode/tree-sitter-wasm';
import { type Node, rememberAdded } from './node.ts';
import { closeBrackets } from './open-brackets.ts';

export type { Edit, Tree } from '@vscode/tree-sitter-wasm';
export type { Node } from './node.ts';
export { sourceOf } from './node.ts';

export type Language = 'python' | 'javascript' | 'typescript' | 'tsx';

/** Gives the bytes of tree-sitter.wasm and of the grammars, and the library itself: each host has them elsewhere. */
export interface SyntaxFiles {
  library(): Promise<typeof import('@vscode/tree-sitter-wasm')>;
  bytes(name: string): Promise<Uint8Array>;
}

const GRAMMARS: Readonly<Record<Language, string>> = {
  python: 'tree-sitter-python.wasm',
  // the grammar of JSX is that of JavaScript itself
  javascript: 'tree-sitter-javascript.wasm',
  typescript: 'tree-sitter-typescript.wasm',
  tsx: 'tree-sitter-tsx.wasm',
};

const BY_ENDING: Readonly<Record<string, Language>> = {
  py: 'python',
  pyi: 'python',
  pyw: 'python',
  js: 'javascript',
  mjs: 'javascript',
  cjs: 'javascript',
  jsx: 'javascript',
  ts: 'typescript',
  mts: 'typescript',
  cts: 'typescript',
  tsx: 'tsx',
};

export function languageOfFile(path: string): Language | null {
  return BY_ENDING[path.slice(path.lastIndexOf('.') + 1).toLowerCase()] ?? null;
}

export class Syntax {
  private readonly files: SyntaxFiles;
  private started: Promise<typeof ParserClass> | null = null;
  private readonly grammars = new Map<Language, Promise<Grammar>>();
  private readonly loaded = new Map<Language, Grammar>();
  private parser: ParserClass | null = null;
  /** what was parsed, which may be more than the caller's text */
  private readonly texts = new WeakMap<Tree, string>();

  constructor(files: SyntaxFiles) {
    this.files = files;
  }

  /** `last`: the tree of the text before, which is told the edit. The caller deletes trees. */
  async parse(text: string, language: Language, last?: Tree): Promise<Tree> {
    const Parser = await this.start();
    const grammar = await this.grammar(language);
    this.parser ??= new Parser();
    this.loaded.set(language, grammar);
    this.parser.setLanguage(grammar);
    const tree = this.treeOf(text, language, last);
    if (!tree) throw new Error(`The ${language} parser gave no tree.`);
    return tree;
  }

  async load(language: Language): Promise<void> {
    const Parser = await this.start();
    this.loaded.set(language, await this.grammar(language));
    this.parser ??= new Parser();
  }

  /** As `parse`, once the language was loaded; null before. */
  parseNow(text: string, language: Language): Tree | null {
    const grammar = this.loaded.get(language);
    if (!this.parser || !grammar) return null;
    this.parser.setLanguage(grammar);
    return this.treeOf(text, language);
  }

  /** Where brackets stay open before the next statement, the tree is that of the text with them closed. */
  private treeOf(text: string, language: Language, last?: Tree): Tree | null {
    const tree = this.parsed(text, last);
    const closed = language === 'python' && tree?.rootNode.hasError ? closeBrackets(text) : null;
    if (!tree || !closed) return tree;
    const mended = this.parsed(closed.text, tree);
    if (!mended) return tree;
    tree.delete();
    rememberAdded(mended, closed.added);
    return mended;
  }

  private parsed(text: string, last?: Tree): Tree | null {
    const before = last && this.texts.get(last);
    if (last && before !== undefined) last.edit(editBetween(before, text));
    const tree = this.parser!.parse(text, before === undefined ? undefined : last);
    if (tree) this.texts.set(tree, text);
    return tree;
  }

  private start(): Promise<typeof ParserClass> {
    this.started ??= (async () => {
      const { Parser } = await this.files.library();
      const wasmBinary = await this.files.bytes('tree-sitter.wasm');
      // emscripten takes the bytes, though the types name the search for a file only
      await Parser.init({ wasmBinary } as unknown as Parameters<typeof Parser.init>[0]);
      return Parser;
    })();
    return this.started;
  }

  private grammar(language: Language): Promise<Grammar> {
    let grammar = this.grammars.get(language);
    if (!grammar) {
      grammar = (async () => {
        const { Language: Grammar } = await this.files.library();
        return Grammar.load(await this.files.bytes(GRAMMARS[language]));
      })();
      this.grammars.set(language, grammar);
    }
    return grammar;
  }
}

/** The edit that leads from one text to another: the one stretch in which they differ. */
export function editBetween(before: string, after: string): Edit {
  let start = 0;
  const shortest = Math.min(before.length, after.length);
  while (start < shortest && before.charCodeAt(start) === after.charCodeAt(start)) start++;
  let end = 0;
  while (
    end < shortest - start &&
    before.charCodeAt(before.length - 1 - end) === after.charCodeAt(after.length - 1 - end)
  )
    end++;
  const [oldEnd, newEnd] = [before.length - end, after.length - end];
  return {
    startIndex: start,
    oldEndIndex: oldEnd,
    newEndIndex: newEnd,
    startPosition: positionAt(before, start),
    oldEndPosition: positionAt(before, oldEnd),
    newEndPosition: positionAt(after, newEnd),
  };
}

function positionAt(text: string, offset: number): { row: number; column: number } {
  let row = 0;
  let start = 0;
  for (let next = text.indexOf('\n'); next >= 0 && next < offset; next = text.indexOf('\n', start)) {
    row++;
    start = next + 1;
  }
  return { row, column: offset - start };
}

/** Every named node below and including `node` that is of one of these types, in the order of the text. */
export function descendants(node: Node, types: string[]): Node[] {
  return node.descendantsOfType(types);
}

/** As `descendants`, without those inside functions and classes, which themselves are among them. */
export function ownDescendants(node: Node, types: ReadonlySet<string>, closed: ReadonlySet<string>): Node[] {
  const found: Node[] = [];
  const visit = (here: Node) => {
    for (const child of here.namedChildren) {
      if (types.has(child.type)) found.push(child);
      if (!closed.has(child.type)) visit(child);
    }
  };
  visit(node);
  return found;
}

/** Without comments. */
export function namedChildren(node: Node): Node[] {
  return node.namedChildren.filter(({ type }) => type !== 'comment');
}
