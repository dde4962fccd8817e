// Numbers that code computes of what the file says: never another one than Python's or JavaScript's own.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { find } from './find.ts';

const inPython = JSON.parse(
  readFileSync(path.join(import.meta.dirname, '../../golden/computed_sizes.json'), 'utf8'),
) as { code: string; number: number; told: boolean }[];

const TOLD = [
  'const n = 17 % 5;',
  'const n = 2 << 3;',
  'const n = 2 ** 5;',
  'const n = 9 - 2 - 3;',
  'const n = (2 + 3) * 4;',
  'const n = +7;',
  'const n = -(-7);',
  'const n = Math.floor(7.9);',
  'const n = Math.ceil(7.1);',
  'const n = Math.trunc(7.9);',
  'const n = Math.round(7.6);',
  'const n = Math.max(3, 8, 5);',
  'const n = Math.min(3, 8, 5);',
  'const n = parseInt("12");',
  'const n = Number("12");',
  'const n = 3 < 4 ? 8 : 9;',
  'const n = 4 < 4 ? 8 : 9;',
  'const n = 4 <= 4 ? 8 : 9;',
  'const n = 4 > 4 ? 8 : 9;',
  'const n = 4 >= 4 ? 8 : 9;',
  'const n = 4 === 4 ? 8 : 9;',
  'const n = 4 !== 4 ? 8 : 9;',
  'const n = "a" != "b" ? 8 : 9;',
  'const n = !0 ? 8 : 9;',
  'const n = 0 || 5;',
  'const n = 4 || 5;',
  'const n = 4 && 5;',
  'const n = null ?? 5;',
  'const n = `abc`.length;',
  'const sizes = [3, 4, 5]; const n = sizes[0];',
  'const sizes = [3, 4, 5]; const n = sizes[2];',
  'const [a, n] = [3, 4];',
  'const [n, b] = [3, 4];',
  'const { n } = { n: 3, b: 4 };',
  'const { b: n } = { a: 3, b: 4 };',
  'const { c: { n } } = { a: 3, c: { n: 4 } };',
  'const { n = 5 } = { n: 3 };',
  'const settings = { units: 6, inputs: 3 }; const n = settings.inputs;',
  'const settings = { units: 6, inputs: 3 }; const n = settings["inputs"];',
  'const inputs = 4; const settings = { inputs }; const n = settings.inputs;',
  'const base = { units: 6, inputs: 3 }; const settings = { ...base, inputs: 5 }; const n = settings.inputs;',
  'const base = { units: 6, inputs: 3 }; const settings = { ...base, inputs: 5 }; const n = settings.units;',
  'const base = { units: 6, inputs: 3 }; const settings = { inputs: 5, ...base }; const n = settings.inputs;',
  'const settings = { model: { inputs: 3 } }; const n = settings.model.inputs;',
  'const settings = { model: { inputs: 3 } }; const n = settings?.model?.inputs;',
  'const settings = Object.freeze({ inputs: 3 }); const n = settings.inputs;',
  'class Config { static inputs = 3; } const n = Config.inputs;',
  'class Config { inputs = 3; } const n = new Config().inputs;',
  'class Config { constructor(inputs, units = 6) { this.inputs = inputs; this.units = units; } } const n = new Config(3).inputs;',
  'class Config { constructor(inputs, units = 6) { this.inputs = inputs; this.units = units; } } const n = new Config(3).units;',
  'class Config { constructor(inputs, units = 6) { this.inputs = inputs; this.units = units; } } const n = new Config(3, 9).units;',
  'class Config { get inputs() { return 7; } } const n = new Config().inputs;',
  'class Base { inputs = 3; } class Config extends Base { units = 4; } const n = new Config().inputs;',
  'let n = 3; n += 2;',
  'let n = 3; n = n * 2;',
  'let n = 3; { let n = 4; void n; }',
  'var n = 3; function other() { var n = 4; return n; } other();',
  'const n = [3, 4].length + 1;',
  'const n = 1_024;',
  'const n = 0x1f;',
  'const n = 1e3;',
  'let n; if (Math.random() >= 0) { n = 4; }',
  'const n = [..."abc", "d"].length;',
  'const settings = { inputs: 3 }; settings.inputs = 4; const n = settings.inputs;',
  'const settings = { inputs: 3 }; Object.assign(settings, { inputs: 4 }); const n = settings.inputs;',
];

const OPEN = [
  'const { n = 5 } = { a: 3 };',
  'const n = -17 % 5 + 9;',
  'const n = Math.abs(-5);',
  'const n = [...[3, 4], 5][1];',
  'const sizes = [3, 4]; const all = [...sizes, 5]; const n = all[1];',
  'const sizes = [3]; sizes.push(4); const n = sizes[1];',
  'let n = 0; for (const each of [5, 6]) n += each;',
  'let n = 0; [5, 6].forEach(each => { n += each; });',
  'let n = 3; function change() { n = 9; } change();',
  'const n = [3, 4].map(each => each * 2)[1];',
  'const { n = 5 } = { n: undefined };',
  'const n = 7 >> 1;',
  'const n = 7 & 3;',
  'const n = 7 / 2 | 0;',
  'let n; switch (2) { case 2: n = 4; break; default: n = 5; }',
  'const n = (() => { return 4; })();',
];

describe('numbers that code computes', () => {
  for (const { code, number, told } of inPython)
    it(`are Python's: ${code.replaceAll('\n', ' · ')}`, async () => {
      const { layers } = await find('python', `from torch import nn\n${code}\nnn.LSTM(n, 4)\n`);
      const { value } = layers[0]!.recurrent!.inputSize;
      assert.equal(value, told ? number : null);
    });

  const inJavaScript = [...TOLD.map(code => [code, true]), ...OPEN.map(code => [code, false])] as const;
  for (const [code, told] of inJavaScript)
    it(`are JavaScript's: ${code}`, async () => {
      const number = new Function(`${code}\nreturn n;`)() as number;
      assert.ok(number > 0);
      const { layers } = await find(
        'javascript',
        `import * as tf from '@tensorflow/tfjs';\n${code}\ntf.layers.lstm({ units: 4, inputShape: [7, n] });\n`,
      );
      const { value } = layers[0]!.recurrent!.inputSize;
      assert.equal(value, told ? number : null);
    });
});
