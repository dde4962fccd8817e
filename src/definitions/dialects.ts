// Which rules of code belong to which language.
import type { Dialect } from './code/expression.ts';
import { javascriptDialect } from './code/javascript.ts';
import { pythonDialect } from './code/python.ts';
import type { Language } from './code/syntax.ts';

/** A new one for every tree: it remembers the tree's scopes. */
export function dialectOf(language: Language): Dialect {
  return language === 'python' ? pythonDialect() : javascriptDialect();
}
