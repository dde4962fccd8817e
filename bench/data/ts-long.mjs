// Turns multivariate series of a .ts file (aeon, UEA) into a CSV in long form, one step a row: id, class, then a column a
// dimension.
//   node bench/data/ts-long.mjs FILE… > series.csv
import { readFileSync } from 'node:fs';
import process from 'node:process';

const lines = process.argv
  .slice(2)
  .flatMap(file => readFileSync(file, 'utf8').split(/\r?\n/))
  .filter(line => line && !line.startsWith('#') && !line.startsWith('@'));
const rows = lines.flatMap((line, id) => {
  const parts = line.split(':');
  const label = parts.pop();
  const columns = parts.map(part => part.split(','));
  return columns[0].map((_, step) => [id + 1, label, ...columns.map(column => column[step])].join(','));
});
const dimensions = lines[0].split(':').length - 1;
const header = ['id', 'class', ...Array.from({ length: dimensions }, (_, index) => `d${index + 1}`)];
process.stdout.write(`${[header.join(','), ...rows].join('\n')}\n`);
