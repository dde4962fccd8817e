// Writes the JSON schema of `*.rnn.json`, made from its one source in src/experiment, and beside it the one that
// refuses nothing, which the manifest contributes (`.editing.json`).
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as esbuild from 'esbuild';

export async function writeSchema(file) {
  const { outputFiles } = await esbuild.build({
    stdin: {
      contents:
        "export * from './schema-json.ts'; export { experimentEditingSchemaText } from './editing-schema.ts';",
      resolveDir: 'src/experiment',
    },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    mainFields: ['module', 'main'],
    logLevel: 'warning',
  });
  const code = Buffer.from(outputFiles[0].contents).toString('base64');
  const { experimentEditingSchemaText, experimentJsonSchemaText } = await import(
    `data:text/javascript;base64,${code}`
  );
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, experimentJsonSchemaText());
  writeFileSync(file.replace(/\.json$/, '.editing.json'), experimentEditingSchemaText());
}
