// The open documents in TypeScript, JavaScript and Python: their models, read when they are opened, before anybody asks,
// and found anew a moment after each edit. The parser is loaded with the first document that mentions a recurrent layer
// or a convolution.
import * as vscode from 'vscode';
import type { Language, Syntax, Tree } from '../../definitions/code/syntax.ts';
import { CONVOLUTIONS, type Definitions, MENTIONS, OTHER_MENTIONS } from '../../definitions/definition.ts';
import type { Surroundings } from '../../definitions/found-layers.ts';
import type { Readable } from '../../definitions/kept.ts';
import type { TextEdit, TextFinding } from '../../definitions/lint/finding.ts';
import type { Assignment } from '../../definitions/mend.ts';
import { boundBefore, inCell } from '../../definitions/notebook-cells.ts';
import { DocumentTimers } from '../document-timers.ts';
import { WorkspaceFiles } from './workspace-files.ts';

export const CODE: vscode.DocumentSelector = [
  { language: 'python' },
  { language: 'typescript' },
  { language: 'typescriptreact' },
  { language: 'javascript' },
  { language: 'javascriptreact' },
];

const LANGUAGES: Readonly<Record<string, Language>> = {
  python: 'python',
  typescript: 'typescript',
  typescriptreact: 'tsx',
  javascript: 'javascript',
  javascriptreact: 'javascript',
};
const TYPING_MILLISECONDS = 250;
/** without typing, after which the rules of the text are asked: models are found before */
const IDLE_MILLISECONDS = 500;
/** of work in one go: a frame has 16 */
const SLICE_MILLISECONDS = 6;
/** files that others lead to, and those that they lead to */
const MOST_ROUNDS = 8;
const NOTHING: Definitions = { layers: [], others: [], models: [], hasErrors: false };

interface Entry {
  version: number;
  result: Promise<Definitions>;
  text: string;
  tree: Tree | null;
  /** what the text alone tells to be wrong; null until somebody asks, and where it was no longer wanted */
  findings: Promise<readonly TextFinding[] | null> | null;
  /** it is to be found again, and was not begun yet: how often files around it were waited for */
  nextRound: number | null;
}

export class CodeDocuments implements vscode.Disposable {
  private readonly grammars: string;
  private readonly log: vscode.LogOutputChannel;
  private readonly entries = new Map<string, Entry>();
  /** as it last was without an error of syntax */
  private readonly good = new Map<string, Readable>();
  private readonly timers = new DocumentTimers();
  private readonly changedAt = new Map<string, number>();
  private readonly changed = new vscode.EventEmitter<vscode.TextDocument>();
  private readonly subscriptions: vscode.Disposable[];
  private readonly files = new WorkspaceFiles();
  private syntax: Promise<Syntax> | null = null;

  /** What a document defines is another than before. */
  readonly onDidChange = this.changed.event;

  constructor(grammars: string, log: vscode.LogOutputChannel) {
    this.grammars = grammars;
    this.log = log;
    this.subscriptions = [
      this.changed,
      this.files,
      this.files.onDidChange(() => this.readAgain()),
      vscode.workspace.onDidOpenTextDocument(document => void this.read(document)),
      vscode.workspace.onDidChangeTextDocument(({ document }) => this.later(document)),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => this.forget(uri)),
    ];
    // VS Code asks for lenses about 300 ms after it shows a document; by then it is read, so that the row stands at once
    for (const document of vscode.workspace.textDocuments) void this.read(document);
  }

  isCode(document: vscode.TextDocument): boolean {
    return LANGUAGES[document.languageId] !== undefined && document.uri.scheme !== 'git';
  }

  languageOf(document: vscode.TextDocument): Language {
    return LANGUAGES[document.languageId]!;
  }

  /** In mid-edit, while a line makes no sense, what was found before it stays. */
  async read(document: vscode.TextDocument): Promise<Definitions> {
    if (!this.isCode(document)) return NOTHING;
    const known = this.entries.get(document.uri.toString());
    const text = textOf(document);
    // a cell is another where the cells before it are
    return known?.version === document.version && known.text === text
      ? known.result
      : this.parse(document, text, known);
  }

  /** What the text alone tells to be wrong, once nobody types; nothing while a line makes no sense. */
  async findings(document: vscode.TextDocument): Promise<readonly TextFinding[]> {
    const key = document.uri.toString();
    while (!document.isClosed) {
      const rest =
        IDLE_MILLISECONDS - (performance.now() - (this.changedAt.get(key) ?? Number.NEGATIVE_INFINITY));
      if (rest > 0) {
        await new Promise(resolve => setTimeout(resolve, rest));
        continue;
      }
      const found = await this.read(document);
      const entry = this.entries.get(key);
      if (!entry) break;
      entry.findings ??= this.lint(document, entry, found);
      const said = await entry.findings;
      if (said) return said;
      // it was typed meanwhile
      if (this.entries.get(key) === entry) break;
    }
    return [];
  }

  /** @returns null where it is no longer wanted */
  private async lint(
    document: vscode.TextDocument,
    entry: Entry,
    found: Definitions,
  ): Promise<readonly TextFinding[] | null> {
    const isAny = found.layers.length > 0 || CONVOLUTIONS.test(entry.text);
    if (!entry.tree || !isAny || found.hasErrors) return [];
    const { inSlices } = await import('../../definitions/steps.ts');
    const { lintInSteps } = await import('../../definitions/lint/lint.ts');
    const isWanted = () => this.entries.get(document.uri.toString()) === entry && entry.tree !== null;
    if (!isWanted()) return null;
    const rules = lintInSteps(entry.tree, found, entry.text, this.languageOf(document));
    const findings = await inSlices(rules, SLICE_MILLISECONDS, isWanted);
    return findings && inCell([...findings], document.getText().length);
  }

  /** Assignments to a model's experiment as edits of its code, each null where the code cannot say it. */
  async mend(
    document: vscode.TextDocument,
    name: string,
    fixes: readonly (readonly Assignment[])[],
  ): Promise<(TextEdit[] | null)[]> {
    const found = await this.read(document);
    const entry = this.entries.get(document.uri.toString());
    const model = found.models.find(each => each.name === name);
    const { LintSource } = await import('../../definitions/lint/source.ts');
    const { inCode } = await import('../../definitions/mend.ts');
    const { toExperiment } = await import('../../definitions/to-experiment.ts');
    if (!model || found.hasErrors || !entry?.tree || entry.version !== document.version)
      return fixes.map(() => null);
    const source = new LintSource(entry.tree, found, entry.text, this.languageOf(document));
    const { origins } = toExperiment(model);
    return fixes.map(assignments => inCode(source, origins, assignments));
  }

  /** The tree of a text that is no document of its own; the caller deletes it. */
  async parseAside(text: string, language: Language): Promise<Tree> {
    return (await this.start()).parse(text, language);
  }

  /** What follows from a document with the files around it, once those that it asks for are read. */
  async withProject<T>(document: vscode.TextDocument, make: (surroundings: Surroundings) => T): Promise<T> {
    const project = await this.files.around(document.uri, await this.start());
    if (!project) return make({});
    for (let round = 0; ; round++) {
      const surroundings = { project: project.files, file: document.uri.fsPath };
      const { made, missing } = await project.reading(() => make(surroundings));
      if (round === MOST_ROUNDS || !(await project.load(missing))) return made;
    }
  }

  /** Of what was last found; nothing is parsed for it. */
  modelNames(document: vscode.TextDocument): readonly string[] {
    return this.good.get(document.uri.toString())?.definitions.models.map(({ name }) => name) ?? [];
  }

  dispose(): void {
    this.timers.dispose();
    for (const { tree } of this.entries.values()) tree?.delete();
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private parse(
    document: vscode.TextDocument,
    text: string,
    before: Entry | undefined,
  ): Promise<Definitions> {
    const entry: Entry = {
      version: document.version,
      text,
      tree: null,
      findings: null,
      nextRound: null,
      result: Promise.resolve(NOTHING),
    };
    const key = document.uri.toString();
    this.entries.set(key, entry);
    // in mid-edit the only mention may be gone
    const isMentioned = [MENTIONS, OTHER_MENTIONS, CONVOLUTIONS].some(each => each.test(text));
    if (isMentioned || this.good.has(key)) entry.result = this.find(document, entry, before);
    return entry.result;
  }

  private async find(
    document: vscode.TextDocument,
    entry: Entry,
    before: Entry | undefined,
  ): Promise<Definitions> {
    const { unreadable } = await import('../../definitions/find.ts');
    const why = unreadable(entry.text);
    if (why) {
      this.log.info(`${document.uri.fsPath} is skipped: ${why}.`);
      return NOTHING;
    }
    const syntax = await this.start();
    entry.tree = await syntax.parse(entry.text, this.languageOf(document), before?.tree ?? undefined);
    if (before?.tree) {
      before.tree.delete();
      before.tree = null;
    }
    return this.findInTree(document, entry, syntax);
  }

  private async findInTree(
    document: vscode.TextDocument,
    entry: Entry,
    syntax: Syntax,
  ): Promise<Definitions> {
    const key = document.uri.toString();
    const isWanted = () => this.entries.get(key) === entry && entry.tree !== null;
    const project = await this.files.around(document.uri, syntax);
    const surroundings = project ? { project: project.files, file: document.uri.fsPath } : {};
    let round = 0;
    const find = async () => {
      round = entry.nextRound ?? 0;
      entry.nextRound = null;
      const language = this.languageOf(document);
      return isWanted() ? findInSlices(entry, language, surroundings, isWanted) : null;
    };
    const { made: found, missing } = project
      ? await project.reading(find)
      : { made: await find(), missing: null };
    if (!found) {
      const current = this.entries.get(key);
      return current && current !== entry ? current.result : NOTHING;
    }
    entry.findings = null;
    if (project && missing && round < MOST_ROUNDS && found.layers.length > 0)
      void project.load(missing).then(isMore => {
        if (isMore && isWanted()) void this.findAgain(document, entry, round + 1);
      });
    return this.keep(key, entry, found);
  }

  /** What stands is shown until it is found. */
  private async findAgain(document: vscode.TextDocument, entry: Entry, round: number): Promise<void> {
    const isQueued = entry.nextRound !== null;
    entry.nextRound = Math.min(round, entry.nextRound ?? round);
    if (isQueued) return;
    const again = this.findInTree(document, entry, await this.start());
    await again;
    if (this.entries.get(document.uri.toString()) !== entry) return;
    entry.result = again;
    this.changed.fire(document);
  }

  /** Open documents again, since files around them were changed. */
  private readAgain(): void {
    for (const document of vscode.workspace.textDocuments) {
      const entry = this.entries.get(document.uri.toString());
      if (entry?.tree) void this.findAgain(document, entry, 0);
    }
  }

  private async keep(key: string, entry: Entry, found: Definitions): Promise<Definitions> {
    const before = this.good.get(key);
    if (found.hasErrors) {
      if (!before) return found;
      const { keepUnreadable } = await import('../../definitions/kept.ts');
      return keepUnreadable(before, found, entry.text);
    }
    if (found.models.length === 0) this.good.delete(key);
    else if (this.entries.get(key) === entry) this.good.set(key, { text: entry.text, definitions: found });
    return found;
  }

  private start(): Promise<Syntax> {
    this.syntax ??= (async () => {
      const { Syntax: Parser } = await import('../../definitions/code/syntax.ts');
      const { grammarsIn } = await import('../../definitions/node-files.ts');
      return new Parser(grammarsIn(this.grammars));
    })();
    return this.syntax;
  }

  private later(document: vscode.TextDocument): void {
    for (const each of [document, ...cellsAround(document).after])
      if (this.isCode(each)) {
        this.changedAt.set(each.uri.toString(), performance.now());
        this.timers.set(each.uri, TYPING_MILLISECONDS, () => {
          if (!each.isClosed) this.changed.fire(each);
        });
      }
  }

  private forget(uri: vscode.Uri): void {
    const key = uri.toString();
    this.timers.clear(uri);
    this.changedAt.delete(key);
    this.entries.get(key)?.tree?.delete();
    this.entries.delete(key);
    this.good.delete(key);
  }
}

/** So that typing never waits. @returns null where it is no longer wanted */
async function findInSlices(
  entry: Entry,
  language: Language,
  surroundings: Surroundings,
  isWanted: () => boolean,
): Promise<Definitions | null> {
  const { definitionsInSteps } = await import('../../definitions/find.ts');
  const { inSlices } = await import('../../definitions/steps.ts');
  if (!entry.tree) return null;
  const steps = definitionsInSteps(entry.tree, entry.text, language, surroundings);
  return inSlices(steps, SLICE_MILLISECONDS, isWanted);
}

/** The document's text; behind that of a cell, what the cells before it bind. */
function textOf(document: vscode.TextDocument): string {
  const text = document.getText();
  const before = document.languageId === 'python' ? cellsAround(document).before : [];
  return before.length > 0
    ? text +
        boundBefore(
          before.map(cell => cell.getText()),
          text,
        )
    : text;
}

/** The code cells of the same language in the notebook of a cell, in their order; a file alone. */
export function cellsOf(document: vscode.TextDocument): vscode.TextDocument[] {
  const { before, after } = cellsAround(document);
  return [...before, document, ...after];
}

/** The code cells of the same language before and after a cell of a notebook; none for a file. */
function cellsAround(document: vscode.TextDocument): Record<'before' | 'after', vscode.TextDocument[]> {
  if (document.uri.scheme !== 'vscode-notebook-cell') return { before: [], after: [] };
  const cells = vscode.workspace.notebookDocuments
    .find(({ uri }) => uri.path === document.uri.path)
    ?.getCells()
    .map(cell => cell.document)
    .filter(({ languageId }) => languageId === document.languageId);
  const index = cells?.indexOf(document) ?? -1;
  return index < 0
    ? { before: [], after: [] }
    : { before: cells!.slice(0, index), after: cells!.slice(index + 1) };
}
