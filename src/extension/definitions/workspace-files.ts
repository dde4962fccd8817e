// The files around open documents, for what they say of a layer's sizes. They are read when they are first asked for,
// without waiting: what is not there yet is told the next time.
import { sep } from 'node:path';
import * as vscode from 'vscode';
import type { Language, Syntax, Tree } from '../../definitions/code/syntax.ts';
import type { DATA_BYTES } from '../../definitions/project/data-file.ts';
import type { FileHost, ProjectFiles } from '../../definitions/project/files.ts';

const SOURCES = ['py', 'ts', 'tsx', 'js', 'mjs', 'jsx', 'yaml', 'yml', 'ini', 'cfg', 'conf'];
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
    const watcher = vscode.workspace.createFileSystemWatcher(
      '**/*.{py,yaml,yml,json,ini,cfg,conf,html,csv,tsv,txt}',
    );
    // VS Code tells of a folder that is new or gone, and nothing of what is in it
    const folders = vscode.workspace.createFileSystemWatcher('**/*', false, true, false);
    const see = (isThere: boolean) => (uri: vscode.Uri) => void this.see(uri, isThere);
    this.subscriptions = [
      this.changed,
      watcher,
      watcher.onDidChange(see(true)),
      watcher.onDidCreate(see(true)),
      watcher.onDidDelete(see(false)),
      folders,
      folders.onDidCreate(uri => void this.seeFolder(uri, true)),
      folders.onDidDelete(uri => void this.seeFolder(uri, false)),
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

  private async see(uri: vscode.Uri, isThere: boolean): Promise<void> {
    if ((await this.projectOf(uri))?.see(uri.fsPath, isThere)) this.changed.fire();
  }

  private async seeFolder({ fsPath, path }: vscode.Uri, isThere: boolean): Promise<void> {
    // whatever else is made or removed has an ending
    if (/[^/]\.[^/]*$/.test(path)) return;
    const project = await this.projectOf(vscode.Uri.file(fsPath));
    if (await project?.seeFolder(fsPath, isThere)) this.changed.fire();
  }

  private async projectOf(uri: vscode.Uri): Promise<FolderProject | undefined> {
    const folder = vscode.workspace.getWorkspaceFolder(uri);
    return folder && this.projects.get(folder.uri.toString());
  }
}

/** What a reading asked for that was not there yet. */
interface Missing {
  list: boolean;
  files: Set<string>;
  /** parts of data files, by a key of each */
  data: Map<string, { file: string; part: keyof typeof DATA_BYTES }>;
  /** a file was not parsed, for want of time */
  parsing: boolean;
}

export interface Reading<T> {
  made: T;
  missing: Missing;
}

export class FolderProject implements FileHost {
  readonly files: ProjectFiles;
  private readonly folder: vscode.WorkspaceFolder;
  private readonly syntax: Syntax;
  private readonly texts = new Map<string, string | null>();
  /** files that are being read, and were not changed since */
  private readonly underWay = new Map<string, Promise<void>>();
  private listed: string[] | undefined;
  private listing: Promise<void> | null = null;
  /** files that were made or removed while they were listed */
  private readonly meanwhile = new Map<string, boolean>();
  private turn: Promise<unknown> = Promise.resolve();
  private missing: Missing = nothing();
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

  /** Readings of several documents take turns: the files know one at a time, and what it asks for is its own. */
  reading<T>(read: () => T | Promise<T>): Promise<Reading<T>> {
    const mine = this.turn.then(async () => {
      const missing = nothing();
      this.missing = missing;
      this.until = performance.now() + PARSING_MILLISECONDS;
      return { made: await read(), missing };
    });
    this.turn = mine.catch(() => {});
    return mine;
  }

  /** What a reading missed. @returns whether it would find more now */
  async load({ list, files, data, parsing }: Missing): Promise<boolean> {
    if (list && !this.listed) await this.listFiles();
    for (const file of files) if (!this.texts.has(file)) await this.readText(file);
    for (const [key, { file, part }] of data)
      if (!this.texts.has(key)) await this.readText(key, () => dataOf(file, part));
    return list || files.size > 0 || data.size > 0 || parsing;
  }

  /** A folder was made or removed. @returns whether the list of files is another now */
  async seeFolder(folder: string, isThere: boolean): Promise<boolean> {
    const before = this.listed;
    const place = folder.slice(this.folder.uri.fsPath.length).replaceAll('\\', '/');
    if (!before || isSkipped(place)) return false;
    if (isThere) {
      // a listing that is under way may have begun before
      await this.listing;
      await this.listFiles();
    } else {
      const gone = before.filter(file => file.startsWith(folder + sep));
      for (const file of gone) this.texts.delete(file);
      if (gone.length > 0) this.listed = before.filter(file => !gone.includes(file));
    }
    return this.listed?.join('\n') !== before.join('\n');
  }

  private listFiles(): Promise<void> {
    this.listing ??= this.findFiles().finally(() => {
      this.listing = null;
    });
    return this.listing;
  }

  private async findFiles(): Promise<void> {
    this.meanwhile.clear();
    const found = await Promise.all(
      FILES.map(pattern =>
        vscode.workspace.findFiles(new vscode.RelativePattern(this.folder, pattern), SKIPPED, MOST_FILES + 1),
      ),
    );
    const all = new Set(found.flat().map(({ fsPath }) => fsPath));
    for (const [file, isThere] of this.meanwhile)
      if (isThere) all.add(file);
      else all.delete(file);
    this.listed = [...all].sort();
  }

  private readText(file: string, read = () => textOf(file)): Promise<void> {
    const known = this.underWay.get(file);
    if (known) return known;
    const reading: Promise<void> = read().then(text => {
      // what was changed meanwhile is read anew
      if (this.underWay.get(file) !== reading) return;
      this.underWay.delete(file);
      this.texts.set(file, text);
    });
    this.underWay.set(file, reading);
    return reading;
  }

  /** A file was made, changed or removed. @returns whether a text that was read, or the list of files, is another now */
  see(file: string, isThere: boolean): boolean {
    const keys = [file, keyOf(file, 'begin'), keyOf(file, 'whole')];
    const isReading = keys.filter(key => this.underWay.delete(key)).length > 0;
    const wasRead = keys.filter(key => this.texts.delete(key)).length > 0;
    const place = file.slice(this.folder.uri.fsPath.length).replaceAll('\\', '/');
    if (!LISTED.test(place) || isSkipped(place)) return isReading || wasRead;
    if (this.listing) this.meanwhile.set(file, isThere);
    const isListed = this.listed?.includes(file) ?? isThere;
    if (this.listed && isListed !== isThere)
      this.listed = isThere ? [...this.listed, file].sort() : this.listed.filter(each => each !== file);
    return isReading || wasRead || isListed !== isThere;
  }

  read(file: string): string | null | undefined {
    const open = openText(file);
    if (open !== undefined) return open;
    const text = this.texts.get(file);
    if (text === undefined) this.missing.files.add(file);
    return text;
  }

  data(file: string, part: keyof typeof DATA_BYTES): string | null | undefined {
    const open = openText(file);
    if (open !== undefined) return open;
    const key = keyOf(file, part);
    const text = this.texts.get(key);
    if (text === undefined) this.missing.data.set(key, { file, part });
    return text;
  }

  list(): readonly string[] | undefined {
    if (!this.listed) this.missing.list = true;
    return this.listed;
  }

  parse(text: string, language: Language): Tree | null {
    if (performance.now() > this.until) {
      this.missing.parsing = true;
      return null;
    }
    return this.syntax.parseNow(text, language);
  }
}

function nothing(): Missing {
  return { list: false, files: new Set(), data: new Map(), parsing: false };
}

function keyOf(file: string, part: keyof typeof DATA_BYTES): string {
  return `${part} ${file}`;
}

function openText(file: string): string | undefined {
  return vscode.workspace.textDocuments
    .find(({ uri, isClosed }) => !isClosed && uri.scheme === 'file' && uri.fsPath === file)
    ?.getText();
}

async function dataOf(file: string, part: keyof typeof DATA_BYTES): Promise<string | null> {
  const { readDataFile } = await import('../../definitions/project/data-file.ts');
  return readDataFile(file, part);
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
