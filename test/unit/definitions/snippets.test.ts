// Snippets: what each writes, with the defaults of its placeholders and with every choice, is read as a model or is valid.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Language } from '../../../src/definitions/code/syntax.ts';
import { toExperiment } from '../../../src/definitions/to-experiment.ts';
import { parseExperiment } from '../../../src/experiment/parse.ts';
import { find, syntax } from './find.ts';

interface Snippet {
  prefix: string[];
  body: string[];
}

const root = path.resolve(import.meta.dirname, '../../..');
const contributed: { language: string; path: string }[] = JSON.parse(
  readFileSync(path.join(root, 'package.json'), 'utf8'),
).contributes.snippets;

function snippetsFor(language: string): [string, Snippet][] {
  return contributed
    .filter(each => each.language === language)
    .flatMap(each => Object.entries<Snippet>(JSON.parse(readFileSync(path.join(root, each.path), 'utf8'))));
}

/** The text that stands after Tab was pressed to the end, once for each choice. */
function texts({ body }: Snippet): string[] {
  const template = body.join('\n').replace('$0', '');
  const choices = /\$\{\d+\|([^|]+)\|\}/.exec(template)?.[1]?.split(',') ?? [''];
  return choices.map(choice => {
    const text = template.replace(/\$\{\d+\|[^|]+\|\}/g, choice).replace(/\$\{\d+:([^}]*)\}/g, '$1');
    assert.doesNotMatch(text, /\$/, 'a placeholder without a default');
    return text;
  });
}

const CELLS: Readonly<Record<string, string>> = { LSTM: 'lstm', GRU: 'gru', RNN: 'rnn' };

describe('snippets', () => {
  it('are there for every language that is read, and for experiments', () => {
    const languages = new Set(contributed.map(({ language }) => language));
    for (const each of [
      'python',
      'typescript',
      'typescriptreact',
      'javascript',
      'javascriptreact',
      'json',
      'jsonc',
    ])
      assert.ok(languages.has(each), each);
  });

  for (const [name, language] of [
    ['python', 'python'],
    ['typescript', 'typescript'],
    ['typescriptreact', 'tsx'],
    ['javascript', 'javascript'],
    ['javascriptreact', 'javascript'],
  ] as [string, Language][])
    for (const [title, snippet] of snippetsFor(name))
      it(`of ${name} are understood: ${title}`, async () => {
        const seen: string[] = [];
        for (const text of texts(snippet)) {
          const tree = await syntax.parse(text, language);
          assert.equal(tree.rootNode.hasError, false, text);
          tree.delete();
          if (/clip_grad_norm_/.test(text)) continue;
          const { models } = await find(language, text);
          assert.equal(models.length, 1, text);
          const { layers, obstacles } = toExperiment(models[0]!);
          assert.deepEqual(obstacles, [], text);
          seen.push(...layers.map(({ type }) => type).filter(type => Object.values(CELLS).includes(type)));
        }
        if (!title.startsWith('Clip')) assert.deepEqual(seen, ['lstm', 'gru', 'rnn']);
      });

  for (const [title, snippet] of snippetsFor('jsonc'))
    it(`of experiments are valid: ${title}`, () => {
      for (const text of texts(snippet)) {
        const whole = text.startsWith('{')
          ? text
          : `{ "data": { "task": "adding" }, "model": { "layers": [{ "type": "lstm", "units": 8 }, { "type": "dense" }] },\n${text} }`;
        const { experiment, problems } = parseExperiment(whole);
        assert.ok(experiment, whole);
        assert.deepEqual(problems, [], whole);
      }
    });
});
