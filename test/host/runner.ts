// The extension host loads this and calls `run`: mocha over the bundled suites. The same file serves
// the host from npm and a desktop VS Code under @vscode/test-electron.
import { appendFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { format } from 'node:util';

export async function run(): Promise<void> {
  process.setSourceMapsEnabled(true);
  const { default: Mocha } = await import('mocha');
  const output = process.env['UNROLL_TEST_OUTPUT'];
  // an extension host's console cannot be redirected
  if (output)
    Mocha.reporters.Base.consoleLog = (...args: unknown[]) => appendFileSync(output, `${format(...args)}\n`);
  const reporter = path.join(__dirname, '../test/host/reporter.cjs');
  const mocha = new Mocha({ color: false, timeout: 600_000, forbidOnly: true, reporter });
  const suite = path.join(__dirname, 'suite');
  const only = process.env['UNROLL_TEST_ONLY'];
  for (const file of readdirSync(suite))
    if (file.endsWith('.test.cjs') && (!only || file.includes(only))) mocha.addFile(path.join(suite, file));
  await mocha.loadFilesAsync();
  const failures = await new Promise<number>(resolve => mocha.run(resolve));
  if (failures) throw new Error(`${failures} tests failed`);
}
