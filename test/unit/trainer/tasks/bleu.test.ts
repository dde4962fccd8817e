// BLEU against sacreBLEU (test/golden/bleu.py).
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { addBleu, bleuOf } from '../../../../src/trainer/tasks/bleu.ts';

interface Case {
  name: string;
  answers: string[];
  truths: string[];
  bleu: number;
}

const { cases }: { cases: Case[] } = JSON.parse(readFileSync('test/golden/bleu.json', 'utf8'));
const tokens = (text: string) => text.split(' ').filter(Boolean);

function bleu(answers: string[][], truths: string[][]): { score: number; sums: Record<string, number> } {
  const sums: Record<string, number> = {};
  answers.forEach((answer, at) => {
    addBleu(answer, truths[at]!, (name, value) => {
      sums[name] = (sums[name] ?? 0) + value;
    });
  });
  return { score: bleuOf(sums), sums };
}

describe('BLEU', () => {
  for (const { name, answers, truths, bleu: wanted } of cases)
    it(`is that of sacreBLEU: ${name}`, () => {
      const { score } = bleu(answers.map(tokens), truths.map(tokens));
      assert.ok(Math.abs(score - wanted) < 1e-9, `${score}, not ${wanted}`);
    });

  it('clips what is said again: 2 of 7 for "the" seven times (Papineni et al. 2002)', () => {
    const { sums } = bleu([tokens('the the the the the the the')], [tokens('the cat is on the mat')]);
    assert.deepEqual([sums['bleu right 1'], sums['bleu all 1']], [2, 7]);
  });

  it('is 0 of nothing', () => {
    assert.equal(bleu([[]], [tokens('a b c d')]).score, 0);
    assert.equal(bleuOf({}), 0);
  });
});
