// Parameters counted from code are those that PyTorch, Keras and TensorFlow.js count themselves.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { find } from './find.ts';

interface Case {
  framework: 'torch' | 'keras' | 'tfjs';
  code: string;
  counts: number[];
}

const cases = JSON.parse(
  readFileSync(path.join(import.meta.dirname, '../../golden/definition_counts.json'), 'utf8'),
) as Case[];
const IMPORTS = {
  torch: 'from torch import nn\n',
  keras: 'import keras\nfrom keras import layers\n',
  tfjs: "import * as tf from '@tensorflow/tfjs';\n",
};

describe('parameters counted from code', () => {
  for (const { framework, code, counts } of cases) {
    it(`are the framework's own: ${framework} ${code}`, async () => {
      const language = framework === 'tfjs' ? 'typescript' : 'python';
      const { models } = await find(language, `${IMPORTS[framework]}m = ${code};\n`);
      const found = models.flatMap(({ layers }) => layers.flatMap(({ recurrent }) => recurrent ?? []));
      assert.deepEqual(
        found.map(({ parameters }) => parameters),
        counts,
      );
    });
  }

  /** the golden's own width in place of a name that nothing binds */
  const opened: [RegExp, string][] = [
    [/shape=\(5, (3)\)/, 'shape=(5, width)'],
    [/inputShape: \[5, (3)\]/, 'inputShape: [5, width]'],
    [/^(nn\.\w+\()(?:input_size=)?(\d+)/, '$1width'],
  ];
  for (const { framework, code, counts } of cases) {
    const [pattern, name] = opened.find(([each]) => each.test(code)) ?? [];
    if (!pattern || !name || /Dense\(11/.test(code)) continue;
    it(`are its own as a function of the input's width: ${framework} ${code}`, async () => {
      const language = framework === 'tfjs' ? 'typescript' : 'python';
      const width = Number(pattern.exec(code)!.at(-1));
      const { layers } = await find(language, `${IMPORTS[framework]}m = ${code.replace(pattern, name)};\n`);
      const [first] = layers.map(({ recurrent }) => recurrent!);
      assert.equal(first!.parameters, null);
      const { fixed, perInput } = first!.parametersByInput!;
      assert.equal(fixed + perInput * width, counts[0]);
    });
  }
});
