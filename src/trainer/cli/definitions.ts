// unroll definitions: the recurrent layers and models that source files define, found without running them.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { type Language, languageOfFile, Syntax } from '../../definitions/code/syntax.ts';
import {
  type LayerData,
  layerData,
  type ModelData,
  modelData,
  type SequenceLayerData,
  sequenceData,
} from '../../definitions/describe.ts';
import { findDefinitions, unreadable } from '../../definitions/find.ts';
import { grammarsIn } from '../../definitions/node-files.ts';
import { type NotebookCode, notebookCode, notebookFault } from '../../definitions/notebook.ts';
import { plural } from '../../experiment/words.ts';
import { whyOf } from '../../runs/system-errors.ts';
import type { Command } from './command.ts';
import { Projects } from './definitions-project.ts';
import { CommandError, EXIT } from './exit.ts';
import { plain, screenOf, wrap } from './terminal.ts';

export const command: Command = {
  name: 'definitions',
  operands: 'FILE…',
  count: [1, Infinity],
  summary: 'List the sequence layers that TensorFlow.js, Keras and PyTorch files define.',
  details:
    'Files are read, never run, and so are those around them that they import, that call their classes, and that configure them. What they leave open is null; defaults and ranges stand beside.',
  options: {
    json: { help: 'Write one array to stdout and nothing else there.' },
    models: { help: 'Whole models with all their layers.' },
  },
  examples: ['unroll definitions model.py', 'unroll definitions src/*.ts --json'],
  async run(args) {
    const syntax = new Syntax(grammarsIn(grammars()));
    const projects = new Projects(syntax);
    const all: unknown[] = [];
    let faults = 0;
    for (const file of args.positionals) {
      try {
        const data = await read(syntax, projects, file, args.flag('models'));
        all.push(...data);
        if (!args.flag('json') && !args.flag('models')) printLayers(data as InCell<AnyLayer>[]);
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
        process.stderr.write(`${error.message}\n`);
        faults++;
      }
    }
    const found = args.flag('models') ? 'model with a recurrent layer' : 'sequence layer';
    if (all.length === 0 && faults < args.positionals.length)
      process.stderr.write(`No ${found} was found in ${plural(args.positionals.length - faults, 'file')}.\n`);
    if (args.flag('json')) process.stdout.write(`${JSON.stringify(all)}\n`);
    else if (args.flag('models')) process.stdout.write(`${JSON.stringify(all, null, 2)}\n`);
    return faults > 0 ? EXIT.wrongInput : EXIT.done;
  },
};

type AnyLayer = LayerData | SequenceLayerData;

/** Of what stands in a notebook: the cell, counted from 1, and the line in it. */
type InCell<T> = T & { notebookCell?: number; cellLine?: number };

/** @throws CommandError in a sentence with the file */
async function read(
  syntax: Syntax,
  projects: Projects,
  file: string,
  models: boolean,
): Promise<(InCell<AnyLayer> | ModelData)[]> {
  const { text, language, notebook } = codeOf(file);
  const why = unreadable(text);
  if (why) process.stderr.write(`${file} is skipped: ${why}.\n`);
  const full = path.resolve(file);
  const project = await projects.around(full);
  const found = await findDefinitions(syntax, text, language, { project, file: full });
  const inFile = <T extends { line: number }>(data: T): InCell<T> => {
    const place = notebook?.places[data.line - 1];
    if (!notebook || !place) return data;
    const line = notebook.lines[data.line - 1] ?? data.line;
    return { ...data, line, notebookCell: place.cell, cellLine: place.line };
  };
  if (models)
    return found.models
      .map(model => inFile(modelData(file, model)))
      .map((model): ModelData => ({ ...model, layers: model.layers.map(inFile) }));
  const layers = [
    ...found.layers.map(layer => layerData(file, layer)),
    ...found.others.map(layer => sequenceData(file, layer)),
  ].sort((a, b) => a.line - b.line);
  return layers.map(layer => {
    const data: InCell<AnyLayer> = inFile(layer);
    const { from } = data;
    if (!from) return data;
    if (from.file === file)
      return { ...data, from: { ...from, line: notebook?.lines[from.line - 1] ?? from.line } };
    return {
      ...data,
      from: { ...from, file: path.isAbsolute(file) ? from.file : path.relative('', from.file) },
    };
  });
}

function codeOf(file: string): { text: string; language: Language; notebook?: NotebookCode } {
  const language = languageOfFile(file);
  if (language) return { text: textOf(file), language };
  // what is missing or a folder is told first
  const text = textOf(file);
  if (!file.toLowerCase().endsWith('.ipynb'))
    throw new CommandError(
      `${file}: only Python, JavaScript and TypeScript files and notebooks are read (.py, .js, .ts, .tsx, .ipynb …).`,
    );
  const fault = notebookFault(text);
  if (fault) throw new CommandError(`${file}: ${fault}.`);
  const notebook = notebookCode(text);
  return notebook
    ? { text: notebook.text, language: notebook.language, notebook }
    : { text: '', language: 'python' };
}

function textOf(file: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why =
      code === 'ENOENT'
        ? 'there is no such file'
        : code === 'EISDIR'
          ? 'it is a folder'
          : `it cannot be read: ${whyOf(cause)}`;
    throw new CommandError(`${file}: ${why}.`);
  }
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))
    throw new CommandError(
      `${file}: it is written in UTF-16, which neither Python nor Node reads; save it as UTF-8.`,
    );
  if (bytes.subarray(0, 4096).includes(0))
    throw new CommandError(`${file}: it is no text (it holds zero bytes).`);
  return bytes.toString('utf8').replace(/^\uFEFF/, '');
}

/** Beside the bundle; in the source tree, the package's. */
function grammars(): string {
  const here = path.dirname(fileURLToPath(import.meta.url));
  if (path.basename(here) === 'cli')
    return path.resolve(here, '../../../node_modules/@vscode/tree-sitter-wasm/wasm');
  return path.join(path.basename(here) === 'parts' ? path.dirname(here) : here, 'grammars');
}

function printLayers(layers: readonly InCell<AnyLayer>[]): void {
  for (const layer of layers) {
    const { file, line, framework, notebookCell, cellLine } = layer;
    const place = notebookCell ? ` (cell ${notebookCell}, line ${cellLine})` : '';
    const { name, facts } = 'isTrained' in layer ? ofNamed(layer) : ofRecurrent(layer);
    const text = facts.filter(Boolean).join(' · ');
    const found = `${plain(file)}:${line}${place}: ${framework} ${name}${text && ' · '}${text}`;
    process.stdout.write(`${wrap(found, screenOf().textColumns, 2)}\n`);
  }
}

function ofNamed(layer: SequenceLayerData): { name: string; facts: (string | false)[] } {
  const { name, units: width, unitsDefault } = layer;
  const isOpen = width === null && unitsDefault === undefined;
  return {
    name,
    facts: [!isOpen && units(layer), parameters(layer), origin(layer), 'not trained from code'],
  };
}

function ofRecurrent(layer: LayerData): { name: string; facts: (string | false)[] } {
  const { cell, cells, isCell } = layer;
  return {
    name: cell ?? (cells ? cells.join(' or ') : 'RNN, GRU or LSTM'),
    facts: [
      units(layer),
      levels(layer),
      direction(layer),
      isCell && 'one step at a time',
      parameters(layer),
      origin(layer),
    ],
  };
}

type Sized = Pick<LayerData, 'units' | 'unitsDefault' | 'unitsRange'>;

function units({ units: value, unitsDefault, unitsRange }: Sized): string {
  if (value !== null) return plural(value, 'unit');
  if (unitsRange) return `${unitsRange[0]} to ${unitsRange[1]} units`;
  return unitsDefault === undefined ? 'units from outside' : `${plural(unitsDefault, 'unit')} by default`;
}

function levels({ layers, layersDefault }: LayerData): string | false {
  if (layers !== null) return layers !== 1 && plural(layers, 'layer');
  return layersDefault === undefined ? 'layers from outside' : `${plural(layersDefault, 'layer')} by default`;
}

function direction({ bidirectional, bidirectionalDefault }: LayerData): string | false {
  if (bidirectional !== null) return bidirectional && 'bidirectional';
  return bidirectionalDefault === true && 'bidirectional by default';
}

type Counted = Pick<LayerData, 'parameters' | 'parametersDefault' | 'parametersRange' | 'parametersByInput'>;

function parameters({ parameters: value, ...open }: Counted): string | false {
  const { parametersDefault, parametersRange, parametersByInput } = open;
  if (value !== null) return plural(value, 'parameter');
  if (parametersRange) return `${parametersRange[0]} to ${plural(parametersRange[1], 'parameter')}`;
  if (parametersByInput)
    return `${parametersByInput.fixed} + ${parametersByInput.perInput} × inputs parameters`;
  return parametersDefault !== undefined && `${plural(parametersDefault, 'parameter')} by default`;
}

function origin({ from, file }: AnyLayer): string | false {
  if (!from) return false;
  return `from ${from.file === file ? `line ${from.line}` : `${plain(from.file)}:${from.line}`}`;
}
