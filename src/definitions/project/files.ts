// The files beside a text, as whoever holds them gives them: an extension that has read some of them so far, or a
// program that reads them at once. Trees are kept as long as their texts are the same.
import path from 'node:path';
import type { CallOf, Expression } from '../code/expression.ts';
import { type Node, Source } from '../code/node.ts';
import type { Project } from '../code/project.ts';
import { type Language, languageOfFile, type Tree } from '../code/syntax.ts';
import { inputSetting } from './html.ts';
import { iniSettings } from './ini.ts';
import { jsonSettings, mergedSettings } from './json.ts';
import { type YamlFile, yamlFile } from './yaml.ts';

export interface FileHost {
  /** null: there is no such file; undefined: it is not read yet */
  read(file: string): string | null | undefined;
  /** What a data file begins with, or all of it; null: there is none, or it is too large; undefined: not read yet. */
  data(file: string, part: 'begin' | 'whole'): string | null | undefined;
  /** source and configuration files of the project by their full paths; undefined: not known yet */
  list(): readonly string[] | undefined;
  /** null: not now */
  parse(text: string, language: Language): Tree | null;
}

/** Files of a project beyond which it is not looked through for what calls a class. */
const MOST_FILES = 3000;
const MOST_MENTIONS = 12;
/** configuration files beyond which it is not told which of them a program loads */
const MOST_CONFIGURATIONS = 40;
const LARGEST_CONFIGURATION = 64_000;
/** JSON that may be the configuration of a model, by its name or folder */
export const CONFIGURATION_FILE =
  /(?:[\\/](?:conf|configs?|params|settings|hparams)[\\/][^\\/]+|[\\/][^\\/]*(?:conf|param|setting|hyper)[^\\/]*)\.json$/i;
const INI = /\.(?:ini|cfg|conf)$/;
/** those of tools */
const TOOLS =
  /[\\/](?:[jt]sconfig|setup|tox|pytest|mypy|flake8|alembic|nginx|package|composer|docker-compose|environment|mkdocs|angular|launch|tasks|settings|vite|webpack|babel|\.)[^\\/]*\.(?:json|ya?ml|ini|cfg|conf)$/i;
/** what no project has as a module of its own */
const FOREIGN = /^(?:torch|tensorflow|keras|numpy|pandas|typing|os|sys|math|npm:@?[a-z])(?:\b|\.)/;
/** names that a configuration goes by */
const CONFIGURATION = /^(?:cfg|config|conf|configs|hparams|hp|args|opt|opts|params|c)$/;

const DATA_FILE = /\.(?:csv|tsv|txt|text|dat|data|md|tab)$/i;
/** of the first line of a data file, by which its place is told */
const LONGEST_LINE = 64;
/** The configuration that a program begins with. */
interface Entry {
  folder: string;
  name: string;
}

interface Listed {
  of: readonly string[];
  all: Set<string>;
  yaml: string[];
  json: string[];
  ini: string[];
  /** files whose path ends so, each with `/` between its folders */
  ending(ending: string): readonly string[];
}

/** What was made of each file, until its text is another. */
class MadeOfTexts<T> {
  private readonly known = new Map<string, { text: string; made: T }>();
  private readonly make: (text: string, file: string) => T;

  constructor(make: (text: string, file: string) => T) {
    this.make = make;
  }

  of(text: string, file: string): T {
    const known = this.known.get(file);
    if (known?.text === text) return known.made;
    const made = this.make(text, file);
    this.known.set(file, { text, made });
    return made;
  }
}

export class ProjectFiles implements Project {
  private readonly host: FileHost;
  private readonly root: string;
  private readonly sources = new Map<string, { text: string; source: Source; tree: Tree }>();
  private readonly yaml = new MadeOfTexts<YamlFile>(yamlFile);
  private readonly json = new MadeOfTexts<Expression | null>(jsonSettings);
  private readonly ini = new MadeOfTexts<Expression | null>(iniSettings);
  private readonly any = new Map<string, { texts: string[]; settings: Expression | null }>();
  private own: Source | null = null;
  private listed: Listed | null = null;
  /** of the text that was entered last: what asks for them asks many times */
  private begun: Entry | null | undefined;
  private readonly mentions = new Map<string, readonly Source[]>();

  constructor(host: FileHost, root: string) {
    this.host = host;
    this.root = root;
  }

  dispose(): void {
    for (const { tree } of this.sources.values()) tree.delete();
    this.sources.clear();
  }

  enter(source: Source): void {
    this.own = source;
    this.begun = undefined;
    this.mentions.clear();
  }

  module(name: string, from: Source): Source | null {
    if (from.file === null || FOREIGN.test(name)) return null;
    const all = this.files()?.all;
    if (!all || all.size === 0) return null;
    for (const file of candidates(name, from.file, this.root))
      if (all.has(file)) return file === from.file ? null : this.source(file);
    // Python looks first beside the program that is run, not beside the file that imports
    const beside = this.own?.file ?? from.file;
    if (!name.startsWith('npm:') && !name.startsWith('.') && beside !== from.file)
      for (const file of candidates(name, beside, this.root))
        if (all.has(file)) return file === from.file ? null : this.source(file);
    return this.elsewhere(name, from);
  }

  /** Where the text adds folders to Python's own: the only file of the project that is called so. */
  private elsewhere(name: string, from: Source): Source | null {
    if (!/^\w+(?:\.\w+)*$/.test(name) || from.file?.endsWith('.py') !== true) return null;
    if (![from, this.own].some(each => each?.text.includes('sys.path'))) return null;
    const ending = `/${name.replaceAll('.', '/')}.py`;
    const [only, ...more] = this.files()!.ending(ending);
    return only && more.length === 0 && only !== from.file ? this.source(only) : null;
  }

  mentioning(name: string, from: Source): readonly Source[] {
    const key = `${name} ${from.file}`;
    let found = this.mentions.get(key);
    if (!found) this.mentions.set(key, (found = this.findMentions(name, from)));
    return found;
  }

  private findMentions(name: string, from: Source): readonly Source[] {
    const own = from.file;
    if (own === null) return [];
    const files = this.files();
    if (!files || files.all.size > MOST_FILES) return [];
    const isPython = own.endsWith('.py');
    const mention = new RegExp(`\\b${name.replaceAll('$', '\\$')}\\s*\\(`);
    const found: Source[] = [];
    for (const file of files.all) {
      if (file === own || file.endsWith('.py') !== isPython || /\.(?:ya?ml|json|ini|cfg|conf)$/.test(file))
        continue;
      const text = this.host.read(file);
      if (!text?.includes(name) || !mention.test(text)) continue;
      if (found.length === MOST_MENTIONS) return [];
      const source = this.source(file);
      if (source) found.push(source);
    }
    return found;
  }

  setting(names: readonly string[], from: Source): Expression | null {
    const [first, ...rest] = names;
    if (!first || !CONFIGURATION.test(first) || rest.length === 0) return null;
    const entry = this.entry(from);
    return entry ? this.composed(entry.folder, entry.name, rest) : null;
  }

  settingsIn(file: string, from: Source): Expression | null {
    if (from.file === null) return null;
    if (file.endsWith('.json')) return this.madeOf(this.json, file, from.file);
    if (INI.test(file)) return this.madeOf(this.ini, file, from.file);
    if (!/\.ya?ml$/.test(file)) return null;
    const all = this.files()?.all;
    for (const base of [path.dirname(from.file), this.root]) {
      const full = path.resolve(base, file);
      if (all?.has(full)) return this.yamlOf(full)?.settings ?? null;
    }
    return null;
  }

  anySettings(ending: 'json' | 'yaml' | 'ini', from: Source): Expression | null {
    if (from.file === null) return null;
    const files = this.files();
    const every = files?.[ending].filter(file => !TOOLS.test(file)) ?? [];
    const own = path.dirname(from.file);
    // those of other programs stand in other folders
    const steps = (file: string) => path.relative(own, path.dirname(file)).split(path.sep).length;
    const [nearest] = every.toSorted((a, b) => steps(a) - steps(b) || Number(a > b) - 0.5);
    const folder = nearest && path.dirname(nearest);
    const named = every.filter(file => path.dirname(file) === folder);
    if (named.length === 0 || named.length > MOST_CONFIGURATIONS) return null;
    const texts = named.map(file => this.host.read(file) ?? '');
    const known = this.any.get(ending);
    if (known?.texts.every((text, at) => text === texts[at]) && known.texts.length === texts.length)
      return known.settings;
    const all = named.flatMap((file, at) => {
      if (!texts[at] || texts[at].length > LARGEST_CONFIGURATION) return [];
      const settings = ending === 'yaml' ? this.yamlOf(file)?.settings : this[ending].of(texts[at], file);
      return settings?.kind === 'record' ? [settings] : [];
    });
    const settings = all.length > 0 ? mergedSettings(all) : null;
    this.any.set(ending, { texts, settings });
    return settings;
  }

  /** Beside the file, or from the project's folder. */
  private madeOf(kind: MadeOfTexts<Expression | null>, file: string, from: string): Expression | null {
    for (const base of [path.dirname(from), this.root]) {
      const full = path.resolve(base, file);
      const text = this.inside(full) ? this.host.read(full) : null;
      if (text) return kind.of(text, full);
    }
    return null;
  }

  data(file: string, from: Source, part: 'begin' | 'whole'): { text: string; node: Node } | null {
    if (from.file === null || !DATA_FILE.test(file)) return null;
    for (let base = path.dirname(from.file); this.inside(base); base = path.dirname(base)) {
      const full = path.resolve(base, file);
      const text = this.inside(full) ? this.host.data(full, part) : null;
      if (text) return { text, node: new Source(null, text.slice(0, LONGEST_LINE), full).root };
      // not there yet: another of the same name is none
      if (text === undefined || base === path.dirname(base)) return null;
    }
    return null;
  }

  input(id: string, from: Source): Expression | null {
    if (from.file === null) return null;
    for (let base = path.dirname(from.file); this.inside(base); base = path.dirname(base)) {
      for (const page of [path.join(base, 'index.html'), path.join(base, 'public', 'index.html')]) {
        const text = this.host.read(page);
        const setting = text ? inputSetting(text, page, id) : null;
        if (setting) return setting;
      }
      if (base === path.dirname(base)) break;
    }
    return null;
  }

  private inside(place: string): boolean {
    return place === this.root || place.startsWith(this.root + path.sep);
  }

  instantiations(name: string, from: Source): readonly CallOf[] {
    if (from.file === null) return [];
    const target = new RegExp(`_target_\\s*:\\s*["']?[\\w.]*\\b${name}\\b["']?\\s*(?:#.*)?$`, 'm');
    return (this.files()?.yaml ?? []).flatMap(file => {
      const text = this.host.read(file);
      if (!text || !target.test(text)) return [];
      const settings = this.yamlOf(file)?.settings;
      return settings ? targets(settings, name) : [];
    });
  }

  // configuration

  private entry(from: Source): Entry | null {
    if (from.file === null) return null;
    if (this.begun === undefined) this.begun = this.findEntry();
    return this.begun;
  }

  /** The folder and name that `@hydra.main(config_path="conf", config_name="config")` of some file says. */
  private findEntry(): Entry | null {
    const files = this.files();
    if (!files || files.yaml.length === 0 || files.all.size > MOST_FILES) return null;
    const found = new Map<string, Entry>();
    for (const file of files.all) {
      if (!file.endsWith('.py')) continue;
      const text = this.host.read(file);
      const call = text?.includes('hydra') ? /@hydra\.main\s*\(([^)]*)\)/.exec(text)?.[1] : undefined;
      if (call === undefined) continue;
      const folder = /config_path\s*=\s*["']([^"']+)["']/.exec(call)?.[1] ?? '.';
      const name = /config_name\s*=\s*["']([^"']+)["']/.exec(call)?.[1];
      if (!name) continue;
      const entry = { folder: path.resolve(path.dirname(file), folder), name: name.replace(/\.ya?ml$/, '') };
      found.set(`${entry.folder}/${entry.name}`, entry);
    }
    // with several programs it is not told which one runs
    const [only] = found.values();
    return found.size === 1 ? only! : null;
  }

  /** The primary file, and the files of groups that its `defaults` choose; null where two disagree. */
  private composed(folder: string, name: string, names: readonly string[]): Expression | null {
    const primary = this.yamlIn(folder, name);
    if (!primary) return null;
    const found = [memberOf(primary.settings, names)];
    for (const { group, choice } of primary.defaults) {
      const [place, at] = group.split('@');
      const where = (at ?? place!).split(/[/.]/);
      const inner = where.every((part, index) => names[index] === part) ? names.slice(where.length) : null;
      const file = inner && this.yamlIn(path.join(folder, place!), choice);
      if (file) found.push(inner.length === 0 ? file.settings : memberOf(file.settings, inner));
    }
    const [only, ...more] = found.filter(each => each !== null);
    return more.length === 0 ? (only ?? null) : null;
  }

  private yamlIn(folder: string, name: string): YamlFile | null {
    const all = this.files()?.all;
    for (const ending of ['.yaml', '.yml']) {
      const file = path.join(folder, name.endsWith(ending) ? name : name + ending);
      if (all?.has(file)) return this.yamlOf(file);
    }
    return null;
  }

  private yamlOf(file: string): YamlFile | null {
    const text = this.host.read(file);
    return text ? this.yaml.of(text, file) : null;
  }

  // files

  private files(): Listed | null {
    const of = this.host.list();
    if (!of) return null;
    if (this.listed?.of !== of) {
      const byEnding = new Map<string, readonly string[]>();
      this.listed = {
        of,
        all: new Set(of),
        yaml: of.filter(file => /\.ya?ml$/.test(file)),
        json: of.filter(file => file.endsWith('.json')),
        ini: of.filter(file => INI.test(file)),
        ending: ending => {
          let found = byEnding.get(ending);
          if (!found) {
            found = of.filter(file => file.replaceAll('\\', '/').endsWith(ending));
            byEnding.set(ending, found);
          }
          return found;
        },
      };
    }
    return this.listed;
  }

  private source(file: string): Source | null {
    if (this.own?.file === file) return this.own;
    const text = this.host.read(file);
    const language = languageOfFile(file);
    if (!text || !language) return null;
    const known = this.sources.get(file);
    if (known?.text === text) return known.source;
    const tree = this.host.parse(text, language);
    if (!tree) return null;
    known?.tree.delete();
    const source = new Source(tree, text, file);
    this.sources.set(file, { text, source, tree });
    return source;
  }
}

/** Where an import may lead: beside the file, in the folders around it up to the project's, and in `src`. */
function candidates(name: string, from: string, root: string): string[] {
  if (name.startsWith('npm:')) {
    const relative = name.slice('npm:'.length);
    if (!relative.startsWith('.')) return [];
    const base = path.resolve(path.dirname(from), relative);
    const bare = base.replace(/\.[cm]?[jt]sx?$/, '');
    return [
      base,
      ...['.ts', '.tsx', '.js', '.mjs', '.jsx'].map(ending => bare + ending),
      `${base}/index.ts`,
      `${base}/index.js`,
    ];
  }
  const [, dots = '', rest = ''] = /^(\.*)(.*)$/.exec(name)!;
  const parts = rest ? rest.split('.') : [];
  const within = (base: string) => {
    const file = path.join(base, ...parts);
    return parts.length > 0
      ? [`${file}.py`, path.join(file, '__init__.py')]
      : [path.join(file, '__init__.py')];
  };
  if (dots) {
    let base = path.dirname(from);
    for (let up = 1; up < dots.length; up++) base = path.dirname(base);
    return within(base);
  }
  const found: string[] = [];
  for (let base = path.dirname(from); ; base = path.dirname(base)) {
    found.push(...within(base));
    if (base === root || base === path.dirname(base) || !base.startsWith(root)) break;
  }
  return [...found, ...within(path.join(root, 'src'))];
}

function memberOf(settings: Expression, names: readonly string[]): Expression | null {
  let here: Expression | undefined = settings;
  for (const name of names) here = here?.kind === 'record' ? here.entries.get(name) : undefined;
  return here ?? null;
}

/** The records with this `_target_`, as calls of it. */
function targets(settings: Expression, name: string): CallOf[] {
  if (settings.kind !== 'record') return [];
  const target = settings.entries.get('_target_');
  const isIt = target?.kind === 'setting' && String(target.value).split('.').at(-1) === name;
  const inner = [...settings.entries.values()].flatMap(each => targets(each, name));
  if (!isIt) return inner;
  const named = new Map(
    [...settings.entries].flatMap(([key, value]) =>
      key.startsWith('_') ? [] : [[key, { value, node: value.node }] as const],
    ),
  );
  const callee: Expression = { kind: 'other', node: target.node };
  return [
    { kind: 'call', callee, positional: [], named, spreads: [], isWhole: true, node: target.node },
    ...inner,
  ];
}
