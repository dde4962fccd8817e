// Joins one text file a language, one name a line, to a TSV of names and languages.
//   node bench/data/names-tsv.mjs FOLDER > names.tsv
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

const [folder] = process.argv.slice(2);
const rows = readdirSync(folder)
  .filter(file => file.endsWith('.txt'))
  .sort()
  .flatMap(file => {
    const names = readFileSync(path.join(folder, file), 'utf8').split(/\r?\n/);
    return names.filter(Boolean).map(name => `${name.trim()}\t${file.slice(0, -4)}`);
  });
process.stdout.write(`${['name\tlanguage', ...rows].join('\n')}\n`);
