// Runs the in-host suites in a desktop VS Code, which @vscode/test-electron downloads.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { runTests } from '@vscode/test-electron';
import { bundleSuites } from './bundle.ts';
import { HostError } from './command.ts';
import type { Report } from './in-host.ts';
import { root } from './paths.ts';

export async function runOnDesktop(options: { workspace: string; reportFile: string }): Promise<Report> {
  const tests = await bundleSuites();
  try {
    await runTests({
      cachePath: path.join(root, '.vscode-test', 'desktop'),
      vscodeExecutablePath: process.env['VSCODE_EXECUTABLE'],
      extensionDevelopmentPath: root,
      extensionTestsPath: tests,
      launchArgs: [options.workspace, '--disable-extensions', '--disable-workspace-trust', '--no-sandbox'],
      extensionTestsEnv: { UNROLL_TEST_REPORT: options.reportFile },
    });
  } catch (error) {
    if (!existsSync(options.reportFile))
      throw new HostError(
        `The desktop VS Code did not run the tests: ${error instanceof Error ? error.message : error}\nIt is downloaded from update.code.visualstudio.com; where that cannot be reached, name an installed one in VSCODE_EXECUTABLE, or use npm test, which needs the npm registry only.`,
      );
  }
  return JSON.parse(readFileSync(options.reportFile, 'utf8')) as Report;
}
