// From source text to definitions. Pure but for the parser, which is started once.
import type { Language, Syntax, Tree } from './code/syntax.ts';
import { type Definitions, MENTIONS, OTHER_MENTIONS } from './definition.ts';
import { dialectOf } from './dialects.ts';
import { SourceReader, type Surroundings } from './found-layers.ts';
import { findModels } from './found-models.ts';
import { sequenceLayers } from './found-sequence-layers.ts';
import { atOnce, type Steps } from './steps.ts';

const NOTHING: Definitions = { layers: [], others: [], models: [], hasErrors: false };
/** Longer lines are those of minified code, which nobody reads. */
const LONG_LINE = 5000;
const LONG_FILE = 2e6;
/** Longer texts with a bundler's marks are libraries rather than models. */
const BUNDLE = 200_000;
const BUNDLERS =
  /\btypeof define\b|["']object["'] ?={2,3} ?typeof exports|__webpack_(?:require|modules)__|webpackJsonp|parcelRequire|\b__commonJS(?:Min)?\(|\b_interopRequire(?:Default|Wildcard)\(|\b__(?:esModule|extends|awaiter|generator)\b/;

/** Why a text is not looked at, in a sentence; null if it is. */
export function unreadable(text: string): string | null {
  if (text.length > LONG_FILE) return `it has ${(text.length / 1e6).toFixed(1)} million characters`;
  let long = 0;
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf('\n', start);
    const length = (end < 0 ? text.length : end) - start;
    if (length > LONG_LINE) long += length;
    if (end < 0) break;
    start = end + 1;
  }
  if (text.length > BUNDLE && BUNDLERS.test(text))
    return 'it is a bundle: a program put it together from many files';
  // a table in one line makes no minified file
  if (long * 2 > text.length)
    return 'it is minified: most of it stands in lines longer than 5,000 characters';
  return null;
}

export async function findDefinitions(
  syntax: Syntax,
  text: string,
  language: Language,
  surroundings?: Surroundings,
): Promise<Definitions> {
  if (!(MENTIONS.test(text) || OTHER_MENTIONS.test(text)) || unreadable(text)) return NOTHING;
  const tree = await syntax.parse(text, language);
  try {
    return definitionsIn(tree, text, language, surroundings);
  } finally {
    tree.delete();
  }
}

export function definitionsIn(
  tree: Tree,
  text: string,
  language: Language,
  surroundings?: Surroundings,
): Definitions {
  return atOnce(definitionsInSteps(tree, text, language, surroundings));
}

export function* definitionsInSteps(
  tree: Tree,
  text: string,
  language: Language,
  surroundings?: Surroundings,
): Steps<Definitions> {
  const reader = new SourceReader(text, tree, language, dialectOf(language), surroundings);
  const found = yield* reader.recurrentLayers();
  const layers = found.map(({ layer }) => layer);
  const models = yield* findModels(
    reader,
    layers,
    found.map(({ node }) => node),
  );
  const others = yield* sequenceLayers(reader);
  return { layers, others, models, hasErrors: reader.hasError(reader.root) };
}
