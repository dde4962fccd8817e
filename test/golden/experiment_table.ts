// Writes experiment_table.json: what this code says of the experiments in test/unit/experiment/table.ts. A net for
// restructuring: a change of a count, a cost or a message shows as a change of this file.
//   node --import tsx test/golden/experiment_table.ts
import { writeFileSync } from 'node:fs';
import { table } from '../unit/experiment/table.ts';

writeFileSync('test/golden/experiment_table.json', `${JSON.stringify(table(), null, 1)}\n`);
