// Samples of the types that no fake task makes by itself.
import type { Sample, Tried } from '../../src/protocol/messages.ts';

const languages = ['Spanish', 'English', 'Japanese', 'Russian', 'Italian'];
const names = [
  'Nakamura',
  'Ivanov',
  'Smith',
  'Garcia',
  'Rossi',
  'a name that is longer than its column is wide',
];
const tags = ['DET', 'ADJ', 'NOUN', 'VERB'];
const sentence = 'The quick brown fox jumps over the lazy dog and runs away'.split(' ');

/** Weights that sum to 1 and peak where the parts of a date stand. */
function alignmentOf(source: string, answer: string) {
  const target = [...answer, '<end>'];
  const weights = target.map((_, t) => {
    const peak = (source.length - 1) * (1 - t / (target.length - 1));
    const row = [...source].map((_, s) => Math.exp(-((s - peak) ** 2)));
    const sum = row.reduce((total, weight) => total + weight, 0);
    return row.map(weight => weight / sum);
  });
  return { source: [...source], target, weights };
}

/** A forecast of 7 days from each of 90, whose errors grow with the rows ahead. */
function forecastOf(target: string, level: (day: number) => number) {
  const days = Array.from({ length: 90 }, (_, at) => 200 + at);
  const ahead = [1, 2, 3, 4, 5, 6, 7];
  const dateOf = (day: number) => Date.UTC(2024, 0, 1 + day);
  const guess = (day: number, step: number) => level(day) + 0.35 * step * Math.sin(day * 1.7 + step);
  const root = (errors: number[]) => Math.sqrt(errors.reduce((sum, e) => sum + e * e, 0) / errors.length);
  const still = (day: number, step: number) => level(day - step);
  return {
    target,
    truth: days.map(level),
    prediction: days.map(day => guess(day, 7)),
    persistence: days.map(day => still(day, 7)),
    paths: [200, 222, 244, 266, 283].map(day => ({
      index: ahead.map(step => day + step - 1),
      dates: ahead.map(step => dateOf(day + step - 1)),
      prediction: ahead.map(step => guess(day + step - 1, step)),
    })),
    steps: {
      rmse: ahead.map(step => root(days.map(day => guess(day, step) - level(day)))),
      persistence: ahead.map(step => root(days.map(day => still(day, step) - level(day)))),
    },
    origins: {
      index: days.map(day => day - 7),
      dates: days.map(day => dateOf(day - 7)),
      rmse: days.map(day => root(ahead.map(step => guess(day - 7 + step, step) - level(day - 7 + step)))),
      persistence: days.map(day => root(ahead.map(step => level(day - 7) - level(day - 7 + step)))),
    },
  };
}
const shownDays = Array.from({ length: 90 }, (_, at) => 200 + at);

export const fakeSamples = {
  series: {
    type: 'series',
    index: shownDays,
    dates: shownDays.map(day => Date.UTC(2024, 0, 1 + day)),
    ...forecastOf('temp_max', day => 18 + 8 * Math.sin(day / 9) + 2 * Math.sin(day * 1.1)),
    others: [forecastOf('temp_min', day => 9 + 5 * Math.sin(day / 9) + Math.cos(day * 0.9))],
  },
  classes: {
    type: 'classes',
    rows: names.map((input, i) => ({
      input,
      truth: languages[i % 5]!,
      prediction: languages[(i * 2) % 5]!,
      probability: 0.2 + 0.13 * i,
    })),
    confusion: {
      classes: languages,
      counts: languages.map((_, truth) =>
        languages.map((_, prediction) =>
          truth === prediction ? 1400 + truth : (truth * (prediction + 1)) % 7,
        ),
      ),
    },
  },
  decoded: {
    type: 'decoded',
    rows: [
      {
        source: '2024-05-03',
        truth: 'May 3, 2024',
        prediction: 'May 3, 2024',
        attention: alignmentOf('2024-05-03', 'May 3, 2024'),
      },
      { source: '1999-12-31', truth: 'December 31, 1999', prediction: 'December 3, 1999' },
    ],
    byLength: [1, 2, 3, 4].map(length => ({ length, sequences: 10, right: 11 - 2 * length })),
    byPosition: [1, 2, 3, 4].map(position => ({ position, symbols: 20, wrong: position })),
  },
  tagged: {
    type: 'tagged',
    rows: [0, 1].map(() =>
      sentence.map((token, i) => ({
        token,
        truth: tags[i % 4]!,
        prediction: i % 5 === 4 ? 'X' : tags[i % 4]!,
      })),
    ),
  },
  augmented: {
    type: 'augmented',
    rows: [
      { before: 'the cat sat on the mat.', after: 'the ct sat no the mat.' },
      { before: '0.12 0.30 0.55 0.61 0.48', after: '0.10 0.33 0.58 0.44' },
    ],
  },
} as const satisfies Record<string, Sample>;

/** An answer of Try It with all of its parts. */
export const fakeTried: Tried = {
  input: 'bcd',
  answer: 'dcb',
  truth: 'dcb',
  of: 'class',
  likely: [
    { label: 'dcb', probability: 0.75 },
    { label: ' \n', probability: 0.25 },
  ],
  table: {
    columns: ['unit', 'probability'],
    rows: [...'dcb'].map((unit, t) => [unit, `${90 - t} %`]),
  },
  attention: {
    source: [...'bcd'],
    target: [...'dcb', '<end>'],
    weights: [
      [0.1, 0.2, 0.7],
      [0.1, 0.8, 0.1],
      [0.9, 0.05, 0.05],
      [0.3, 0.3, 0.4],
    ],
  },
  states: [
    {
      layer: 'layers.1',
      title: 'GRU',
      steps: [...'dcb', '<end>'],
      norms: [0.5, 0.7, 1, 1.2],
      units: Array.from({ length: 8 }, (_, unit) => [0, 1, 2, 3].map(t => Math.sin(unit + t))),
      width: 8,
    },
  ],
  row: 2,
  rows: 20,
  step: 30,
  best: true,
  notes: ['Two pairs are left out.'],
};
