// Data as people have them, each beside the score of a PyTorch model (the SOURCE file of the data).
// A gate makes what it trains on of the shared samples, and is passed by two of three seeds.
import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface ReferenceGate {
  title: string;
  text: string;
  /** Writes what the experiment names to `folder`, from the samples of `shared`. */
  prepare(shared: string, folder: string): void;
  experiment: object;
  /** another file of the folder that is scored; left out: the test part */
  scored?: string;
  /** default: of the last step */
  weights?: 'best' | 'last';
  figure: string;
  better: 'higher' | 'lower';
  reference: number;
  /** where the reference is from */
  from: string;
}

const embedding = (dim: number) => ({ type: 'embedding', dim });
const dropout = (rate: number) => ({ type: 'dropout', rate });
const dense = { type: 'dense' };
const both = { bidirectional: true };
const measured = 'its SOURCE, PyTorch, one seed';

const adam = (learningRate: number, batchSize: number, steps: number, rest: object = {}) => ({
  optimizer: { type: 'adam', learningRate },
  schedule: { type: 'cosine', warmup: 50 },
  batchSize,
  steps,
  validation: { every: Math.ceil(steps / 5), maxBatches: 10 },
  ...rest,
});

export const REFERENCE_GATES: Record<string, ReferenceGate> = {
  sentiment: {
    title: 'Sentiment of 3,000 sentences',
    text: 'UCI Sentiment Labelled Sentences, words without case, 600 for the test; LSTM 64 both ways, dropout 0.3 before and behind it, 600 steps of 32.',
    prepare: (shared, folder) =>
      copyFileSync(join(shared, 'sentiment-uci/sentiment.csv'), join(folder, 'sentiment.csv')),
    experiment: {
      data: {
        ...{ task: 'classify', path: 'sentiment.csv', text: 'text', label: 'label', units: 'words' },
        ...{ lowercase: true, minCount: 2, split: [0.75, 0.05, 0.2] },
      },
      model: {
        layers: [embedding(64), dropout(0.3), { type: 'lstm', units: 64, ...both }, dropout(0.3), dense],
      },
      training: adam(0.002, 32, 600, { schedule: { type: 'constant' } }),
    },
    figure: 'accuracy',
    better: 'higher',
    reference: 0.79,
    from: measured,
  },
  names: {
    title: 'Names to languages',
    text: '20,050 names of 18 languages, 4,010 for the test; characters, GRU 128 both ways, dropout 0.2 before and 0.5 behind it, label smoothing 0.1, 3,000 steps of 64.',
    prepare: writeNames,
    experiment: {
      data: {
        ...{ task: 'classify', path: 'names.tsv', text: 'name', label: 'language' },
        split: [0.75, 0.05, 0.2],
      },
      model: {
        layers: [embedding(64), dropout(0.2), { type: 'gru', units: 128, ...both }, dropout(0.5), dense],
      },
      training: adam(0.002, 64, 3000, { labelSmoothing: 0.1 }),
    },
    weights: 'best',
    figure: 'accuracy',
    better: 'higher',
    reference: 0.8389,
    from: measured,
  },
  'grapheme-to-phoneme': {
    title: 'Words to phonemes',
    text: 'CMUdict, 20,000 words in training, scored on the 2,000 of g2p-test; GRU 2 × 64 both ways, GRU 128, dot attention, 5,000 steps of 64; share of words that are right throughout.',
    prepare(shared, folder) {
      for (const part of ['train', 'test'])
        copyFileSync(join(shared, `cmudict/g2p-${part}.tsv`), join(folder, `g2p-${part}.tsv`));
    },
    experiment: {
      data: { task: 'seq2seq', path: 'g2p-train.tsv', targetUnits: 'spaced', split: [0.98, 0.02, 0] },
      model: {
        encoder: [embedding(64), { type: 'gru', units: 64, ...both }],
        layers: [embedding(64), { type: 'gru', units: 128 }, { type: 'attention', score: 'dot' }, dense],
      },
      training: adam(0.004, 64, 5000),
    },
    scored: 'g2p-test.tsv',
    figure: 'sequenceAccuracy',
    better: 'higher',
    reference: 0.473,
    from: measured,
  },
  tagging: {
    title: 'Parts of speech',
    text: 'UD English EWT, trained on the development file, scored on the test file; words, shapes and endings; LSTM 64 both ways, dropout 0.4, 1,200 steps of 32.',
    prepare(shared, folder) {
      for (const part of ['dev', 'test'])
        copyFileSync(join(shared, `ud-english-ewt/en_ewt-ud-${part}.conllu`), join(folder, `${part}.conllu`));
    },
    experiment: {
      data: { task: 'tag', path: 'dev.conllu', tags: 'upos', split: [0.98, 0.02, 0] },
      model: {
        layers: [embedding(64), dropout(0.4), { type: 'lstm', units: 64, ...both }, dropout(0.4), dense],
      },
      training: adam(0.004, 32, 1200),
    },
    scored: 'test.conllu',
    figure: 'accuracy',
    better: 'higher',
    reference: 0.905,
    from: measured,
  },
  'spoken-digits': {
    title: 'Spoken digits, one a file',
    text: 'Free Spoken Digit Dataset, takes 5 to 19 in training, scored on takes 0 to 2; log-mel features, GRU 64 both ways, 500 steps of 32.',
    prepare: writeSpokenDigits,
    experiment: {
      data: {
        task: 'classify',
        path: 'digits-train.tsv',
        audio: 'file',
        label: 'digit',
        split: [0.95, 0.05, 0],
      },
      model: { layers: [{ type: 'gru', units: 64, ...both }, dropout(0.3), dense] },
      training: adam(0.004, 32, 500),
    },
    scored: 'digits-test.tsv',
    figure: 'accuracy',
    better: 'higher',
    reference: 0.97,
    from: 'its SOURCE: 97 to 99 %',
  },
  'connected-digits': {
    title: 'Connected spoken digits',
    text: 'Two to five clips joined; 2,000 utterances of two speakers in training, scored on 200 of a third; log-mel features, GRU 48 both ways, dropout 0.2 before and 0.3 behind it, jitter 0.1, CTC, 1,500 steps of 32; label error rate, greedy.',
    prepare: writeConnectedDigits,
    experiment: {
      data: {
        ...{ task: 'ctc', path: 'connected-train.tsv', audio: 'file', target: 'labels', units: 'words' },
        split: [0.97, 0.03, 0],
      },
      model: { layers: [dropout(0.2), { type: 'gru', units: 48, ...both }, dropout(0.3), dense] },
      training: adam(0.003, 32, 1500, { augmentation: { jitter: 0.1 } }),
    },
    scored: 'connected-test.tsv',
    figure: 'labelErrorRate',
    better: 'lower',
    reference: 0.1312,
    from: measured,
  },
  'sequential-digits': {
    title: 'Images of digits, row by row',
    text: 'Digits of 8 × 8 pixels, 20 % for the test; LSTM 64, dropout 0.3, 2,500 steps of 32.',
    prepare: (shared, folder) =>
      copyFileSync(join(shared, 'digits-8x8/digits.csv'), join(folder, 'digits.csv')),
    experiment: {
      data: {
        ...{ task: 'classify', path: 'digits.csv', label: 64, split: [0.75, 0.05, 0.2] },
        image: { width: 8, by: 'rows', header: false },
      },
      model: { layers: [{ type: 'lstm', units: 64 }, dropout(0.3), dense] },
      training: adam(0.005, 32, 2500),
    },
    figure: 'accuracy',
    better: 'higher',
    reference: 0.9806,
    from: measured,
  },
  'japanese-vowels': {
    title: 'Japanese vowels',
    text: 'Series of 12 numbers and 7 to 29 steps, 270 in training, scored on the 370 of the test file; LSTM 100 both ways, dropout 0.3, 700 steps of 32.',
    prepare(shared, folder) {
      for (const part of ['TRAIN', 'TEST'])
        copyFileSync(join(shared, `ts-JapaneseVowels/JapaneseVowels_${part}.ts`), join(folder, `${part}.ts`));
    },
    experiment: {
      data: { task: 'classify', path: 'TRAIN.ts', values: ['series'], label: 'label', split: [0.9, 0.1, 0] },
      model: { layers: [{ type: 'lstm', units: 100, ...both }, dropout(0.3), dense] },
      training: adam(0.003, 32, 700),
    },
    scored: 'TEST.ts',
    figure: 'accuracy',
    better: 'higher',
    reference: 0.973,
    from: measured,
  },
  'forecast-co2': {
    title: 'Carbon dioxide, a month ahead',
    text: 'Mauna Loa, month after month, by its changes; the last 20 % for the test; LSTM 32, window 24, 800 steps of 32; root mean squared error in ppm.',
    prepare: (shared, folder) =>
      copyFileSync(join(shared, 'vega-co2/co2-concentration.csv'), join(folder, 'co2.csv')),
    experiment: {
      data: {
        task: 'forecast',
        path: 'co2.csv',
        target: 'CO2',
        window: 24,
        difference: 1,
        split: [0.75, 0.05, 0.2],
      },
      model: { layers: [{ type: 'lstm', units: 32 }, dense] },
      training: adam(0.003, 32, 800),
    },
    figure: 'rmse',
    better: 'lower',
    reference: 0.4835,
    from: measured,
  },
  'forecast-weather': {
    title: 'The highest temperature of the next day in Seattle',
    text: 'Four numbers a day; the last 20 % for the test; LSTM 32, window 14, 600 steps of 32; root mean squared error in °C.',
    prepare: (shared, folder) =>
      copyFileSync(join(shared, 'vega-weather/seattle-weather.csv'), join(folder, 'weather.csv')),
    experiment: {
      data: {
        ...{
          task: 'forecast',
          path: 'weather.csv',
          target: 'temp_max',
          window: 14,
          split: [0.75, 0.05, 0.2],
        },
        features: ['temp_max', 'temp_min', 'precipitation', 'wind'],
      },
      model: { layers: [{ type: 'lstm', units: 32 }, dense] },
      training: adam(0.003, 32, 600, { schedule: { type: 'constant' } }),
    },
    weights: 'best',
    figure: 'rmse',
    better: 'lower',
    reference: 2.755,
    from: measured,
  },
};

function writeNames(shared: string, folder: string): void {
  const names = join(shared, 'names-language/names');
  const rows = readdirSync(names)
    .sort()
    .flatMap(file =>
      readFileSync(join(names, file), 'utf8')
        .split('\n')
        .map(line => line.trim())
        .filter(Boolean)
        .map(name => `${name}\t${file.replace('.txt', '')}\n`),
    );
  writeFileSync(join(folder, 'names.tsv'), `name\tlanguage\n${rows.join('')}`);
}

function writeSpokenDigits(shared: string, folder: string): void {
  cpSync(join(shared, 'fsdd/recordings'), join(folder, 'recordings'), { recursive: true });
  const rows: Record<'train' | 'test', string[]> = { train: [], test: [] };
  for (const file of readdirSync(join(folder, 'recordings')).sort()) {
    const [digit, , take] = file.replace('.wav', '').split('_');
    rows[Number(take) < 5 ? 'test' : 'train'].push(`recordings/${file}\t${digit}\n`);
  }
  for (const part of ['train', 'test'] as const)
    writeFileSync(join(folder, `digits-${part}.tsv`), `file\tdigit\n${rows[part].join('')}`);
}

/** Clips one behind the other, at the tempo and pitch that they have. */
function writeConnectedDigits(shared: string, folder: string): void {
  for (const part of ['train', 'test']) {
    mkdirSync(join(folder, part), { recursive: true });
    const [, ...lines] = readFileSync(join(shared, `fsdd/connected-${part}.tsv`), 'utf8')
      .trim()
      .split('\n');
    const rows = lines.map((line, at) => {
      const [labels, files] = line.split('\t') as [string, string];
      const clips = files.split(' ').map(file => readFileSync(join(shared, 'fsdd', file)));
      writeFileSync(join(folder, part, `${at}.wav`), joined(clips));
      return `${part}/${at}.wav\t${labels}\n`;
    });
    writeFileSync(join(folder, `connected-${part}.tsv`), `file\tlabels\n${rows.join('')}`);
  }
}

/** WAV files of one format as one. */
function joined(clips: readonly Buffer[]): Buffer {
  const samples = Buffer.concat(clips.map(chunk => samplesOf(chunk)));
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + samples.length, 4);
  head.write('WAVEfmt ', 8);
  clips[0]!.copy(head, 16, 16, 36);
  head.writeUInt32LE(16, 16);
  head.write('data', 36);
  head.writeUInt32LE(samples.length, 40);
  return Buffer.concat([head, samples]);
}

function samplesOf(wav: Buffer): Buffer {
  let at = 12;
  while (wav.toString('latin1', at, at + 4) !== 'data') at += 8 + wav.readUInt32LE(at + 4);
  return wav.subarray(at + 8, at + 8 + wav.readUInt32LE(at + 4));
}
