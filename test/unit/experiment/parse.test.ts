// Faults in experiment files: each gives one sentence at its place.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { LAYER_TYPES } from '../../../src/experiment/layers/index.ts';
import { parseExperiment } from '../../../src/experiment/parse.ts';
import { either } from '../../../src/experiment/words.ts';

const MEMORY = 24e9;
const parse = (text: string) =>
  parseExperiment(text, { fileName: 'samples/emma.rnn.json', memoryBytes: MEMORY });

/** "line:column severity: message" of every problem. */
function problems(text: string): string[] {
  return parse(text).problems.map(
    ({ range, severity, message }) => `${range.line}:${range.column} ${severity}: ${message}`,
  );
}

const DENSE = '{ "type": "dense" }';
const LSTM = '{ "type": "lstm", "units": 8 }';
const adding = (rest: string, layers = `[${LSTM}, ${DENSE}]`) =>
  `{ "data": { "task": "adding" },\n  "model": { "layers": ${layers} }${rest ? `,\n  ${rest}` : ''} }`;
const text = (layers: string, rest = '') =>
  `{ "data": { "task": "char-lm", "path": "t.txt" },\n  "model": { "layers": ${layers} }${rest ? `,\n  ${rest}` : ''} }`;

const syntax: [name: string, text: string, problem: string][] = [
  ['an empty file', '', '1:1 error: The file is empty; an experiment starts with { "data": …, "model": … }.'],
  [
    'white space',
    ' \n\t',
    '1:1 error: The file is empty; an experiment starts with { "data": …, "model": … }.',
  ],
  [
    'a list',
    '\n []',
    '2:2 error: An experiment is an object in braces { }, found an array; an experiment starts with { "data": …, "model": … }.',
  ],
  [
    'null',
    'null',
    '1:1 error: An experiment is an object in braces { }, found null; an experiment starts with { "data": …, "model": … }.',
  ],
  ['an open brace', '{', '1:2 error: A closing brace } is missing, found the end of the file.'],
  ['a missing comma', '{ "data": 1\n  "model": 2 }', '2:3 error: A comma is missing before "\\"model\\"".'],
  ['a missing colon', '{ "data" 1 }', '1:10 error: A colon is expected between key and value, found "1".'],
  [
    'single quotes',
    "{\n  'data': 1 }",
    '2:3 error: "\'data\'" is not a value; texts stand in double quotes, other values are numbers, true, false and null.',
  ],
  ['an open text', '{ "data": "x\n }', '1:11 error: This text is not closed; end it with a double quote.'],
  ['an open comment', '{ /* ', '1:3 error: This comment is not closed; end it with */.'],
  [
    'binary noise',
    '\u0000\u0001\u0002',
    '1:1 error: "\\u0000\\u0001\\u0002" is not a value; texts stand in double quotes, other values are numbers, true, false and null.',
  ],
  [
    'a hundred thousand brackets',
    '['.repeat(100_000),
    '1:1 error: The file is nested too deeply to be an experiment.',
  ],
  [
    'data instead of an experiment',
    'a,b\n'.repeat(300_000),
    '1:1 error: This file has 1.2 MB; an experiment has at most 1 MB. Is it the data?',
  ],
];

const values: [name: string, text: string, problems: string[]][] = [
  [
    'no data and no model',
    '{}',
    [
      '1:1 error: `data` is missing; it must be an object in braces { }.',
      '1:1 error: `model` is missing; it must be an object in braces { }.',
    ],
  ],
  [
    'an unknown key',
    adding('"trainig": {}'),
    ['3:3 error: `trainig` is not a key of an experiment; did you mean `training`?'],
  ],
  [
    'a key of another task',
    '{ "data": { "task": "adding", "split": [1, 0, 0] }, "model": { "layers": [] } }',
    [
      '1:31 error: `split` is not a key of `data` ("adding"); it may hold `task`, `length`, `testLength`.',
      '1:74 error: `layers` must be a list [ ] with at least one entry, found [].',
    ],
  ],
  [
    'swapped letters',
    adding('', '[{ "type": "lstm", "untis": 8, "units": 8 }, { "type": "dense" }]'),
    ['2:43 error: `untis` is not a key of `layers[0]` ("lstm"); did you mean `units`?'],
  ],
  [
    '__proto__',
    adding('"__proto__": { "a": 1 }'),
    [
      '3:3 error: `__proto__` is not a key of an experiment; it may hold `name`, `data`, `model`, `training`, `compare`, `probes`, `log`.',
    ],
  ],
  [
    'a repeated key',
    '{ "data": { "task": "adding", "task": "adding" },\n"model": { "layers": [{ "type": "gru", "units": 8 }, { "type": "dense" }] } }',
    ['1:31 error: `task` stands twice here; keep one.'],
  ],
  [
    'units 0',
    adding('', `[{ "type": "lstm", "units": 0 }, ${DENSE}]`),
    ['2:52 error: `units` must be a whole number of at least 1, found 0.'],
  ],
  [
    'units 1.5',
    adding('', `[{ "type": "lstm", "units": 1.5 }, ${DENSE}]`),
    ['2:52 error: `units` must be a whole number of at least 1, found 1.5.'],
  ],
  [
    'units in quotes',
    adding('', `[{ "type": "lstm", "units": "8" }, ${DENSE}]`),
    ['2:52 error: `units` must be a whole number of at least 1, found "8"; leave out the quotes.'],
  ],
  [
    'units null',
    adding('', `[{ "type": "lstm", "units": null }, ${DENSE}]`),
    ['2:52 error: `units` must be a whole number of at least 1, found null.'],
  ],
  [
    'units 1e300',
    adding('', `[{ "type": "lstm", "units": 1e300 }, ${DENSE}]`),
    ['2:52 error: `units` must be a whole number below 9.0e+15, found 1e+300.'],
  ],
  [
    'units 1e9',
    adding('', `[{ "type": "lstm", "units": 1000000000 }, ${DENSE}]`),
    [
      '2:52 error: Training this would take about 112 EB of memory (4.0e+18 parameters), but this machine has 24 GB; use fewer units.',
    ],
  ],
  [
    'a batch beyond memory',
    adding('"training": { "batchSize": 10000000 }'),
    [
      '3:30 error: Training this would take about 272 GB of memory (393 parameters), but this machine has 24 GB; make the batch, the sequence or the model smaller.',
    ],
  ],
  [
    'units missing',
    adding('', `[{ "type": "lstm" }, ${DENSE}]`),
    ['2:25 error: `units` is missing in `layers[0]`; it must be a whole number of at least 1.'],
  ],
  [
    'an unknown layer',
    adding('', `[{ "type": "lsmt", "units": 8 }, ${DENSE}]`),
    ['2:35 error: `type` cannot be "lsmt"; did you mean "lstm"?'],
  ],
  [
    'a layer without type',
    adding('', `[{ "units": 8 }, ${DENSE}]`),
    [`2:25 error: \`type\` is missing in \`layers[0]\`; it must be one of ${either(LAYER_TYPES)}.`],
  ],
  [
    'an unknown task',
    '{ "data": { "task": "charlm" }, "model": { "layers": [{ "type": "dense" }] } }',
    ['1:21 error: `task` cannot be "charlm"; did you mean "char-lm"?'],
  ],
  [
    'a rate above 1',
    adding('', `[${LSTM}, { "type": "dropout", "rate": 2 }, ${DENSE}]`),
    ['2:86 error: `rate` must be a number of at least 0 and below 1, found 2.'],
  ],
  [
    'clipNorm 0',
    adding('"training": { "clipNorm": 0 }'),
    ['3:29 error: `clipNorm` must be a number above 0 or null, found 0.'],
  ],
  [
    'steps beyond the limit',
    adding('"training": { "steps": 1000000000 }'),
    ['3:26 error: `steps` must be a whole number between 1 and 100,000,000, found 1000000000.'],
  ],
  [
    'an unknown optimizer',
    adding('"training": { "optimizer": { "type": "adm" } }'),
    [
      '3:40 error: `type` must be one of "adam", "adamw", "nadam", "adagrad", "lion", "muon", "sgd" or "rmsprop", found "adm"; did you mean "adam"?',
    ],
  ],
  [
    'a probe that is a number',
    adding('"probes": { "gradientFlow": 3 }'),
    ['3:31 error: `gradientFlow` must be false or an object in braces { }, found 3.'],
  ],
  [
    'a fault inside a probe',
    adding('"probes": { "gates": { "every": 0 } }'),
    ['3:35 error: `every` must be a whole number of at least 1, found 0.'],
  ],
  [
    'a split that is not whole',
    '{ "data": { "task": "char-lm", "path": "t.txt", "split": [0.5, 0.1, 0.1] },\n"model": { "layers": [{ "type": "gru", "units": 8 }, { "type": "dense" }] } }',
    ['1:58 error: `split`: the three parts must add up to 1, found [0.5,0.1,0.1].'],
  ],
  [
    'two faults',
    adding('"training": { "steps": 0, "seed": -1 }'),
    [
      '3:26 error: `steps` must be a whole number between 1 and 100,000,000, found 0.',
      '3:37 error: `seed` must be a whole number between 0 and 4,294,967,295, found -1.',
    ],
  ],
];

const meaning: [name: string, text: string, problems: string[]][] = [
  [
    'no recurrent layer',
    adding('', `[${DENSE}]`),
    [
      '2:24 error: No layer of the model sees more than one step; add one of type "rnn", "gru" or "lstm", or another that reads across steps.',
    ],
  ],
  [
    'no dense layer at the end',
    adding('', `[${LSTM}]`),
    [
      '2:35 error: The last layer must be of type "dense": it gives the task\'s outputs; add { "type": "dense" } after this "lstm".',
    ],
  ],
  [
    'an embedding for numbers',
    adding('', `[{ "type": "embedding", "dim": 4 }, ${LSTM}, ${DENSE}]`),
    ['2:35 error: An embedding needs symbols, but the task "adding" gives vectors; leave it out.'],
  ],
  [
    'a late embedding',
    text(`[${LSTM}, { "type": "embedding", "dim": 4 }, ${DENSE}]`),
    [
      '2:67 error: An embedding turns symbols into vectors, so it can only be the first layer; move it there.',
    ],
  ],
  [
    'a dense before a CRF without units',
    '{ "data": { "task": "tag", "path": "t.conllu", "tags": 3 },\n  "model": { "layers": [{ "type": "embedding", "dim": 4 }, { "type": "gru", "units": 4 }, { "type": "dense" }, { "type": "crf" }] } }',
    [
      '2:91 error: `units` is missing: the last layer scores the tags itself, from any width; leave this one out, or give it `units`.',
    ],
  ],
  [
    'an inner dense without units',
    adding('', `[${DENSE}, ${LSTM}, ${DENSE}]`),
    ['2:25 error: `units` is missing: only the last dense layer takes its width from the task.'],
  ],
  [
    'a last dense of the wrong width',
    adding('', `[${LSTM}, { "type": "dense", "units": 3 }]`),
    ['2:85 error: The last dense layer takes its width from the task (1), found 3; leave `units` out.'],
  ],
  [
    'dropout in a single layer',
    adding('', `[{ "type": "lstm", "units": 8, "dropout": 0.5 }, ${DENSE}]`),
    [
      '2:66 warning: This dropout has no effect: it stands between stacked layers, and `layers` is 1; add { "type": "dropout", "rate": … } after this layer instead.',
    ],
  ],
  [
    'a task with a source and no encoder',
    `{ "data": { "task": "seq2seq", "path": "a.tsv" }, "model":
{ "layers": [{ "type": "gru", "units": 8 }, ${DENSE}] } }`,
    [
      '2:1 error: The task "seq2seq" has a source: add `encoder`, the layers that read it, beside `layers`, which write the target.',
    ],
  ],
  [
    'an encoder for a task without a source',
    `{ "data": { "task": "adding" }, "model": {
"encoder": [{ "type": "gru", "units": 8 }],
"layers": [{ "type": "gru", "units": 8 }, ${DENSE}] } }`,
    ['2:12 error: The task "adding" has no source to encode; leave `encoder` out.'],
  ],
  [
    'attention without an encoder',
    adding('', `[{ "type": "gru", "units": 8 }, { "type": "attention" }, ${DENSE}]`),
    ['2:66 error: A layer of type "attention" reads an encoder\'s states and needs `model.encoder`.'],
  ],
  [
    'a dot product of unequal widths, and a decoder that is not as wide as what it begins in',
    `{ "data": { "task": "seq2seq", "path": "a.tsv" }, "model": {
"encoder": [{ "type": "gru", "units": 8, "bidirectional": true }],
"layers": [{ "type": "gru", "units": 8 }, { "type": "attention", "score": "dot" }, ${DENSE}] } }`,
    [
      '3:38 error: This layer begins in the encoder\'s last state, which has 16 numbers, but has 8 units; give it 16, `"bridge": "dense"` or `"initialState": "zeros"`.',
      '3:75 error: A dot product needs equal widths, but 8 numbers reach this layer and the encoder\'s states have 16; take "general" or "additive".',
    ],
  ],
  [
    'columns by name without a header',
    `{ "data": { "task": "seq2seq", "path": "a.tsv", "header": false,
"source": "from" }, "model": { "encoder": [{ "type": "gru", "units": 8 }],
"layers": [{ "type": "gru", "units": 8 }, ${DENSE}] } }`,
    ['2:11 error: Without a header no column has the name "from"; give its number, counted from 0.'],
  ],
  [
    'a bidirectional layer that would see the answer',
    `{ "data": { "task": "char-lm", "path": "a.txt" }, "model": { "layers": [
{ "type": "lstm", "units": 8, "bidirectional": true }, ${DENSE}] } }`,
    [
      '2:48 error: A bidirectional layer would see the characters it is to predict; leave `bidirectional` out for "char-lm".',
    ],
  ],
  [
    'a bidirectional layer in cut sequences',
    adding(
      '"training": { "bptt": { "window": 50 } }',
      `[{ "type": "gru", "units": 8, "bidirectional": true }, ${DENSE}]`,
    ),
    [
      '3:37 error: `window` cuts sequences into parts, but a bidirectional layer needs them whole; leave `window` out.',
    ],
  ],
  [
    'heads that do not share the width evenly',
    adding('', `[{ "type": "dense", "units": 10 }, { "type": "transformer" }, ${DENSE}]`),
    [
      '2:59 error: The 10 numbers that reach this layer cannot be shared by 4 heads; take a number of heads that divides them, or a dense layer before to widen them.',
    ],
  ],
  [
    'a TCN in cut sequences',
    adding('"training": { "bptt": { "window": 50 } }', `[{ "type": "tcn", "units": 8 }, ${DENSE}]`),
    [
      '3:37 error: `window` cuts sequences into parts, but a layer of type "tcn" needs them whole; leave `window` out.',
    ],
  ],
  [
    'a long window',
    adding('"training": { "bptt": { "window": 101 } }'),
    ['3:37 error: `window` must be at most the 100 steps of a sequence (`length`), found 101.'],
  ],
  [
    'seqLen of a task with its own length',
    adding('"training": { "seqLen": 32 }'),
    ['3:27 warning: `seqLen` has no effect for "adding": its sequences have `length` steps, 100.'],
  ],
  [
    'a warm-up without end',
    adding('"training": { "steps": 10, "schedule": { "type": "linear", "warmup": 10 } }'),
    [
      '3:72 warning: Warm-up takes 10 steps, but training ends after 10: the full learning rate is never reached.',
    ],
  ],
  [
    'no training data',
    '{ "data": { "task": "char-lm", "path": "t.txt", "split": [0, 1, 0] },\n"model": { "layers": [{ "type": "gru", "units": 8 }, { "type": "dense" }] } }',
    ['1:59 error: The training part is empty; give it a share above 0.'],
  ],
  [
    'early stopping without validation',
    '{ "data": { "task": "char-lm", "path": "t.txt", "split": [1, 0, 0] },\n"model": { "layers": [{ "type": "gru", "units": 8 }, { "type": "dense" }] },\n"training": { "earlyStopping": { "patience": 3 } } }',
    [
      '3:32 error: Early stopping watches the validation loss, but `split` leaves no validation part; give it a share above 0.',
    ],
  ],
  [
    'a compared path that does not exist',
    adding('"compare": { "training.optimizer.learningrate": [0.1] }'),
    [
      '3:16 error: This experiment has no field `training.optimizer.learningrate`; did you mean `training.optimizer.learningRate`?',
    ],
  ],
  [
    'compared fields by their names alone',
    adding('"compare": { "units": [8, 9], "learningRate": [0.1], "seed": [1, 2], "blub": [1] }'),
    [
      '3:16 error: `compare` has no `units`; did you mean `model.layers.0.units`?',
      '3:33 error: `compare` has no `learningRate`; did you mean `training.optimizer.learningRate`?',
      '3:56 error: `compare` has no `seed`; did you mean `seeds`?',
      '3:72 error: `compare` has no `blub` beside `cell`, `equal`, `data`, `seeds`; a field is named by its path, such as `training.batchSize`.',
    ],
  ],
  [
    'a compared field on the wrong level',
    adding('"compare": { "training.beta1": [0.1] }'),
    [
      '3:16 error: This experiment has no field `training.beta1`; `training` holds `optimizer`, `schedule`, `steps`, `seed`, `batchSize`, `accumulate`, `maxTokens`, `seqLen`, `bptt`, `teacherForcing`, `clipNorm`, `clipTensorNorm`, `clipValue`, `l2`, `recurrentL2`, `weightDecay`, `augmentation`, `labelSmoothing`, `earlyStopping`, `validation`, `checkpoint`, `sample`.',
    ],
  ],
  [
    'a compared layer that does not exist',
    adding('"compare": { "model.layers.7.units": [8] }'),
    [
      '3:16 error: This experiment has no field `model.layers[7].units`; `model.layers` is a list: name one of its entries by number, counted from 0.',
    ],
  ],
  [
    'a compared value that is wrong',
    adding('"compare": { "training.optimizer.learningRate": [0.1, 0] }'),
    ['3:57 error: `learningRate` must be a number above 0, found 0.'],
  ],
  [
    'a comparison of names',
    adding('"compare": { "name": ["a", "b"] }'),
    ['3:16 error: `name` cannot be compared; name a field of data, model or training.'],
  ],
  [
    'a compared object',
    adding('"compare": { "training.seed": [{}] }'),
    [
      '3:34 error: `training.seed[0]` must be a number or a text in quotes or true or false or null, found {}.',
    ],
  ],
  [
    'too many members',
    adding('"compare": { "seeds": 100, "training.optimizer.learningRate": [0.1, 0.2, 0.3] }'),
    ['3:14 error: This comparison makes 300 runs; at most 200 are allowed.'],
  ],
];

describe('parseExperiment', () => {
  describe('syntax: one problem at the first fault', () => {
    for (const [name, source, problem] of syntax) {
      it(name, () => {
        assert.deepEqual(problems(source), [problem]);
        assert.equal(parse(source).experiment, null);
      });
    }
  });

  describe('values', () => {
    for (const [name, source, expected] of values) {
      it(name, () => {
        assert.deepEqual(problems(source), expected);
        assert.equal(parse(source).experiment, null);
      });
    }
  });

  describe('meaning', () => {
    for (const [name, source, expected] of meaning) {
      it(name, () => {
        assert.deepEqual(problems(source), expected);
        const refused = expected.some(problem => problem.includes(' error: '));
        assert.equal(parse(source).experiment === null, refused);
      });
    }
  });

  it('accepts comments, trailing commas, a byte order mark and CRLF, and keeps places', () => {
    const source = `\uFEFF{ // what\r\n  "data": { "task": "adding", },\r\n  /* how */ "model": { "layers": [{ "type": "gru", "units": 4 }, { "type": "dense" },] },\r\n  "training": { "steps": 0 } }`;
    assert.deepEqual(problems(source), [
      '4:26 error: `steps` must be a whole number between 1 and 100,000,000, found 0.',
    ]);
    assert.ok(parse(source.replace('"steps": 0', '"steps": 1')).experiment);
  });

  it('fills in every default and the name of the file', () => {
    const { experiment } = parse(adding(''));
    assert.equal(experiment?.name, 'emma');
    assert.equal(experiment?.model.convention, 'pytorch');
    assert.equal(experiment?.training.steps, 1000);
    assert.deepEqual(experiment?.training.bptt, { carryState: true });
    assert.deepEqual(experiment?.training.schedule, { type: 'constant', warmup: 0 });
    assert.deepEqual(experiment?.probes, { gradientFlow: {}, gates: {}, spectrum: {} });
  });

  it('tells where a value and its key stand', () => {
    const source = adding('');
    const { locate, locateKey } = parse(source);
    const value = locate(['model', 'layers', 0, 'units'])!;
    assert.equal(source.slice(value.offset, value.offset + value.length), '8');
    const key = locateKey(['model', 'layers'])!;
    assert.equal(source.slice(key.offset, key.offset + key.length), '"layers"');
    assert.equal(locateKey(['training']), null);
    const around = locate(['model', 'layers', 0, 'dropout'])!;
    assert.equal(source.slice(around.offset, around.offset + around.length), LSTM);
  });

  it('finds nothing to remark in the samples', () => {
    const files = readdirSync('samples').filter(file => file.endsWith('.rnn.json'));
    assert.ok(files.length >= 5);
    for (const file of files) {
      const parsed = parseExperiment(readFileSync(`samples/${file}`, 'utf8'), { fileName: file });
      assert.deepEqual(parsed.problems, [], file);
    }
  });
});
