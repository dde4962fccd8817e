// The files around those that `unroll definitions` is given: read when they are asked for, and once.
import {
  closeSync,
  type Dirent,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import type { Syntax } from '../../definitions/code/syntax.ts';
import { DATA_BYTES, dataText } from '../../definitions/project/data-file.ts';
import { CONFIGURATION_FILE, ProjectFiles } from '../../definitions/project/files.ts';
import { nearestMarked } from './workspace.ts';

const SKIPPED =
  /^(?:\.(?!github$).*|node_modules|venv|env|site-packages|__pycache__|dist|build|wandb|mlruns|outputs)$/;
const READ = /\.(?:pyw?|[cm]?[jt]s|[jt]sx|ya?ml|ini|cfg|conf)$/;
const MOST_FILES = 3000;
const LARGEST_BYTES = 1e6;

export class Projects {
  private readonly syntax: Syntax;
  private readonly byRoot = new Map<string, ProjectFiles>();

  constructor(syntax: Syntax) {
    this.syntax = syntax;
  }

  /** The project of the nearest folder above with `.git`, `.vscode` or `.unroll`. */
  async around(file: string): Promise<ProjectFiles> {
    const root = nearestMarked(path.dirname(file));
    let project = this.byRoot.get(root);
    if (!project) {
      const { syntax } = this;
      await syntax.load('python');
      const texts = new Map<string, string | null>();
      let files: string[] | null = null;
      project = new ProjectFiles(
        {
          list: () => {
            files ??= filesIn(root);
            return files;
          },
          read: name => {
            let text = texts.get(name);
            if (text === undefined) {
              text = textOf(name);
              texts.set(name, text);
            }
            return text;
          },
          data: (name, part) => {
            const key = `${part} ${name}`;
            let text = texts.get(key);
            if (text === undefined) {
              text = dataOf(name, part);
              texts.set(key, text);
            }
            return text;
          },
          parse: (text, language) => syntax.parseNow(text, language),
        },
        root,
      );
      this.byRoot.set(root, project);
    }
    return project;
  }
}

function textOf(file: string): string | null {
  try {
    return statSync(file).size > LARGEST_BYTES ? null : readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

function dataOf(file: string, part: 'begin' | 'whole'): string | null {
  let descriptor: number | null = null;
  try {
    descriptor = openSync(file, 'r');
    const stats = fstatSync(descriptor);
    const most = DATA_BYTES[part];
    if (!stats.isFile() || (part === 'whole' && stats.size > most)) return null;
    const bytes = Buffer.alloc(Math.min(stats.size, most));
    return dataText(bytes.subarray(0, readSync(descriptor, bytes, 0, bytes.length, 0)));
  } catch {
    return null;
  } finally {
    if (descriptor !== null) closeSync(descriptor);
  }
}

/** Nearest first; what cannot be read is passed over, since only the named files must be there. */
function filesIn(root: string): string[] {
  const found: string[] = [];
  const folders = [root];
  for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
    for (const entry of entriesOf(folder)) {
      if (SKIPPED.test(entry.name)) continue;
      const full = path.join(folder, entry.name);
      if (entry.isDirectory()) folders.push(full);
      else if (entry.isFile() && (READ.test(entry.name) || CONFIGURATION_FILE.test(full))) found.push(full);
      if (found.length > MOST_FILES) return found;
    }
  }
  return found;
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
