// WAV files of each width, and broken ones, each refused in a sentence that names it.
import assert from 'node:assert/strict';
import { parseWav, readWav } from '../../../../src/trainer/data/wav.ts';
import { wavOf } from './wav-of.ts';

const values = [0, 0.5, -0.5, 0.25, -1, 0.75];

describe('WAV files', () => {
  for (const [format, bits, tolerance] of [
    [1, 8, 1 / 128],
    [1, 16, 1 / 2 ** 15],
    [1, 24, 1 / 2 ** 23],
    [1, 32, 1e-7],
    [3, 32, 0],
    [3, 64, 0],
    [0xfffe, 24, 1 / 2 ** 23],
  ] as const)
    it(`of format ${format} with ${bits} bits are read`, () => {
      const { rate, channels, samples } = parseWav(wavOf(values, { format, bits, rate: 11_025 }), 'a.wav');
      assert.deepEqual([rate, channels, samples.length], [11_025, 1, values.length]);
      values.forEach((value, i) => {
        assert.ok(Math.abs(samples[i]! - value) <= tolerance, `${samples[i]} is not ${value}`);
      });
    });

  it('channels become one by their mean, and other chunks are passed over', () => {
    const stereo = wavOf([0.5, -0.5, 1 / 4, 3 / 4], { channels: 2, before: ['LIST', 5] });
    assert.deepEqual([...parseWav(stereo, 'a.wav').samples], [0, 0.5]);
  });

  it('a size that was never written takes all that follows', () => {
    const bytes = wavOf(values);
    new DataView(bytes.buffer).setUint32(40, 0xffff_ffff, true);
    assert.equal(parseWav(bytes, 'a.wav').samples.length, values.length);
  });

  const whole = wavOf(values);
  for (const [name, bytes, sentence] of [
    ['no bytes', new Uint8Array(3), /a\.wav is no WAV file: it has 3 bytes\.$/],
    [
      'another file',
      new TextEncoder().encode('file\ttext\nm000.wav\tCOAST'),
      /does not begin with RIFF and WAVE/,
    ],
    [
      'cut sound',
      whole.slice(0, -5),
      /a\.wav is truncated: its header tells of 12 bytes of sound, but 7 follow\.$/,
    ],
    ['cut header', whole.slice(0, 30), /is truncated: it ends inside the description of its format/],
    ['no sound', wavOf([]), /holds no sound/],
    ['nothing behind the header', whole.slice(0, 36), /is truncated: no sound follows its header/],
    ['A-law', wavOf(values, { format: 6, bits: 8 }), /holds sound as A-law; PCM of 8, 16, 24 or 32 bits/],
    ['12 bits', wavOf(values, { bits: 12 }), /holds sound as 12 bits a sample/],
    ['a rate of 1 kHz', wavOf(values, { rate: 1000 }), /has 1,000 samples a second; 2,000 are the least/],
    [
      'NaN',
      wavOf([0, Number.NaN], { format: 3, bits: 32 }),
      /a sample that is no number or far too loud, 0\.000 s in/,
    ],
    ['1e300', wavOf([0, 1e300], { format: 3, bits: 64 }), /far too loud, 0\.000 s in/],
    ['an infinity', wavOf([0, -1 / 0], { format: 3, bits: 32 }), /no number or far too loud/],
  ] as const)
    it(`${name}: refused with the file's name`, () => {
      assert.throws(() => parseWav(bytes, 'a.wav'), sentence);
    });

  it('a file that is not there is named', () => {
    assert.throws(() => readWav('/no/such/b.wav', 'b.wav'), /The sound file b\.wav cannot be read: /);
  });
});
