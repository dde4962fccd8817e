import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataError } from '../../../../src/trainer/data/errors.ts';
import { readText, UNKNOWN } from '../../../../src/trainer/data/text.ts';

const fixture = (name: string) => join(import.meta.dirname, 'fixtures', name);

describe('reading text', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'unroll-text-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  async function read(content: string | Uint8Array, minCount = 1, share = 1) {
    const path = join(folder, 'a.txt');
    writeFileSync(path, content);
    const { ids, vocabulary } = await readText(path, 'a.txt', { minCount: minCount, share: share });
    const all = Array.from(ids.slice(0, ids.length));
    return { ids: all, ...vocabulary, text: all.map(id => vocabulary.symbols[id]).join('') };
  }

  const refused = (content: Uint8Array | string, message: RegExp) =>
    assert.rejects(read(content), (error: Error) => {
      assert.ok(error instanceof DataError, error.stack);
      assert.match(error.message, message);
      return true;
    });

  it('takes code points as symbols, in their order, and counts them', async () => {
    const { text, symbols, counts, ids } = await read('b𝔘a語b👍');
    assert.equal(text, 'b𝔘a語b👍');
    assert.deepEqual(symbols, ['a', 'b', '語', '𝔘', '👍']);
    assert.deepEqual(counts, [1, 2, 1, 1, 1]);
    assert.deepEqual(ids, [1, 3, 0, 2, 1, 4]);
  });

  it('makes all line ends \\n and drops the byte order mark', async () => {
    assert.equal((await read('\uFEFFa\r\nb\rc\nd\r\r\n')).text, 'a\nb\nc\nd\n\n');
  });

  const utf16 = (text: string) => Buffer.from(`\uFEFF${text}`, 'utf16le');
  for (const [name, bytes] of [
    ['UTF-16 LE', utf16('añ👍\r\nz')],
    ['UTF-16 BE', utf16('añ👍\r\nz').swap16()],
  ] as const)
    it(`reads ${name} with a byte order mark`, async () => {
      assert.equal((await read(bytes)).text, 'añ👍\nz');
    });

  it('puts a character and a line end together that stand on both sides of a chunk', async () => {
    for (const cut of ['👍', '\r\n', 'é']) {
      const text = `${'x'.repeat(2 ** 20 - 1)}${cut}end`;
      assert.equal((await read(text)).text, text.replace('\r\n', '\n'), JSON.stringify(cut));
    }
  });

  it('reads the fixture with emoji and combining marks', async () => {
    const { vocabulary, ids } = await readText(fixture('emoji_combining.txt'), 'emoji', {
      minCount: 1,
      share: 1,
    });
    assert.ok(vocabulary.symbols.includes('🇩') && vocabulary.symbols.includes('\u200D'));
    assert.ok(ids.length > 200);
  });

  it('gathers rare characters of the training part in one unknown symbol, the last', async () => {
    // z is frequent, but beyond the training half
    const { symbols, counts, text } = await read('aaabbbcc zzzz  ', 3, 0.6);
    assert.deepEqual(symbols, ['a', 'b', UNKNOWN]);
    assert.deepEqual(counts, [3, 3, 9]);
    assert.equal(text, `aaabbb${UNKNOWN.repeat(9)}`);
  });

  it('refuses what is no text with the byte where it shows', async () => {
    await refused(
      Buffer.from([0x61, 0xc3, 0x28]),
      /a\.txt is not UTF-8 text: byte 1 cannot be decoded\. Convert it/,
    );
    await refused(Buffer.from('ab\0c'), /byte 2 /);
    await refused(Buffer.from([0x61, 0xe2, 0x82]), /is not UTF-8 text/);
    const late = Buffer.alloc(2 ** 20 + 100, 'a');
    late[2 ** 20 + 50] = 0xff;
    await refused(late, /byte 1,048,626 /);
    await refused('', /holds no characters/);
    await refused('\uFEFF', /holds no characters/);
    for (const name of ['nul_bytes.txt', 'poems_gb18030.txt'])
      await assert.rejects(
        readText(fixture(name), name, { minCount: 1, share: 1 }),
        /is not UTF-8 text: byte [\d,]+ cannot/,
      );
  });

  it('says that a file cannot be read', async () => {
    await assert.rejects(readText(folder, 'folder', { minCount: 1, share: 1 }), (error: Error) => {
      assert.ok(error instanceof DataError);
      assert.match(error.message, /cannot be read/);
      return true;
    });
  });
});
