// unroll definitions: the recurrent layers and models that source files define, found without running them.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { type Language, languageOfFile, Syntax } from '../../definitions/code/syntax.ts';
import { type LayerData, layerData, type ModelData, modelData } from '../../definitions/describe.ts';
import { findDefinitions, unreadable } from '../../definitions/find.ts';
import { grammarsIn } from '../../definitions/node-files.ts';
import { type NotebookCode, notebookCode } from '../../definitions/notebook.ts';
import { plural } from '../../experiment/words.ts';
import type { Command } from './command.ts';
import { CommandError, EXIT } from './exit.ts';
import { plain, screenOf, wrap } from './terminal.ts';

export const command: Command = {
  name: 'definitions',
  operands: 'FILE…',
  count: [1, Infinity],
  summary: 'List the recurrent layers that TensorFlow.js, Keras and PyTorch files define.',
  details: 'Files are read, never run. What a file leaves open is null.',
  options: {
    json: { help: 'Write one array to stdout and nothing else there.' },
    models: { help: 'Whole models with all their layers.' },
  },
  examples: ['unroll definitions model.py', 'unroll definitions src/*.ts --json'],
  async run(args) {
    const syntax = new Syntax(grammarsIn(grammars()));
    const all: unknown[] = [];
    for (const file of args.positionals) {
      const { text, language, lines } = codeOf(file);
      const why = unreadable(text);
      if (why) process.stderr.write(`${file} is skipped: ${why}.\n`);
      const found = await findDefinitions(syntax, text, language);
      const inFile = <T extends { line: number }>(data: T): T => ({
        ...data,
        line: lines?.[data.line - 1] ?? data.line,
      });
      const data = args.flag('models')
        ? found.models
            .map(model => inFile(modelData(file, model)))
            .map((model): ModelData => ({ ...model, layers: model.layers.map(inFile) }))
        : found.layers.map(layer => inFile(layerData(file, layer)));
      all.push(...data);
      if (!args.flag('json') && !args.flag('models')) printLayers(data as LayerData[]);
    }
    if (args.flag('json')) process.stdout.write(`${JSON.stringify(all)}\n`);
    else if (args.flag('models')) process.stdout.write(`${JSON.stringify(all, null, 2)}\n`);
    return EXIT.done;
  },
};

function codeOf(file: string): { text: string; language: Language; lines?: number[] } {
  const language = languageOfFile(file);
  if (language) return { text: textOf(file), language };
  // what is missing or a folder is told first
  const text = textOf(file);
  if (!file.toLowerCase().endsWith('.ipynb'))
    throw new CommandError(
      `${file}: only Python, JavaScript and TypeScript files and notebooks are read (.py, .js, .ts, .tsx, .ipynb …).`,
    );
  const code: NotebookCode | null = notebookCode(text);
  return code ?? { text: '', language: 'python' };
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why =
      code === 'ENOENT'
        ? 'there is no such file'
        : code === 'EISDIR'
          ? 'it is a folder'
          : `it cannot be read (${code})`;
    throw new CommandError(`${file}: ${why}.`);
  }
}

/** Beside the bundle; in the source tree, the package's. */
function grammars(): string {
  const here = path.dirname(fileURLToPath(import.meta.url));
  if (path.basename(here) === 'cli')
    return path.resolve(here, '../../../node_modules/@vscode/tree-sitter-wasm/wasm');
  return path.join(path.basename(here) === 'parts' ? path.dirname(here) : here, 'grammars');
}

function printLayers(layers: readonly LayerData[]): void {
  for (const {
    file,
    line,
    framework,
    cell,
    isCell,
    units,
    unitsDefault,
    bidirectional,
    layers: levels,
    parameters,
  } of layers) {
    const facts = [
      units === null
        ? unitsDefault === undefined
          ? 'units from outside'
          : `units from outside, ${unitsDefault} by default`
        : plural(units, 'unit'),
      levels !== 1 && (levels === null ? 'layers from outside' : plural(levels, 'layer')),
      bidirectional && 'bidirectional',
      isCell && 'one step at a time',
      parameters !== null && plural(parameters, 'parameter'),
    ].filter(Boolean);
    const found = `${plain(file)}:${line}: ${framework} ${cell ?? 'RNN, GRU or LSTM'} · ${facts.join(' · ')}`;
    process.stdout.write(`${wrap(found, screenOf().textColumns, 2)}\n`);
  }
}
