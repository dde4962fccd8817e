// What VS Code loads: small, so that the dashboard's last picture stands before the rest of the extension is loaded
// (`main.ts`, a bundle of its own). Commands that are called meanwhile wait for it.
import * as vscode from 'vscode';
import { Pages } from './dashboard/pages.ts';
import type { Parts } from './main.ts';

/** For the tests in the host. */
export interface Api {
  ready: Promise<Parts>;
}

export function activate(context: vscode.ExtensionContext): Api {
  const pages = new Pages(context);
  const ready = load(context, pages);
  const { commands } = context.extension.packageJSON.contributes as { commands: { command: string }[] };
  context.subscriptions.push(
    ...commands.map(({ command }) =>
      vscode.commands.registerCommand(command, async (...given: unknown[]) =>
        (await ready).commands.run(command, given),
      ),
    ),
  );
  return { ready };
}

async function load(context: vscode.ExtensionContext, pages: Pages): Promise<Parts> {
  // VS Code asks for the pages that a reload left open when it hears that activation has ended
  await new Promise(setImmediate);
  // two round trips to the window: pages are asked for in the first, and their pictures are sent by the second
  for (let trip = 0; trip < 2; trip++)
    await vscode.commands.executeCommand('setContext', 'unroll.active', true);
  const { start } = await import('./main.ts');
  return start(context, pages);
}
