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
});
