// Language models of characters, words and bytes: ids from memory and from the file, vocabularies, figures and drawing,
// against counting by hand.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tensor3d } from '@tensorflow/tfjs-core';
import { type ExperimentInput, experimentSchema } from '../../../../src/experiment/schema.ts';
import { readFileBytes } from '../../../../src/trainer/data/bytes.ts';
import type { SymbolIds } from '../../../../src/trainer/data/symbol-ids.ts';
import { readText, UNKNOWN } from '../../../../src/trainer/data/text.ts';
import { readWords, type WordOptions } from '../../../../src/trainer/data/words.ts';
import { startEngine } from '../../../../src/trainer/engine/start.ts';
import { randomStream } from '../../../../src/trainer/random.ts';
import { draw, weightsOf } from '../../../../src/trainer/tasks/generate.ts';
import { codecOf, openTask, type TaskArtifact } from '../../../../src/trainer/tasks/index.ts';
import { emptyScore } from '../../../../src/trainer/tasks/task.ts';
import { figuresOf } from '../../../../src/trainer/training/validation.ts';

const all = (ids: SymbolIds) => Array.from(ids.slice(0, ids.length));

describe('language models', () => {
  let folder = '';
  before(async () => {
    await startEngine('reference', null);
    folder = mkdtempSync(join(tmpdir(), 'unroll-language-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  const file = (content: string | Uint8Array) => {
    const path = join(folder, 'a.txt');
    writeFileSync(path, content);
    return path;
  };
  const open = (data: ExperimentInput['data'], training: ExperimentInput['training'] = {}) =>
    openTask(
      experimentSchema.parse({
        data,
        model: { layers: [{ type: 'gru', units: 3 }, { type: 'dense' }] },
        training: { batchSize: 2, seqLen: 4, ...training },
      }),
      { base: folder, workspace: folder, allowedPaths: [] },
    );

  /** Characters of one to four bytes, and line ends of all sorts, over many blocks. */
  const mixed = (length: number) => {
    const random = randomStream(3, 'test', 0);
    const signs = ['a', 'b', 'é', '語', '👍', '\r\n', '\r', '\n', ' ', 'w', ', ', 'don’t '];
    return Array.from({ length }, () => signs[random.int(signs.length)]).join('');
  };

  describe('ids of a text', () => {
    for (const [name, bytes] of [
      ['UTF-8', Buffer.from(mixed(40_000))],
      ['UTF-16', Buffer.from(`\uFEFF${mixed(20_000)}`, 'utf16le')],
    ] as const)
      it(`of characters are the same from the file as from memory: ${name}`, async () => {
        const options = { minCount: 1, share: 1 };
        const path = file(bytes);
        const kept = await readText(path, 'a', options);
        const found = await readText(path, 'a', { ...options, inMemory: 1000 });
        assert.ok(kept.ids instanceof Uint16Array && !ArrayBuffer.isView(found.ids));
        assert.deepEqual(all(found.ids), all(kept.ids));
        assert.ok(kept.ids.length > 2 * 8192, 'it has several blocks');
        const random = randomStream(1, 'test', 1);
        for (let turn = 0; turn < 50; turn++) {
          const from = random.int(kept.ids.length);
          const to = Math.min(kept.ids.length, from + random.int(100));
          assert.deepEqual([...Array.from(found.ids.slice(from, to))], [...kept.ids.slice(from, to)]);
        }
      });

    it('of words and bytes too', async () => {
      const path = file(mixed(40_000));
      const options: WordOptions = { tokens: 'words', minCount: 2, share: 0.5 };
      const kept = await readWords(path, 'a', options);
      const found = await readWords(path, 'a', { ...options, inMemory: 1 });
      assert.deepEqual(found.words, kept.words);
      assert.deepEqual(all(found.ids), all(kept.ids));
      const bytes = await readFileBytes(path, 'a', { inMemory: 1 });
      assert.deepEqual(all(bytes.ids), [...Buffer.from(await readBack(path))]);
    });

    it('say when the file has changed since it was read', async () => {
      const path = file(mixed(40_000));
      const { ids } = await readText(path, 'a.txt', { minCount: 1, share: 1, inMemory: 1 });
      file('short');
      assert.throws(() => ids.slice(20_000, 20_010), /a\.txt became shorter while it was read\./);
    });
  });

  const readBack = async (path: string) => (await import('node:fs/promises')).readFile(path);

  describe('vocabulary of words', () => {
    const text = 'the cat saw the dog.\nThe dog saw the cat, twice.\n';

    it('has the words of the training part by falling count, the unknown one last', async () => {
      const { words, ids, different, characters } = await readWords(file(text), 'a', {
        tokens: 'words',
        minCount: 2,
        share: 1,
      });
      assert.deepEqual(words, ['the', '\n', '.', 'cat', 'dog', 'saw', UNKNOWN]);
      assert.deepEqual(
        all(ids).map(id => words[id]),
        [
          'the',
          'cat',
          'saw',
          'the',
          'dog',
          '.',
          '\n',
          UNKNOWN,
          'dog',
          'saw',
          'the',
          'cat',
          UNKNOWN,
          UNKNOWN,
          '.',
          '\n',
        ],
      );
      assert.equal(different, 9);
      assert.equal(characters, text.length);
    });

    it('is held to a size, to the training part, and to what stands between spaces', async () => {
      const options: WordOptions = { tokens: 'words', minCount: 1, share: 1 };
      const few = await readWords(file(text), 'a', { ...options, most: 3 });
      assert.deepEqual(few.words, ['the', '\n', UNKNOWN]);
      const early = await readWords(file(text), 'a', { ...options, share: 0.4 });
      assert.deepEqual(early.words, ['the', '.', 'cat', 'dog', 'saw', UNKNOWN]);
      const spaced = await readWords(file(text), 'a', { ...options, tokens: 'spaced' });
      assert.ok(spaced.words.includes('dog.') && spaced.words.includes('cat,'));
    });
  });

  it('word-lm: perplexity and bits per character of a guess among all words are those of the formula', async () => {
    file('one two three four five six seven eight\n'.repeat(40));
    const task = await open({ task: 'word-lm', path: 'a.txt', minCount: 1, split: [0.5, 0.25, 0.25] });
    const artifact = task.artifact() as TaskArtifact & { task: 'word-lm' };
    assert.equal(artifact.words.length, 10);
    const score = emptyScore();
    for (const batch of task.validation()) {
      const outputs = tensor3d(new Float32Array(4 * batch.batch * 10), [4, batch.batch, 10]);
      task.score(outputs, batch, score);
      outputs.dispose();
    }
    const figures = figuresOf(task, score);
    assert.ok(Math.abs(figures['perplexity']! - 10) < 1e-5);
    assert.ok(Math.abs(figures['bitsPerChar']! - Math.log2(10) / (40 / 9)) < 1e-6);
    // counted by hand: every word is seen 20 times in 180, once more each over 10 symbols
    assert.ok(Math.abs(task.facts.baseline!.loss + Math.log(21 / 190)) < 1e-3);
    assert.match(task.facts.notes[1]!, /0\.00 % of the training part, 0\.00 % of the validation part/);
  });

  it('byte-lm: bits per character are those of its bytes', async () => {
    file('é'.repeat(400));
    const task = await open({ task: 'byte-lm', path: 'a.txt', split: [0.5, 0.25, 0.25] });
    const figures = task.metrics({ lossSum: Math.LN2 * 10, count: 10, sums: {} });
    assert.deepEqual(figures, { bitsPerByte: 1, bitsPerChar: 2, perplexity: 2 });
    file(Uint8Array.from({ length: 400 }, (_, at) => at % 256));
    const binary = await open({ task: 'byte-lm', path: 'a.txt' });
    assert.deepEqual(Object.keys(binary.metrics({ lossSum: 1, count: 1, sums: {} })), [
      'bitsPerByte',
      'perplexity',
    ]);
    assert.deepEqual(task.sizes, { input: { kind: 'tokens', vocabulary: 256 }, outputs: 256 });
  });

  it('write what they read', () => {
    const written = (artifact: TaskArtifact, text: string) => {
      const codec = codecOf(artifact)!;
      const writer = codec.writer();
      return (
        codec
          .encode(text)
          .ids.map(id => writer.add(id))
          .join('') + writer.end()
      );
    };
    const words = ['\n', 'Well', ',', 'said', '(', 'he', ')', '.', UNKNOWN];
    const artifact: TaskArtifact = { task: 'word-lm', tokens: 'words', words, charactersPerWord: 5 };
    assert.equal(written(artifact, 'Well,  said (he).\nsaid x'), 'Well, said (he).\nsaid <unk>');
    assert.equal(written({ task: 'byte-lm', bytesPerCharacter: 1 }, 'naïve 👍\n'), 'naïve 👍\n');
  });

  describe('drawing', () => {
    const logits = Float32Array.from([0.5, 2, -1, 1.5, 0, 2]);
    const softmax = (temperature: number) => {
      const weights = Array.from(logits, logit => Math.exp(logit / temperature));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      return weights.map(weight => weight / total);
    };
    const shares = (weights: Float64Array) => {
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      return Array.from(weights, weight => weight / total);
    };
    const close = (found: number[], expected: number[]) =>
      found.forEach((value, at) => {
        assert.ok(Math.abs(value - expected[at]!) < 1e-12, `${found} ${expected}`);
      });

    it('has the probabilities of softmax, or of its likeliest alone', () => {
      close(shares(weightsOf(logits, { temperature: 0.7 })), softmax(0.7));
      const p = softmax(1);
      const three = p[1]! + p[5]! + p[3]!;
      const likeliest = [0, p[1]! / three, 0, p[3]! / three, 0, p[5]! / three];
      close(shares(weightsOf(logits, { temperature: 1, topK: 3 })), likeliest);
      // the two likeliest have 0.66 together, three have 0.86
      assert.ok(p[1]! + p[5]! < 0.8 && three > 0.8);
      close(shares(weightsOf(logits, { temperature: 1, topP: 0.8 })), likeliest);
      close(shares(weightsOf(logits, { temperature: 1, topP: 1 })), p);
      close(shares(weightsOf(logits, { temperature: 1, topK: 1, topP: 1e-6 })), [0, 1, 0, 0, 0, 0]);
    });

    it('takes the symbol in whose stretch the number falls', () => {
      const p = softmax(1);
      let from = 0;
      p.forEach((width, id) => {
        for (const share of [0.01, 0.99])
          assert.equal(draw(logits, { temperature: 1 }, from + width * share), id);
        from += width;
      });
      for (const uniform of [0, 0.5, 0.999999])
        assert.ok([1, 3, 5].includes(draw(logits, { temperature: 1, topK: 3 }, uniform)));
    });
  });
});
