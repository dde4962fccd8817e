// What stands above a model, from its text and its runs.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Convention } from '../../../src/experiment/convention.ts';
import { kindOf, LAYER_TYPES, layerSchema } from '../../../src/experiment/layers/index.ts';
import { parseExperiment } from '../../../src/experiment/parse.ts';
import { countsText } from '../../../src/extension/experiments/counts-text.ts';
import { layerHover } from '../../../src/extension/experiments/hover-text.ts';
import { type LastRun, reachOf } from '../../../src/extension/experiments/last-run.ts';
import {
  lastLens,
  lastLines,
  lastText,
  modelLine,
  trainLens,
} from '../../../src/extension/experiments/lens-text.ts';
import {
  isMended,
  layerStands,
  modelOfCode,
  modelsOf,
  wasTrained,
} from '../../../src/extension/experiments/same-model.ts';

function experimentOf(file: string) {
  const { experiment, problems } = parseExperiment(readFileSync(`samples/${file}`, 'utf8'));
  assert.deepEqual(
    problems.filter(({ severity }) => severity === 'error'),
    [],
  );
  return experiment!;
}

const run = (label: string, more: Partial<LastRun['runs'][number]> = {}): LastRun['runs'][number] => ({
  folder: `/runs/${label}`,
  label,
  state: 'finished',
  step: 10,
  steps: 10,
  valLoss: 1.5,
  trainLoss: 1.4,
  metric: null,
  experiment: experimentOf('adding.rnn.json'),
  ...more,
});
const last = (runs: LastRun['runs'], more: Partial<LastRun> = {}): LastRun => ({
  runs,
  total: runs.length,
  findings: [],
  reach: null,
  ...more,
});

describe('the lens row', () => {
  it('stands above the model, whatever the style of the file', () => {
    const table: [string, number | null][] = [
      ['{\n  "name": "model",\n  "model": {}\n}', 2],
      ['{ "data": {}, "model": {} }', 0],
      ['{\r\n"data": {},\r\n\t"model" : {}\r\n}', 2],
      ['{\n"name": "x"\n}', null],
      ['', null],
    ];
    for (const [text, line] of table) assert.equal(modelLine(text), line, JSON.stringify(text));
  });

  it('counts the cell and its rival in the convention of the file', () => {
    assert.equal(
      countsText(experimentOf('emma.rnn.json')),
      'LSTM 82,944 · GRU 62,208 (−25 %, PyTorch count)',
    );
    assert.equal(
      countsText(experimentOf('adding.rnn.json')),
      'GRU 13,056 · LSTM 17,408 (+33 %, PyTorch count)',
    );
    const oneHot = parseExperiment(
      '{"data":{"task":"char-lm","path":"x.txt"},"model":{"layers":[{"type":"lstm","units":8},{"type":"dense"}]}}',
    ).experiment!;
    assert.equal(countsText(oneHot), 'LSTM, 8 units');
    const mixed = parseExperiment(
      '{"data":{"task":"adding"},"model":{"layers":[{"type":"conv1d","units":8},{"type":"gru","units":8},{"type":"dense"}]}}',
    ).experiment!;
    // (3·2 + 1)·8 + 3·8·(8 + 8 + 2) + 8 + 1
    assert.equal(countsText(mixed), 'Conv1D → GRU, 497 parameters (PyTorch count)');
  });

  it('says how many runs Train starts', () => {
    assert.equal(trainLens(1).title, '▶ Train');
    assert.equal(trainLens(3).title, '▶ Train 3 runs');
  });

  it('gives the reach a line of its own in hovers', () => {
    assert.deepEqual(lastLines(null, true), []);
    const reach = { steps: 64, of: 99 };
    assert.deepEqual(lastLines(last([run('')], { total: 3, reach }), true), [
      'last: val 1.50 · 3 runs',
      "Last run: gradients reach 64 of 99 steps back (above 1 % of the last step's).",
    ]);
    const [, now] = lastLines(last([run('', { state: 'training' })], { reach: { steps: 99, of: 99 } }), true);
    assert.match(now!, /^This run so far: gradients reach all 99 steps back/);
    assert.equal(lastLines(last([run('RNN'), run('GRU')], { reach }), true).length, 1);
  });

  it('tells the last result', () => {
    assert.equal(lastText(null, true), null);
    assert.equal(
      lastText(last([run('')], { total: 3, reach: { steps: 64, of: 99 } }), true),
      'last: val 1.50 · gradients reach 64 steps · 3 runs',
    );
    assert.equal(
      lastText(
        last([run('RNN', { state: 'diverged', valLoss: 'NaN' }), run('GRU', { valLoss: 1.56 })]),
        true,
      ),
      'last: RNN diverged, GRU 1.56 · 2 runs',
    );
    assert.equal(
      lastText(last([run('', { state: 'training', valLoss: undefined })]), true),
      'now: train 1.40 · 1 run',
    );
    assert.equal(lastText(last([run('', { state: 'crashed' })]), true), 'last: crashed · 1 run');
    const many = Array.from({ length: 6 }, (_, i) => run(`seed ${i}`, { valLoss: 2 - i / 10 }));
    assert.equal(lastText(last(many), true), 'last: 6 runs, best val 1.50 · 6 runs');
  });

  it("tells the task's own metric beside the loss of a run, and not of several", () => {
    const scored = { metric: 'accuracy 97.5 %' };
    assert.equal(lastText(last([run('', scored)]), true), 'last: val 1.50, accuracy 97.5 % · 1 run');
    const both = lastText(last([run('GRU', scored), run('LSTM', scored)]), true);
    assert.doesNotMatch(both!, /accuracy/);
  });

  it('tells the result of another model as what was before, without its reach', () => {
    const reach = { steps: 64, of: 99 };
    const before = last([run('')], { total: 3, reach });
    assert.equal(lastText(before, false), 'before this edit: val 1.50 · 3 runs');
    assert.deepEqual(lastLines(before, false), ['before this edit: val 1.50 · 3 runs']);
    assert.equal(lastLens(before, false).command, '', 'dim text');
    assert.equal(lastLens(before, true).command, 'unroll.openDashboard');
  });
});

describe('the model that was trained', () => {
  const parse = (text: string) => parseExperiment(text).experiment!;
  const of = (layer: string, more = '') =>
    parse(`{"data":{"task":"adding"},"model":{"layers":[${layer},{"type":"dense"}]}${more}}`);
  const small = of('{"type":"lstm","units":64}');

  it('is another after an edit of its layers, and the same after one of its steps', () => {
    assert.equal(wasTrained(modelsOf(small), [small]), true);
    assert.equal(wasTrained(modelsOf(of('{"type":"lstm","units":96}')), [small]), false);
    assert.equal(wasTrained(modelsOf(of('{"type":"rnn","units":64}')), [small]), false);
    const longer = of('{"type":"lstm","units":64}', ',"training":{"steps":9}');
    assert.equal(wasTrained(modelsOf(longer), [small]), true);
  });

  it('is any member of a comparison, and one in code once its defaults are filled in', () => {
    const compared = of('{"type":"rnn","units":64}', ',"compare":{"cell":["rnn","lstm"]}');
    assert.equal(wasTrained(modelsOf(compared), [small]), true);
    const code = modelOfCode({ layers: [{ type: 'lstm', units: 64 }, { type: 'dense' }] });
    assert.equal(wasTrained(code, [small]), true);
    assert.deepEqual(modelOfCode({ layers: [] }), []);
  });

  it('is compared by the layer that a finding is about', () => {
    const wider = of('{"type":"lstm","units":64},{"type":"dense","units":3}');
    assert.equal(layerStands(modelsOf(wider), small, 0), true);
    assert.equal(layerStands(modelsOf(wider), small, 1), false);
    assert.equal(layerStands(modelsOf(wider), small, null), false);
    assert.equal(layerStands(modelsOf(small), small, 7), false);
  });

  it('is mended once an edit that was proposed is made', () => {
    const clip = { title: '', edits: [{ path: ['training', 'clipNorm'], value: 0.5 }] };
    assert.equal(isMended(small, [clip]), false);
    assert.equal(isMended(of('{"type":"lstm","units":64}', ',"training":{"clipNorm":0.5}'), [clip]), true);
    assert.equal(isMended(small, []), false);
  });
});

describe('the reach', () => {
  const row = (...values: number[]) => Float32Array.from(values);
  it('counts the steps back above 1 % of the last step', () => {
    assert.deepEqual(reachOf([row(1e-6, 0.005, 0.02, 0.5, 1)], 1), { steps: 2, of: 4 });
    assert.deepEqual(reachOf([row(0.1, 0.2, 1)], 1), { steps: 2, of: 2 });
    assert.deepEqual(reachOf([row(0, 0, 1)], 1), { steps: 0, of: 2 });
  });
  it('looks at the last layer, at the median probe, and skips what is no number', () => {
    assert.deepEqual(reachOf([row(1, 1, 1, 0, 0, 1)], 2), { steps: 0, of: 2 });
    const rows = [row(0, 0, 1), row(0, 1, 1), row(1, 1, 1)];
    assert.deepEqual(reachOf(rows, 1), { steps: 1, of: 2 });
    assert.equal(reachOf([row(1, 1, Number.NaN)], 1), null);
    assert.equal(reachOf([], 1), null);
    assert.equal(reachOf([row(1, 1, 1)], 2), null);
  });
});

describe('the hover over a layer', () => {
  it('gives the formula with the numbers of the file, in every convention', () => {
    const text = layerHover(experimentOf('emma.rnn.json'), 1, null)!;
    for (const part of [
      '4·128·(32 + 128 + 2) = 82,944',
      'input 16,384 + recurrent 65,536 + bias 1,024',
      '**82,432**',
      '271 units',
      '150 units',
      '62,208',
      '61,824',
      'c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t',
      'at B = 32, T = 64',
    ])
      assert.ok(text.includes(part), `${part} in\n${text}`);
  });
  it('says which GRU it is', () => {
    assert.match(layerHover(experimentOf('adding.rnn.json'), 0, null)!, /resets after the recurrent product/);
  });
  it('says of any layer what it computes and costs', () => {
    const { experiment } = parseExperiment(
      '{"data":{"task":"adding","length":50},"model":{"layers":[{"type":"tcn","units":12},{"type":"dense"}]}}',
    );
    const text = layerHover(experiment!, 0, null)!;
    for (const part of ['**TCN** 2 → 12', 'relu(z + residual(x))', '| **TCN** |', 'multiply-adds'])
      assert.ok(text.includes(part), `${part} in\n${text}`);
  });
  it('names the paper, in a text that no language colours, and a count that is its own formula once', () => {
    const papers = {
      'rms-norm': '1910.07467',
      'layer-norm': '1607.06450',
      'transformer-xl': '1901.02860',
      transformer: '1706.03762',
      tcn: '1803.01271',
      mamba: '2312.00752',
      deltanet: '2406.06484',
      clockwork: '1402.3511',
      wavenet: '1609.03499',
    };
    const hasUnits = (type: string) => !/norm|transformer/.test(type);
    const { experiment, problems } = parseExperiment(
      JSON.stringify({
        data: { task: 'adding', length: 20 },
        model: {
          layers: [
            { type: 'dense', units: 16 },
            ...Object.keys(papers).map(type => ({ type, ...(hasUnits(type) && { units: 16 }) })),
            { type: 'dense' },
          ],
        },
      }),
    );
    assert.deepEqual(problems, []);
    const texts = Object.entries(papers).map(([type, paper], index) => {
      const text = layerHover(experiment!, index + 1, null)!;
      assert.ok(text.includes(`arXiv ${paper}`) || text.includes(`, ${paper}`), `${type}: ${text}`);
      assert.match(text, /^```text$/m);
      return text;
    });
    assert.match(texts[0]!, /`16` parameters/);
    assert.match(texts[2]!, /`5·16² \+ 2·16·64 \+ 7·16 \+ 64 = 3,504`/);
  });
  it('names a paper for every kind that has one, and for the fields of an LSTM', () => {
    // what everyone computes so; their fields have papers
    const plain = new Set(['dense', 'embedding', 'pool']);
    const about = (layer: object, convention: Convention = 'pytorch') => {
      const read = layerSchema.parse(layer);
      return kindOf(read).about!(read, convention);
    };
    const paper = /arXiv \d{4}\.\d{4,5}|[A-Z]\S+ (et al\. |)(19|20)\d\d\b/;
    const required = { units: 8, dim: 8, rate: 0.5, cutoffs: [9] };
    for (const type of LAYER_TYPES.filter(each => !plain.has(each))) {
      const { shape } = kindOf({ type }).schema;
      const own = Object.fromEntries(Object.entries(required).filter(([name]) => name in shape));
      assert.match(about({ type, ...own }), paper, type);
    }
    const lstm = { type: 'lstm', units: 8 };
    const of: [string, string][] = [
      [about({ type: 'rnn', units: 8 }), 'Elman 1990'],
      [about({ type: 'gru', units: 8 }), '1406.1078v1'],
      [about({ type: 'gru', units: 8 }, 'tfjs'), '1406.1078v3'],
      [about(lstm), 'Hochreiter & Schmidhuber 1997, Gers et al. 2000'],
      [about({ ...lstm, peephole: true }), 'Gers & Schmidhuber 2000'],
      [about({ ...lstm, coupledGates: true }), 'Greff et al. 2017'],
      [about({ ...lstm, layerNorm: true }), '1607.06450'],
      [about({ ...lstm, projection: 4 }), '1402.1128'],
      [about({ type: 'dense', tied: true }), '1608.05859'],
      [about({ type: 'crf' }), 'Lafferty et al. 2001'],
    ];
    for (const [text, name] of of) assert.ok(text.includes(name), `${name} in\n${text}`);
  });
  it('leaves the vocabulary open where the text has not been read', () => {
    assert.match(layerHover(experimentOf('emma.rnn.json'), 0, null)!, /`V·32`/);
    assert.match(layerHover(experimentOf('emma.rnn.json'), 0, 80)!, /`80·32 = 2,560`/);
  });
});
