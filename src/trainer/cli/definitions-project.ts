// The files around those that `unroll definitions` is given: read when they are asked for, and once.
import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Syntax } from '../../definitions/code/syntax.ts';
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
