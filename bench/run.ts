// npm run bench: measures ours side by side with others and writes bench/RESULTS.md. bench/README.md tells more.
//
//   npm run bench -- [GROUP …] [--quick] [--json FILE] [--only GROUP,…] [--engines NAME,…] [--threads N] [--rounds N]
//                    [--layers NAME,…] [--seconds S] [--date YYYY-MM-DD] [--no-build]
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { type Context, contextOf } from './context.ts';
import { busy } from './groups/busy.ts';
import { cases } from './groups/cases.ts';
import { frame } from './groups/frame.ts';
import { layer } from './groups/layer.ts';
import { memory } from './groups/memory.ts';
import { models } from './groups/models.ts';
import { others } from './groups/others.ts';
import { peak } from './groups/peak.ts';
import { phases } from './groups/phases.ts';
import { recording } from './groups/recording.ts';
import { recurrences } from './groups/recurrences.ts';
import { response } from './groups/response.ts';
import { scaling } from './groups/scaling.ts';
import { shakespeare } from './groups/shakespeare.ts';
import { startUp } from './groups/start-up.ts';
import { tasks } from './groups/tasks.ts';
import { describeMachine } from './machine.ts';
import { versions } from './participant.ts';
import { isBuilt } from './participants.ts';
import { type KeptSection, pageOf, type Section } from './report.ts';

const GROUPS: Readonly<Record<string, (context: Context) => Promise<Section>>> = {
  cases,
  recording,
  frame,
  models,
  recurrences,
  scaling,
  busy,
  tasks,
  layer,
  phases,
  peak,
  others,
  shakespeare,
  'start-up': startUp,
  memory,
  response,
};

const root = resolve(import.meta.dirname, '..');
/** Committed: a clone that measures one group writes the others as they were. */
const kept = join(import.meta.dirname, 'results');

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    only: { type: 'string' },
    engines: { type: 'string' },
    layers: { type: 'string' },
    threads: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    date: { type: 'string', default: new Date().toISOString().slice(0, 10) },
    'no-build': { type: 'boolean', default: false },
  },
});

const quick = options.quick;
const asked = [...(options.only?.split(',') ?? []), ...positionals];
const names = asked.length > 0 ? asked : quick ? ['cases', 'recording'] : Object.keys(GROUPS);
const unknown = names.filter(name => !Object.hasOwn(GROUPS, name));
if (unknown.length > 0) {
  console.error(`There is no group ${unknown.join(', ')}; the groups are ${Object.keys(GROUPS).join(', ')}.`);
  process.exit(2);
}
if (!options['no-build']) build();
if (!isBuilt()) {
  console.error('dist/engine/unroll.mjs is missing: run npm run build first.');
  process.exit(2);
}

const context = contextOf({
  quick,
  threads: Number(options.threads ?? Math.min(2, availableParallelism())),
  pace: {
    rounds: Number(options.rounds ?? (quick ? 3 : 5)),
    seconds: Number(options.seconds ?? (quick ? 0.25 : 0.6)),
    warmup: quick ? 0.2 : 0.5,
  },
  engines: options.engines?.split(',') ?? null,
  layers: options.layers?.split(',') ?? null,
});

const machine = describeMachine();
const sections: Section[] = [];
// a part of a group, or short rounds, are no result
const isResult = !quick && !options.layers && !options.engines;
for (const name of names) {
  const load = loadavg()[0]!;
  const section = await GROUPS[name]!(context);
  const { processor } = machine;
  const measured = { ...section, load, date: options.date, versions: [...versions], processor };
  sections.push(measured);
  // at once: a later group that fails takes nothing with it
  if (isResult) keep(measured);
}
if (options.json)
  writeFileSync(
    options.json,
    `${JSON.stringify(
      sections.flatMap(({ data }) => data),
      null,
      1,
    )}\n`,
  );
if (!isResult)
  for (const { targets, skipped } of sections) console.error(JSON.stringify({ targets, skipped }, null, 1));

/** Bundles, and the native and WASM engines where a source has changed. */
function build(): void {
  const { status } = spawnSync(process.execPath, ['esbuild.js', '--sets', 'host'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) process.exit(3);
}

/** Groups may be measured one at a time, when the machine is quiet: the page has the last of each. */
function keep({ data: _, ...section }: Section): void {
  mkdirSync(kept, { recursive: true });
  writeFileSync(join(kept, `${section.name}.json`), `${JSON.stringify(section, null, 1)}\n`);
  const sections = keptSections();
  const missing = Object.keys(GROUPS).filter(name => !sections.some(each => each.name === name));
  writeFileSync(join(import.meta.dirname, 'RESULTS.md'), pageOf(sections, machine, missing));
}

/** Those of this processor: figures of two machines are no page. */
function keptSections(): KeptSection[] {
  const files = readdirSync(kept);
  return Object.keys(GROUPS)
    .filter(name => files.includes(`${name}.json`))
    .map(name => JSON.parse(readFileSync(join(kept, `${name}.json`), 'utf8')) as KeptSection)
    .filter(({ processor }) => processor === machine.processor);
}
