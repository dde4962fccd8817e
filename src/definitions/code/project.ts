// What stands beside a text: files of the same project, by how they are imported, by what calls them, and their
// configuration. Nothing is run. A file that is not there yet is none, and may be there the next time.
import type { CallOf, Expression } from './expression.ts';
import type { Node, Source } from './node.ts';

export interface Project {
  /** A text that is read now, which stands for its file. */
  enter(source: Source): void;
  /** The file that an import of this name leads to from a file. */
  module(name: string, from: Source): Source | null;
  /** Files that mention a name, `from` not among them. */
  mentioning(name: string, from: Source): readonly Source[];
  /** What the project's configuration gives for `cfg.model.hidden_size`; null where it does not. */
  setting(path: readonly string[], from: Source): Expression | null;
  /** All that a configuration file gives. */
  settingsIn(file: string, from: Source): Expression | null;
  /** What the configuration files of a kind have in common, where it is not told which one is loaded. */
  anySettings(ending: 'json' | 'yaml' | 'ini', from: Source): Expression | null;
  /** What an input of the page beside a script holds before anybody changes it. */
  input(id: string, from: Source): Expression | null;
  /**
   * The text of a data file, its first lines or the whole of one that is not large; `node` is its first line. A program
   * may read another one: what it says holds by default.
   */
  data(file: string, from: Source, part: 'begin' | 'whole'): { text: string; node: Node } | null;
  /** What configuration files make a class with: `_target_: package.Net`. */
  instantiations(name: string, from: Source): readonly CallOf[];
}

export const NO_PROJECT: Project = {
  enter: () => {},
  module: () => null,
  mentioning: () => [],
  setting: () => null,
  settingsIn: () => null,
  anySettings: () => null,
  input: () => null,
  data: () => null,
  instantiations: () => [],
};
