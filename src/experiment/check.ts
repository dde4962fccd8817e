// What a well-formed experiment can still have wrong: checks across fields, each with its place. What concerns one layer
// alone stands with its kind.

import { ZodError } from 'zod';
import { checkAugmentation } from './augmentation.ts';
import { checkBounds } from './bounds.ts';
import { comparisonSize, knowsWidths, MAX_MEMBERS, setField, withCell } from './compare.ts';
import { faultsOf } from './faults.ts';
import { CLASSIC_CELLS, kindOf, type Layer } from './layers/index.ts';
import {
  addsInput,
  knownSizes,
  lastStateOf,
  type PlacedLayer,
  placeLayers,
  seesOtherSteps,
  stepsOf,
  trainingSeqLen,
  UNREAD,
} from './models.ts';
import { countModel } from './parameters.ts';
import { dotted, type Path, parseDotted } from './place.ts';
import { error, type Remark, warning } from './remark.ts';
import { lossAtEveryStep, predictMemory } from './resources.ts';
import { type Experiment, experimentSchema } from './schema.ts';
import { type JsonSchema, schemaAt } from './schema-json.ts';
import type { ModelSizes } from './sizes.ts';
import { lossOf, taskOf } from './tasks/index.ts';
import { count, either, formatBytes, nearest, plural } from './words.ts';

export type { Remark } from './remark.ts';

/** `input` is the experiment as written, to tell what was left out. */
export function checkExperiment(experiment: Experiment, input: unknown, machineBytes: number): Remark[] {
  const bounds = checkBounds(experiment);
  if (bounds.length > 0) return bounds;
  const remarks = [
    ...checkLayers(experiment),
    ...checkData(experiment),
    ...checkTraining(experiment, input),
    ...checkCompare(experiment),
  ];
  const sizes = knownSizes(experiment) ?? smallestSizes(experiment);
  return remarks.some(({ severity }) => severity === 'error')
    ? remarks
    : [...remarks, ...checkMemory(experiment, sizes, machineBytes)];
}

/** For data that have not been read: any vocabulary and sequence is larger. */
function smallestSizes(experiment: Experiment): ModelSizes {
  const steps = trainingSeqLen(experiment);
  return {
    input: { kind: 'tokens', vocabulary: 2 },
    outputs: 2,
    steps: Number.isNaN(steps) ? 1 : undefined,
  };
}

// ---------------------------------------------------------------- layers

function checkLayers(experiment: Experiment): Remark[] {
  const { layers } = experiment.model;
  const remarks: Remark[] = [];
  if (!layers.some(seesOtherSteps)) {
    remarks.push(
      error(
        ['model', 'layers'],
        `No layer of the model sees more than one step; add one of type ${either(CLASSIC_CELLS)}, or another that reads across steps.`,
      ),
    );
  }
  const placed = placeLayers(experiment, knownSizes(experiment) ?? UNREAD);
  for (const each of placed) remarks.push(...checkLayer(each, experiment));
  // where a layer is wrong by itself, whether it reads the source is not the matter
  if (remarks.every(({ severity }) => severity !== 'error')) remarks.push(...checkSource(placed, experiment));
  return [
    ...checkChains(experiment),
    ...checkBeginnings(placed),
    ...checkCellStates(placed),
    ...remarks,
    ...checkLast(placed.at(-1)!, experiment),
    ...checkRidge(placed, experiment),
  ];
}

function checkChains({ data, model }: Experiment): Remark[] {
  const { needs } = taskOf(data);
  if (needs === 'encoder' && !model.encoder)
    return [
      error(
        ['model'],
        `The task "${data.task}" has a source: add \`encoder\`, the layers that read it, beside \`layers\`, which write the target.`,
      ),
    ];
  if (needs === 'layers' && model.encoder)
    return [
      error(['model', 'encoder'], `The task "${data.task}" has no source to encode; leave \`encoder\` out.`),
    ];
  return [];
}

/** The states that the encoder ends in fit those that the decoder begins in, level by level. */
function checkBeginnings(placed: readonly PlacedLayer[]): Remark[] {
  const wrong = placed.find(
    each =>
      !('bridge' in each.layer && each.layer.bridge) &&
      each.at.begins?.some(width => width !== null && width !== lastStateOf(each)),
  );
  if (!wrong) return [];
  const { at, path } = wrong;
  const own = lastStateOf(wrong);
  const given = at.begins!.find(width => width !== null && width !== own)!;
  return [
    error(
      [...path, 'units'],
      `This layer begins in the encoder's last state, which has ${count(given)} numbers, but has ${plural(own, 'unit')}; give it ${count(given)}, \`"bridge": "dense"\` or \`"initialState": "zeros"\`.`,
    ),
  ];
}

/** A decoder that never looks at its source writes the same for all. */
function checkSource(placed: readonly PlacedLayer[], { model }: Experiment): Remark[] {
  if (!model.encoder) return [];
  const reads = placed.some(
    ({ kind, layer, at }) =>
      kind.needsEncoder || kind.readsEncoder?.(layer) || at.begins?.some(width => width !== null),
  );
  if (reads) return [];
  return [
    error(
      ['model', 'layers'],
      'No layer of `layers` reads the source: none looks at the encoder\'s states, and none begins in a last state of the encoder. Add { "type": "attention" } before the last layer.',
    ),
  ];
}

/** Between cells with a cell state and without one, what both have is handed on. */
function checkCellStates(placed: readonly PlacedLayer[]): Remark[] {
  return placed.flatMap(({ kind, layer, at, path }) => {
    const given = at.cellStates?.find(has => has !== null && has !== Boolean(kind.hasCellState));
    const begins = `This ${kind.title} begins in h of the encoder's last state`;
    if (given === true)
      return [warning([...path, 'type'], `${begins}; it has no cell state, and c is left out.`)];
    if (given === false && !('bridge' in layer && layer.bridge))
      return [warning([...path, 'type'], `${begins}, and its c in zeros: the encoder has no cell state.`)];
    return [];
  });
}

/** The field that lets a layer see the steps behind it. */
function seesAllBy(layer: Layer): string[] {
  return ['bidirectional', 'causal'].filter(field => field in layer);
}

function wouldSee(layer: Layer, title: string, { data }: Experiment): string {
  const [field] = seesAllBy(layer);
  if (field === 'bidirectional')
    return `A bidirectional layer would see the characters it is to predict; leave \`bidirectional\` out for "${data.task}".`;
  const remedy = field === 'causal' ? 'leave `causal` true' : 'take `"padding": "causal"`';
  return `A ${title} that sees all steps would see the characters it is to predict; ${remedy} for "${data.task}".`;
}

function isTagger(layer: Layer | undefined): boolean {
  return layer !== undefined && kindOf(layer).tagsOnly === true;
}

function checkLayer(placed: PlacedLayer, experiment: Experiment): Remark[] {
  const { layer, kind, at, path } = placed;
  const remarks: Remark[] = [];
  const { reads, sees, carries } = kind.traits(layer);
  if ((kind.needsEncoder || kind.readsEncoder?.(layer)) && at.memory === null) {
    const where = path[1] === 'encoder' ? 'cannot stand in it' : 'needs `model.encoder`';
    return [
      error([...path, 'type'], `A layer of type "${layer.type}" reads an encoder's states and ${where}.`),
    ];
  }
  if (reads === 'tokens') remarks.push(...checkTokens(placed, experiment));
  if (!at.isLast && kind.readout && kind.widthField && !(kind.widthField in layer))
    remarks.push(
      error(
        path,
        isTagger(experiment.model.layers[at.index + 1])
          ? '`units` is missing: the last layer scores the tags itself, from any width; leave this one out, or give it `units`.'
          : '`units` is missing: only the last dense layer takes its width from the task.',
      ),
    );
  const isShort = kind.steps && path[1] === 'layers' && shortens(placed) && lossAtEveryStep(experiment);
  if (isShort)
    remarks.push(
      error(
        [...path, 'type'],
        `This layer gives fewer steps than it reads, but the task "${experiment.data.task}" has a target at every step; take \`"padding": "causal"\` and \`"stride": 1\`.`,
      ),
    );
  if (addsInput(layer)) remarks.push(...checkResidual(placed));
  const own = kind.check?.(layer, Number.isNaN(at.inputs) ? null : at) ?? [];
  remarks.push(...own.map(remark => ({ ...remark, path: [...path, ...remark.path] })));
  // one that is causal gives as many steps too
  if (sees === 'all' && path[1] === 'layers' && taskOf(experiment.data).predictsNext && !isShort)
    remarks.push(error([...path, ...seesAllBy(layer)], wouldSee(layer, kind.title, experiment)));
  else if (!carries) remarks.push(...checkWholeSequences(layer, sees === 'all', experiment));
  return remarks;
}

/** Whether a long sequence comes out with fewer steps. */
function shortens({ layer, kind }: PlacedLayer): boolean {
  const long = 1_000_000;
  return kind.steps!(layer, long) < long;
}

function checkResidual(placed: PlacedLayer): Remark[] {
  const { kind, at, path } = placed;
  const place = [...path, 'residual'];
  if (kind.steps && shortens(placed))
    return [
      error(
        place,
        'A residual adds steps one by one, but this layer gives fewer than it reads; leave it out.',
      ),
    ];
  if (at.isLast)
    return [
      error(
        place,
        "The last layer gives the task's outputs, and its input is no part of them; leave it out.",
      ),
    ];
  if (Number.isNaN(at.inputs) || at.inputs === at.outputs) return [];
  return [
    error(
      place,
      `A residual adds ${count(at.inputs)} numbers to ${count(at.outputs)}: both must be equal; give this layer ${plural(at.inputs, 'unit')}.`,
    ),
  ];
}

function checkTokens({ kind, at, path }: PlacedLayer, { data }: Experiment): Remark[] {
  const name = kind.title.toLowerCase();
  if (at.index > 0)
    return [
      error(
        [...path, 'type'],
        `An ${name} turns symbols into vectors, so it can only be the first layer; move it there.`,
      ),
    ];
  const input = taskOf(data).sizes(data)?.input;
  if (path[1] === 'encoder' || !input || input.kind === 'tokens') return [];
  return [
    error(
      [...path, 'type'],
      `An ${name} needs symbols, but the task "${data.task}" gives vectors; leave it out.`,
    ),
  ];
}

/** A layer without states between parts of a sequence needs it whole. */
function checkWholeSequences(layer: Layer, bothWays: boolean, experiment: Experiment): Remark[] {
  const { window } = experiment.training.bptt;
  if (window === undefined || window >= trainingSeqLen(experiment)) return [];
  return [
    error(
      ['training', 'bptt', 'window'],
      `\`window\` cuts sequences into parts, but a ${bothWays ? 'bidirectional layer' : `layer of type "${layer.type}"`} needs them whole; leave \`window\` out.`,
    ),
  ];
}

/** A readout in closed form has least squares, of numbers or of classes as 0 and 1, and reads no source. */
function checkRidge(placed: readonly PlacedLayer[], { data, model }: Experiment): Remark[] {
  const ridge = placed.find(({ layer }) => 'readout' in layer && layer.readout);
  if (!ridge) return [];
  const refused = (why: string) => [
    error([...ridge.path, 'readout'], `A ridge readout ${why}; leave \`readout\` out to learn by gradient.`),
  ];
  if (model.encoder) return refused('reads no source, but this model has an encoder');
  const { of, unit } = lossOf(data);
  if (of === 'alignments')
    return refused(`needs a target for each answer, but labels of "${data.task}" have no places`);
  if (unit === 'pinball') return refused('has least squares, which give the mean, and no `quantiles`');
  const { layer, path } = placed.at(-1)!;
  if (layer.type !== 'dense' || layer.activation !== 'linear' || layer.tied)
    return [
      error(
        [...path, 'type'],
        'A ridge readout sets the weights of a last dense layer with a matrix of its own and no activation; end the model with { "type": "dense" }.',
      ),
    ];
  return [];
}

function checkLast({ layer, kind, path }: PlacedLayer, { data }: Experiment): Remark[] {
  const readout = kind.readout?.(layer);
  if (!readout)
    return [
      error(
        [...path, 'type'],
        `The last layer must be of type "dense": it gives the task's outputs; add { "type": "dense" } after this "${layer.type}".`,
      ),
    ];
  const remarks: Remark[] = [];
  const { sizes, outputsFrom, tags } = taskOf(data);
  if (kind.tagsOnly && !tags)
    remarks.push(
      error(
        [...path, 'type'],
        `A layer of type "${layer.type}" scores the tags of whole sequences, which the task "${data.task}" has none of; end the model with { "type": "dense" }.`,
      ),
    );
  const outputs = sizes(data)?.outputs ?? null;
  const units = 'units' in layer ? layer.units : undefined;
  if (units !== undefined && units !== outputs) {
    const width = outputs === null ? outputsFrom : count(outputs);
    remarks.push(
      error(
        [...path, 'units'],
        `The last dense layer takes its width from the task (${width}), found ${units}; leave \`units\` out.`,
      ),
    );
  }
  if (readout === 'activated') {
    const activation = 'activation' in layer ? layer.activation : '';
    remarks.push(
      warning(
        [...path, 'activation'],
        `The last layer's outputs go to the loss as they are; "${activation}" limits what they can say, "linear" is usual.`,
      ),
    );
  }
  return remarks;
}

// ---------------------------------------------------------------- data and training

function checkData({ data, training }: Experiment): Remark[] {
  const own = taskOf(data).check?.(data) ?? [];
  const remarks = own.map((remark): Remark => ({ ...remark, path: ['data', ...remark.path] }));
  if (!('split' in data)) return remarks;
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
  const { stepsField: source, stream } = taskOf(data);
  const written = (...path: Path) => has(input, ['training', ...path]);
  if (training.bptt.window !== undefined && training.bptt.window > steps) {
    remarks.push(
      error(
        ['training', 'bptt', 'window'],
        `\`window\` must be at most the ${plural(steps, 'step')} of a sequence (\`${source}\`), found ${training.bptt.window}.`,
      ),
    );
  }
  if (training.bptt.window !== undefined && Number.isNaN(steps))
    remarks.push(
      error(
        ['training', 'bptt', 'window'],
        `\`window\` cuts sequences at the same steps, but those of "${data.task}" have lengths of their own; leave it out.`,
      ),
    );
  if (!stream) {
    if (written('seqLen')) {
      remarks.push(
        warning(
          ['training', 'seqLen'],
          `\`seqLen\` has no effect for "${data.task}": its sequences have ${Number.isNaN(steps) ? 'the steps of the data' : `\`${source}\` steps, ${steps}`}.`,
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
  if (training.teacherForcing && taskOf(data).needs !== 'encoder')
    remarks.push(
      warning(
        ['training', 'teacherForcing'],
        `\`teacherForcing\` has no effect for "${data.task}": it has no decoder that reads its own answers.`,
      ),
    );
  if (training.augmentation) {
    const sizes = knownSizes(experiment);
    remarks.push(...checkAugmented(experiment, sizes && (sizes.source ?? sizes.input)));
  }
  if ('split' in data && data.split[1] === 0 && training.schedule.type === 'plateau')
    remarks.push(
      error(
        ['training', 'schedule', 'type'],
        'The schedule "plateau" watches the validation loss, but `split` leaves no validation part; give it a share above 0.',
      ),
    );
  if (training.labelSmoothing > 0 && taskOf(data).loss.of !== 'classes')
    remarks.push(
      warning(
        ['training', 'labelSmoothing'],
        `\`labelSmoothing\` has no effect for "${data.task}": its targets are no classes.`,
      ),
    );
  if ('warmup' in training.schedule && training.schedule.warmup >= training.steps) {
    remarks.push(
      warning(
        ['training', 'schedule', 'warmup'],
        `Warm-up takes ${plural(training.schedule.warmup, 'step')}, but training ends after ${count(training.steps)}: the full learning rate is never reached.`,
      ),
    );
  }
  return remarks;
}

/** `input`: what the model reads first, null where the data must be read. */
export function checkAugmented({ data, training }: Experiment, input: ModelSizes['input'] | null): Remark[] {
  const { augmentation, bptt } = training;
  if (!augmentation) return [];
  const place = ['training', 'augmentation'];
  const own = checkAugmentation(augmentation, taskOf(data), input, data.task);
  const remarks = own.map(remark => ({ ...remark, path: [...place, ...remark.path] }));
  if (
    bptt.window !== undefined &&
    augmentation.crop + augmentation.tokenDrop > 0 &&
    taskOf(data).loss.at === 'sequence'
  )
    remarks.push(
      error(
        ['training', 'bptt', 'window'],
        '`window` needs sequences of equal length, but `augmentation` shortens them; leave `crop` and `tokenDrop` or `window` out.',
      ),
    );
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
  const { cell, data, seeds: _seeds, equal, ...fields } = experiment.compare ?? {};
  const remarks = Object.entries(fields).flatMap(([key, values]) => checkAxis(key, values, experiment));
  // what is wrong without a comparison is told once, at its own place
  const alone = [...checkLayers(experiment), ...checkData(experiment)];
  if (!alone.some(({ severity }) => severity === 'error')) {
    for (const [index, own] of (data ?? []).entries())
      remarks.push(...memberFault(['compare', 'data', index], () => ({ ...experiment, data: own })));
    for (const [index, own] of (cell ?? []).entries())
      remarks.push(...memberFault(['compare', 'cell', index], () => withCell(experiment, own), own));
  }
  if (remarks.length === 0 && equal === 'parameters' && !knowsWidths(experiment))
    remarks.push(
      error(
        ['compare', 'equal'],
        'How many parameters a cell has depends on its input here, which only the data tell; put a layer of known width before it, such as an embedding.',
      ),
    );
  const size = remarks.length > 0 ? 0 : comparisonSize(experiment);
  if (size > MAX_MEMBERS) {
    remarks.push(
      error(['compare'], `This comparison makes ${count(size)} runs; at most ${MAX_MEMBERS} are allowed.`),
    );
  }
  return remarks;
}

/** The first fault of a member, at the value that makes it. `own`: fields of a cell, among which a fault may stand. */
function memberFault(place: Path, member: () => Experiment, own?: unknown): Remark[] {
  let made: Experiment;
  try {
    made = member();
  } catch (cause) {
    if (!(cause instanceof ZodError)) throw cause;
    return faultsOf(cause, own)
      .slice(0, 1)
      .map(({ message, path, ofKey }) => ({ ...error([...place, ...path], message), ofKey }));
  }
  const faults = [...checkBounds(made), ...checkLayers(made), ...checkData(made)];
  const [fault] = faults.filter(({ severity }) => severity === 'error');
  return fault ? [error(place, fault.message)] : [];
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
  const missing = path.length === 1 ? unknownAxis(key, experiment) : unknownField(path, experiment);
  if (missing) return [{ ...error(place, missing), ofKey: true }];
  return values.flatMap((value, index): Remark[] => {
    const member = setField(experiment, path, value);
    const { error: found } = experimentSchema.safeParse(member);
    const [fault] = found ? faultsOf(found, member) : [];
    return fault ? [error([...place, index], fault.message)] : [];
  });
}

/** "units" is no field of the experiment: a word of `compare` or the path of a field of that name is meant. */
function unknownAxis(key: string, experiment: Experiment): string {
  const own = Object.keys(schemaAt(['compare'], experiment)?.properties ?? {});
  const paths = fieldPaths(experiment);
  const named = (name: string | null) => paths.find(path => path.split('.').at(-1) === name);
  const names = paths.map(path => path.split('.').at(-1)!);
  const meant = nearest(key, own) ?? named(key) ?? named(nearest(key, names));
  const words = own.map(word => `\`${word}\``).join(', ');
  return (
    `\`compare\` has no \`${key}\`` +
    (meant
      ? `; did you mean \`${meant}\`?`
      : ` beside ${words}; a field is named by its path, such as \`training.batchSize\`.`)
  );
}

/** Dotted paths of the fields that can be compared, nearest to the root first. */
function fieldPaths(experiment: Experiment): string[] {
  const paths: string[] = [];
  const open: [prefix: string, value: unknown][] = (['training', 'model', 'data'] as const).map(part => [
    part,
    experiment[part],
  ]);
  for (const [prefix, value] of open) {
    if (typeof value !== 'object' || value === null) paths.push(prefix);
    else
      open.push(
        ...Object.entries(value).map(([name, part]): [string, unknown] => [`${prefix}.${name}`, part]),
      );
  }
  return paths;
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
export function checkMemory(
  experiment: Experiment,
  sizes: ModelSizes,
  machineBytes: number,
  maxTokens?: number,
): Remark[] {
  const needed = predictMemory(experiment, sizes, maxTokens);
  if (needed.bytes <= machineBytes) return [];
  const largest = needed.parts.reduce((a, b) => (b.bytes > a.bytes ? b : a));
  const ofBatch = largest.name === 'activations' || largest.name === 'outputs' || largest.name === 'data';
  const alone = ofBatch ? longestAlone(experiment, sizes, maxTokens) : null;
  const path = alone?.path ?? (ofBatch ? batchPlace : widestLayer(experiment));
  return [
    error(
      path,
      `Training this would take about ${formatBytes(needed.bytes)} of memory (${count(countModel(experiment, sizes).total)} parameters), but this machine has ${formatBytes(machineBytes)}; ${alone?.advice ?? adviceAt(path)}.`,
    ),
  ];
}

/** Where batches are already cut to the longest sequence alone, a smaller batch helps nothing; null: they are not. */
function longestAlone(
  experiment: Experiment,
  sizes: ModelSizes,
  maxTokens = Number.POSITIVE_INFINITY,
): { path: Path; advice: string } | null {
  const { stepsField, stream } = taskOf(experiment.data);
  const steps = stepsOf(experiment, sizes);
  if (maxTokens > steps) return null;
  const path = [stream ? 'training' : 'data', stepsField];
  return {
    path,
    advice: `one sequence of ${plural(steps, 'step')} takes that alone: make \`${dotted(path)}\` or the model smaller`,
  };
}

const batchPlace: Path = ['training', 'batchSize'];

function adviceAt(path: Path): string {
  return path === batchPlace ? 'make the batch, the sequence or the model smaller' : 'use fewer units';
}

function widestLayer(experiment: Experiment): Path {
  const sizes = knownSizes(experiment) ?? smallestSizes(experiment);
  const named = placeLayers(experiment, sizes).filter(
    ({ kind, layer }) => kind.widthField && kind.widthField in layer,
  );
  const widest = named.reduce<PlacedLayer | null>(
    (a, b) => (a && a.at.outputs >= b.at.outputs ? a : b),
    null,
  );
  return widest ? [...widest.path, widest.kind.widthField!] : ['model', 'layers'];
}
