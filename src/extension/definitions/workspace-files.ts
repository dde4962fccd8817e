// The files around open documents, for what they say of a layer's sizes. They are read when they are first asked for,
// without waiting: what is not there yet is told the next time.
import * as vscode from 'vscode';
import type { Language, Syntax, Tree } from '../../definitions/code/syntax.ts';
import type { FileHost, ProjectFiles } from '../../definitions/project/files.ts';

const SOURCES = ['py', 'ts', 'tsx', 'js', 'mjs', 'jsx', 'yaml', 'yml'];
/** JSON is listed where its folder is called so, or where its name holds such a word: training itself writes much of it. */
const SETTINGS_FOLDERS = ['conf', 'config', 'configs', 'params', 'settings', 'hparams'];
const SETTINGS_WORDS = ['conf', 'param', 'setting', 'hyper'];
const FILES = [
  `**/*.{${SOURCES.join()}}`,
  `**/{${SETTINGS_FOLDERS.join()}}/*.json`,
  `**/*{${SETTINGS_WORDS.join()}}*.json`,
];
/** The same of one path. */
const LISTED = new RegExp(
  [
    `\\.(${SOURCES.join('|')})$`,
    `/(${SETTINGS_FOLDERS.join('|')})/[^/]*\\.json$`,
    `(${SETTINGS_WORDS.join('|')})[^/]*\\.json$`,
  ].join('|'),
);
const FOLDERS_SKIPPED = [
  ...['node_modules', '.git', '.venv', 'venv', 'env', 'site-packages', '__pycache__', 'dist', 'build', 'out'],
  ...['.unroll', 'wandb', 'mlruns', 'outputs'],
];
const SKIPPED = `**/{${FOLDERS_SKIPPED.join()}}/**`;
const MOST_FILES = 3000;
const LARGEST_BYTES = 1e6;
/** parsing of other files in one go: more waits for the next time */
const PARSING_MILLISECONDS = 8;

export class WorkspaceFiles implements vscode.Disposable {
  private readonly projects = new Map<string, Promise<FolderProject>>();
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly subscriptions: vscode.Disposable[];
  /** Other files say something else than before. */
  readonly onDidChange = this.changed.event;

  constructor() {
    const watcher = vscode.workspace.createFileSystemWatcher('**/*.{py,yaml,yml,json,html}');
    const forget = (uri: vscode.Uri) => void this.forget(uri);
    this.subscriptions = [
      this.changed,
      watcher,
      watcher.onDidChange(forget),
      watcher.onDidCreate(forget),
      watcher.onDidDelete(forget),
    ];
  }

  /** null: the document stands in no open folder */
  async around(uri: vscode.Uri, syntax: Syntax): Promise<FolderProject | null> {
    const folder = uri.scheme === 'file' ? vscode.workspace.getWorkspaceFolder(uri) : undefined;
    if (!folder) return null;
    const key = folder.uri.toString();
    let project = this.projects.get(key);
    if (!project) {
      project = FolderProject.open(folder, syntax);
      this.projects.set(key, project);
    }
    return project;
  }

  dispose(): void {
    for (const project of this.projects.values()) void project.then(each => each.files.dispose());
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private async forget(uri: vscode.Uri): Promise<void> {
    const folder = vscode.workspace.getWorkspaceFolder(uri);
    const project = folder && (await this.projects.get(folder.uri.toString()));
    if (project?.forget(uri.fsPath)) this.changed.fire();
  }
}

export class FolderProject implements FileHost {
  readonly files: ProjectFiles;
  private readonly folder: vscode.WorkspaceFolder;
  private readonly syntax: Syntax;
  private readonly texts = new Map<string, string | null>();
  private readonly wanted = new Set<string>();
  private listed: string[] | undefined;
  private wantsList = false;
  /** how many files that could be listed were made since they are asked for */
  private news = 0;
  private hasLeft = false;
  private until = 0;

  private constructor(
    folder: vscode.WorkspaceFolder,
    syntax: Syntax,
    make: (host: FileHost, root: string) => ProjectFiles,
  ) {
    this.folder = folder;
    this.syntax = syntax;
    this.files = make(this, folder.uri.fsPath);
  }

  static async open(folder: vscode.WorkspaceFolder, syntax: Syntax): Promise<FolderProject> {
    const { ProjectFiles: Files } = await import('../../definitions/project/files.ts');
    return new FolderProject(folder, syntax, (host, root) => new Files(host, root));
  }

  /** Before every reading of a text. */
  begin(): void {
    this.hasLeft = false;
    this.until = performance.now() + PARSING_MILLISECONDS;
  }

  /** What was asked for and was not there. @returns whether anything is there now that was not */
  async load(): Promise<boolean> {
    const had = this.hasLeft;
    if (this.wantsList && !this.listed) {
      const { news } = this;
      const found = await Promise.all(
        FILES.map(pattern =>
          vscode.workspace.findFiles(
            new vscode.RelativePattern(this.folder, pattern),
            SKIPPED,
            MOST_FILES + 1,
          ),
        ),
      );
      // a file that was made meanwhile may be missing: it is listed anew
      if (news === this.news) this.listed = [...new Set(found.flat().map(({ fsPath }) => fsPath))].sort();
      return true;
    }
    const wanted = [...this.wanted];
    this.wanted.clear();
    for (const file of wanted) this.texts.set(file, await textOf(file));
    return wanted.length > 0 || had;
  }

  /** @returns whether a text that was read, or the list of files, is another now */
  forget(file: string): boolean {
    const known = this.texts.delete(file);
    const place = file.slice(this.folder.uri.fsPath.length).replaceAll('\\', '/');
    const isNew = this.wantsList && !this.listed?.includes(file) && LISTED.test(place) && !isSkipped(place);
    if (isNew) {
      this.listed = undefined;
      this.news++;
    }
    return known || isNew;
  }

  read(file: string): string | null | undefined {
    const open = vscode.workspace.textDocuments.find(
      ({ uri, isClosed }) => !isClosed && uri.scheme === 'file' && uri.fsPath === file,
    );
    if (open) return open.getText();
    const text = this.texts.get(file);
    if (text === undefined) this.wanted.add(file);
    return text;
  }

  list(): readonly string[] | undefined {
    this.wantsList = true;
    return this.listed;
  }

  parse(text: string, language: Language): Tree | null {
    if (performance.now() > this.until) {
      this.hasLeft = true;
      return null;
    }
    return this.syntax.parseNow(text, language);
  }
}

function isSkipped(place: string): boolean {
  return place.split('/').some(name => FOLDERS_SKIPPED.includes(name));
}

async function textOf(file: string): Promise<string | null> {
  try {
    const uri = vscode.Uri.file(file);
    const { size } = await vscode.workspace.fs.stat(uri);
    if (size > LARGEST_BYTES) return null;
    return new TextDecoder().decode(await vscode.workspace.fs.readFile(uri));
  } catch {
    return null;
  }
}
