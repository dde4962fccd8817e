// How well model definitions are found: node --import tsx bench/definitions.ts [FOLDER]. Measured on real public files
// whose truth was checked by hand (../shared/data/definitions/index.json); FOLDER (default bench/out/definitions) holds
// them as <owner>/<name>/<path>, brought there by hand, since their code is not ours to commit.
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { languageOfFile, Syntax } from '../src/definitions/code/syntax.ts';
import { layerData } from '../src/definitions/describe.ts';
import { findDefinitions } from '../src/definitions/find.ts';
import { grammarsIn } from '../src/definitions/node-files.ts';

interface Truth {
  line: number;
  cell: string | null;
  bidirectional: boolean;
  layers: number | null;
  units?: number | null;
  hidden_size?: number | null;
  hidden_size_param_default?: number;
  layers_param_default?: number;
  /** what a call in the same file gives */
  via_call?: { line: number; hidden_size?: number; layers?: number };
  return_sequences?: boolean | null;
  batch_first?: boolean | null;
  is_cell?: boolean;
}
interface TruthFile {
  repo: string;
  path: string;
  definitions: Truth[];
}

const root = resolve(import.meta.dirname, '..');
const index = resolve(root, '../shared/data/definitions/index.json');
const folder = resolve(process.argv[2] ?? join(root, 'bench/out/definitions'));
const syntax = new Syntax(grammarsIn(join(root, 'node_modules/@vscode/tree-sitter-wasm/wasm')));

if (!existsSync(index)) {
  console.log(`Skipped: ${index} is not here.`);
  process.exit(0);
}
const { files } = JSON.parse(readFileSync(index, 'utf8')) as { files: TruthFile[] };
/** Layers whose units and parameters are shown, by framework: sure, by default, in a range. */
const shown: Record<string, Record<string, number>> = {};
const counts = { files: 0, absent: 0, found: 0, missed: 0, extra: 0, figures: 0, wrong: 0 };
let slowest = 0;

for (const { repo, path, definitions } of files) {
  const file = join(folder, repo, path);
  if (!existsSync(file)) {
    counts.absent++;
    console.log(`absent: ${repo} ${path}`);
    continue;
  }
  counts.files++;
  const text = readFileSync(file, 'utf8');
  const began = performance.now();
  const { layers } = await findDefinitions(syntax, text, languageOfFile(file)!);
  if (counts.files > 1) slowest = Math.max(slowest, performance.now() - began);
  for (const layer of layers) {
    const { units, unitsDefault, unitsRange, parameters, parametersDefault, parametersRange } = layerData(
      path,
      layer,
    );
    shown[layer.framework] ??= {};
    const own = shown[layer.framework]!;
    const add = (name: string) => {
      own[name] = (own[name] ?? 0) + 1;
    };
    add('layers');
    add(`units ${kindOf(units, unitsDefault, unitsRange)}`);
    add(`parameters ${kindOf(parameters, parametersDefault, parametersRange)}`);
  }
  const ours = new Map(layers.map(layer => [layer.range.line, layerData(path, layer)]));
  for (const truth of definitions) {
    const found = ours.get(truth.line);
    ours.delete(truth.line);
    if (!found) {
      counts.missed++;
      console.log(`missed: ${repo} ${path}:${truth.line}`);
      continue;
    }
    counts.found++;
    for (const [name, wanted] of Object.entries(expected(truth))) {
      counts.figures++;
      const given = (found as unknown as Record<string, unknown>)[name];
      if (given === wanted) continue;
      counts.wrong++;
      console.log(`wrong: ${repo} ${path}:${truth.line} ${name} is ${given}, should be ${wanted}`);
    }
  }
  for (const { line, cell } of ours.values()) {
    counts.extra++;
    console.log(`not there: ${repo} ${path}:${line} ${cell}`);
  }
}

const share = (part: number, whole: number) =>
  `${((100 * part) / Math.max(1, whole)).toFixed(1)} % (${part} of ${whole})`;
console.log(`
${counts.files} files, ${counts.absent} absent; the slowest took ${slowest.toFixed(0)} ms
recall     ${share(counts.found, counts.found + counts.missed)}
precision  ${share(counts.found, counts.found + counts.extra)}
figures    ${share(counts.figures - counts.wrong, counts.figures)}`);
for (const [framework, own] of Object.entries(shown)) {
  const { layers = 0, ...kinds } = own;
  const all = Object.entries(kinds).sort(([a], [b]) => (a < b ? -1 : 1));
  console.log(`${framework}: ${all.map(([kind, count]) => `${kind} ${share(count, layers)}`).join(', ')}`);
}
if (counts.files === 0) console.log(`Put the files that ${index} names into ${folder}.`);

function kindOf(sure: unknown, usual: unknown, range: unknown): string {
  if (sure !== null) return 'sure';
  if (range !== undefined) return 'in a range';
  return usual === undefined ? 'open' : 'by default';
}

function expected(truth: Truth): Record<string, unknown> {
  const { cell, bidirectional, layers, is_cell = false, hidden_size_param_default, via_call } = truth;
  return {
    cell: cell === 'SimpleRNN' ? 'RNN' : cell,
    isCell: is_cell,
    units: via_call?.hidden_size ?? ('hidden_size' in truth ? truth.hidden_size : truth.units),
    ...(hidden_size_param_default === undefined ? {} : { unitsDefault: hidden_size_param_default }),
    bidirectional,
    layers: via_call?.layers ?? layers,
    ...('return_sequences' in truth ? { returnSequences: truth.return_sequences } : {}),
    ...('batch_first' in truth ? { batchFirst: truth.batch_first } : {}),
  };
}
