// What a well-formed experiment can still have wrong: checks across fields, each with its place.
import { comparisonSize, MAX_MEMBERS, setField } from './compare.ts';
import { faultsOf } from './faults.ts';
import { countModel, knownSizes, type ModelSizes, withWidths } from './parameters.ts';
import { dotted, type Path, parseDotted } from './place.ts';
import { predictMemory, trainingSeqLen } from './resources.ts';
import {
  type Experiment,
  experimentSchema,
  isRecurrent,
  type Layer,
  readsInParts,
  seesOtherSteps,
  type TransformerLayer,
} from './schema.ts';
import { type JsonSchema, schemaAt } from './schema-json.ts';
import { count, formatBytes, nearest, plural } from './words.ts';

export interface Remark {
  message: string;
  path: Path;
  severity: 'error' | 'warning';
  ofKey?: boolean;
}

/** `input` is the experiment as written, to tell what was left out. */
export function checkExperiment(experiment: Experiment, input: unknown, machineBytes: number): Remark[] {
  const remarks = [
    ...checkLayers(experiment),
    ...checkData(experiment),
    ...checkTraining(experiment, input),
    ...checkCompare(experiment),
  ];
  const sizes = knownSizes(experiment) ?? smallestSizes;
  return remarks.some(({ severity }) => severity === 'error')
    ? remarks
    : [...remarks, ...checkMemory(experiment, sizes, machineBytes)];
}

/** For a text that has not been read: any vocabulary is larger. */
const smallestSizes: ModelSizes = { input: { kind: 'tokens', vocabulary: 2 }, outputs: 2 };

const error = (path: Path, message: string): Remark => ({ path, message, severity: 'error' });
const warning = (path: Path, message: string): Remark => ({ path, message, severity: 'warning' });

// ---------------------------------------------------------------- layers

function checkLayers(experiment: Experiment): Remark[] {
  const {
    model: { layers },
    data,
  } = experiment;
  const remarks: Remark[] = [];
  const at = (index: number, ...rest: Path): Path => ['model', 'layers', index, ...rest];
  const end = layers.length - 1;
  if (!layers.some(seesOtherSteps)) {
    remarks.push(
      error(
        ['model', 'layers'],
        'No layer of the model sees more than one step; add one of type "rnn", "gru", "lstm", "transformer" or "tcn".',
      ),
    );
  }
  for (const [index, layer] of layers.entries()) {
    if (layer.type === 'embedding' && index > 0) {
      remarks.push(
        error(
          at(index, 'type'),
          'An embedding turns symbols into vectors, so it can only be the first layer; move it there.',
        ),
      );
    } else if (layer.type === 'embedding' && data.task !== 'char-lm') {
      remarks.push(
        error(
          at(index, 'type'),
          `An embedding needs symbols, but the task "${data.task}" gives vectors; leave it out.`,
        ),
      );
    }
    if (layer.type === 'dense' && layer.units === undefined && index < end) {
      remarks.push(
        error(at(index), '`units` is missing: only the last dense layer takes its width from the task.'),
      );
    }
    if (isRecurrent(layer) && layer.dropout > 0 && layer.layers === 1) {
      remarks.push(
        warning(
          at(index, 'dropout'),
          'This dropout has no effect: it stands between stacked layers, and `layers` is 1; add { "type": "dropout", "rate": … } after this layer instead.',
        ),
      );
    }
    if (!readsInParts(layer)) remarks.push(...checkWholeSequences(layer, at(index), experiment));
    if (layer.type === 'transformer') remarks.push(...checkHeads(layer, at(index), index, experiment));
    if (layer.type === 'dropout' && layer.rate === 0) {
      remarks.push(warning(at(index, 'rate'), 'A dropout rate of 0 has no effect.'));
    }
  }
  return [...remarks, ...checkLast(layers[end]!, at(end), data)];
}

/** A layer without states between parts of a sequence needs it whole, and must not see the answer. */
function checkWholeSequences(layer: Layer, path: Path, experiment: Experiment): Remark[] {
  const { data, training } = experiment;
  const both = isRecurrent(layer);
  if (both && data.task === 'char-lm') {
    return [
      error(
        [...path, 'bidirectional'],
        'A bidirectional layer would see the characters it is to predict; leave `bidirectional` out for "char-lm".',
      ),
    ];
  }
  const { window } = training.bptt;
  if (window === undefined || window >= trainingSeqLen(experiment)) return [];
  return [
    error(
      ['training', 'bptt', 'window'],
      `\`window\` cuts sequences into parts, but a ${both ? 'bidirectional layer' : `layer of type "${layer.type}"`} needs them whole; leave \`window\` out.`,
    ),
  ];
}

/** Only where the width is known before the data is read. */
function checkHeads(
  { heads }: TransformerLayer,
  path: Path,
  index: number,
  experiment: Experiment,
): Remark[] {
  const { layers } = experiment.model;
  const sizes = knownSizes(experiment);
  const told = layers.slice(0, index).some(layer => 'dim' in layer || ('units' in layer && layer.units));
  if (!sizes && !told) return [];
  const width = withWidths(layers, sizes ?? smallestSizes)[index]!.inputSize;
  if (width % heads === 0) return [];
  return [
    error(
      [...path, 'heads'],
      `The ${count(width)} numbers that reach this layer cannot be shared by ${count(heads)} heads; take a number of heads that divides them, or a dense layer before to widen them.`,
    ),
  ];
}

function checkLast(
  layer: Experiment['model']['layers'][number],
  path: Path,
  data: Experiment['data'],
): Remark[] {
  if (layer.type !== 'dense') {
    return [
      error(
        [...path, 'type'],
        `The last layer must be of type "dense": it gives the task's outputs; add { "type": "dense" } after this "${layer.type}".`,
      ),
    ];
  }
  const remarks: Remark[] = [];
  const outputs = {
    'char-lm': null,
    adding: 1,
    'temporal-order': 4,
    forecast: data.task === 'forecast' ? data.horizon : 1,
  }[data.task];
  if (layer.units !== undefined && layer.units !== outputs) {
    const width = outputs === null ? 'the number of characters in the text' : count(outputs);
    remarks.push(
      error(
        [...path, 'units'],
        `The last dense layer takes its width from the task (${width}), found ${layer.units}; leave \`units\` out.`,
      ),
    );
  }
  if (layer.activation !== 'linear') {
    remarks.push(
      warning(
        [...path, 'activation'],
        `The last layer's outputs go to the loss as they are; "${layer.activation}" limits what they can say, "linear" is usual.`,
      ),
    );
  }
  return remarks;
}

// ---------------------------------------------------------------- data and training

function checkData({ data, training }: Experiment): Remark[] {
  if (!('split' in data)) return [];
  const remarks: Remark[] = [];
  if (data.split[0] === 0)
    remarks.push(error(['data', 'split', 0], 'The training part is empty; give it a share above 0.'));
  if (data.split[1] === 0 && training.earlyStopping) {
    remarks.push(
      error(
        ['training', 'earlyStopping'],
        'Early stopping watches the validation loss, but `split` leaves no validation part; give it a share above 0.',
      ),
    );
  }
  return remarks;
}

function checkTraining(experiment: Experiment, input: unknown): Remark[] {
  const { training, data } = experiment;
  const remarks: Remark[] = [];
  const steps = trainingSeqLen(experiment);
  const source = { 'char-lm': 'seqLen', forecast: 'window', adding: 'length', 'temporal-order': 'length' }[
    data.task
  ];
  const written = (...path: Path) => has(input, ['training', ...path]);
  if (training.bptt.window !== undefined && training.bptt.window > steps) {
    remarks.push(
      error(
        ['training', 'bptt', 'window'],
        `\`window\` must be at most the ${plural(steps, 'step')} of a sequence (\`${source}\`), found ${training.bptt.window}.`,
      ),
    );
  }
  if (data.task !== 'char-lm') {
    if (written('seqLen')) {
      remarks.push(
        warning(
          ['training', 'seqLen'],
          `\`seqLen\` has no effect for "${data.task}": its sequences have \`${source}\` steps, ${steps}.`,
        ),
      );
    }
    if (training.bptt.carryState && written('bptt', 'carryState')) {
      remarks.push(
        warning(
          ['training', 'bptt', 'carryState'],
          `\`carryState\` has no effect for "${data.task}": its sequences do not follow one another.`,
        ),
      );
    }
  }
  if (training.schedule.warmup >= training.steps) {
    remarks.push(
      warning(
        ['training', 'schedule', 'warmup'],
        `Warm-up takes ${plural(training.schedule.warmup, 'step')}, but training ends after ${count(training.steps)}: the full learning rate is never reached.`,
      ),
    );
  }
  return remarks;
}

function has(value: unknown, path: Path): boolean {
  let here = value;
  for (const key of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, key)) return false;
    here = (here as Record<string | number, unknown>)[key];
  }
  return true;
}

// ---------------------------------------------------------------- comparison

function checkCompare(experiment: Experiment): Remark[] {
  const { cell: _cell, seeds: _seeds, ...fields } = experiment.compare ?? {};
  const remarks = Object.entries(fields).flatMap(([key, values]) => checkAxis(key, values, experiment));
  const size = remarks.length > 0 ? 0 : comparisonSize(experiment);
  if (size > MAX_MEMBERS) {
    remarks.push(
      error(['compare'], `This comparison makes ${count(size)} runs; at most ${MAX_MEMBERS} are allowed.`),
    );
  }
  return remarks;
}

function checkAxis(key: string, values: readonly unknown[], experiment: Experiment): Remark[] {
  const path = parseDotted(key);
  const place: Path = ['compare', key];
  const fixed = ['$schema', 'name', 'compare'];
  if (fixed.includes(String(path[0]))) {
    return [
      {
        ...error(place, `\`${key}\` cannot be compared; name a field of data, model or training.`),
        ofKey: true,
      },
    ];
  }
  const missing = unknownField(path, experiment);
  if (missing) return [{ ...error(place, missing), ofKey: true }];
  return values.flatMap((value, index): Remark[] => {
    const member = setField(experiment, path, value);
    const { error: found } = experimentSchema.safeParse(member);
    const [fault] = found ? faultsOf(found, member) : [];
    return fault ? [error([...place, index], fault.message)] : [];
  });
}

/** A compared path must name something the experiment can have. */
export function unknownField(path: Path, experiment: Experiment): string | null {
  for (let end = 1; end <= path.length; end++) {
    const outOfList = typeof path[end - 1] === 'number' && !has(experiment, path.slice(0, end));
    const schema = outOfList ? null : schemaAt(path.slice(0, end), experiment);
    if (schema) continue;
    const around = schemaAt(path.slice(0, end - 1), experiment);
    const meant = nearest(String(path[end - 1]), Object.keys(around?.properties ?? {}));
    const hint = meant
      ? `did you mean \`${dotted([...path.slice(0, end - 1), meant, ...path.slice(end)])}\`?`
      : `\`${dotted(path.slice(0, end - 1)) || 'the experiment'}\` ${holds(around)}.`;
    return `This experiment has no field \`${dotted(path)}\`; ${hint}`;
  }
  return null;
}

function holds(schema: JsonSchema | null): string {
  if (schema?.properties)
    return `holds ${Object.keys(schema.properties)
      .map(key => `\`${key}\``)
      .join(', ')}`;
  return schema?.items ? 'is a list: name one of its entries by number, counted from 0' : 'holds no fields';
}

// ---------------------------------------------------------------- memory

/** One error, at the widest layer, if the step would need more memory than the machine has. */
export function checkMemory(experiment: Experiment, sizes: ModelSizes, machineBytes: number): Remark[] {
  const needed = predictMemory(experiment, sizes);
  if (needed.bytes <= machineBytes) return [];
  const largest = needed.parts.reduce((a, b) => (b.bytes > a.bytes ? b : a));
  const path =
    largest.name === 'activations' || largest.name === 'outputs' || largest.name === 'data'
      ? batchPlace
      : widestLayer(experiment);
  return [
    error(
      path,
      `Training this would take about ${formatBytes(needed.bytes)} of memory (${count(countModel(experiment, sizes).total)} parameters), but this machine has ${formatBytes(machineBytes)}; ${adviceAt(path)}.`,
    ),
  ];
}

const batchPlace: Path = ['training', 'batchSize'];

function adviceAt(path: Path): string {
  return path === batchPlace ? 'make the batch, the sequence or the model smaller' : 'use fewer units';
}

function widestLayer({ model: { layers } }: Experiment): Path {
  const widths = layers.map(layer =>
    'units' in layer ? (layer.units ?? 0) : 'dim' in layer ? layer.dim : 0,
  );
  const index = widths.indexOf(Math.max(...widths));
  return ['model', 'layers', index, 'dim' in layers[index]! ? 'dim' : 'units'];
}
