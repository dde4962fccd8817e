// The command "Install TensorFlow Engine…": asks, installs with progress, and where the download cannot be had names
// the way out.
import * as vscode from 'vscode';
import type { Services } from '../services.ts';
import { InstallError, installTfjsNode, PACKAGE } from './install.ts';
import { tensorflowStorage } from './places.ts';

let output: vscode.OutputChannel | null = null;

export async function installTensorflow({ context }: Services): Promise<void> {
  if (!(await mayInstall()) || !(await consent())) return;
  if (!output) context.subscriptions.push((output = vscode.window.createOutputChannel('Unroll: TensorFlow')));
  const channel = output;
  channel.clear();
  channel.appendLine(`npm install ${PACKAGE} in ${tensorflowStorage(context)}`);
  try {
    if (!(await installWithProgress(tensorflowStorage(context), channel))) return;
  } catch (cause) {
    if (!(cause instanceof InstallError)) throw cause;
    channel.appendLine(cause.message);
    await explain(cause.message, context, channel);
    return;
  }
  await offerToUse();
}

async function mayInstall(): Promise<boolean> {
  if (vscode.workspace.isTrusted) return true;
  const manage = vscode.l10n.t('Manage Workspace Trust');
  const chosen = await vscode.window.showWarningMessage(
    vscode.l10n.t('Nothing is installed from a workspace that is not trusted.'),
    manage,
  );
  if (chosen === manage) await vscode.commands.executeCommand('workbench.trust.manage');
  return false;
}

async function consent(): Promise<boolean> {
  const install = vscode.l10n.t('Install');
  const chosen = await vscode.window.showInformationMessage(
    vscode.l10n.t('Install TensorFlow as an engine of Unroll?'),
    {
      modal: true,
      detail: vscode.l10n.t(
        'npm installs {0} into the extension’s storage and runs its install script, which downloads TensorFlow’s library from storage.googleapis.com (about 100 MB; 500 MB on disk). Unroll trains without it.',
        PACKAGE,
      ),
    },
    install,
  );
  return chosen === install;
}

function installWithProgress(folder: string, channel: vscode.OutputChannel): Thenable<boolean> {
  const options: vscode.ProgressOptions = {
    location: vscode.ProgressLocation.Notification,
    title: vscode.l10n.t('Installing TensorFlow'),
    cancellable: true,
  };
  return vscode.window.withProgress(options, (progress, token) => {
    const controller = new AbortController();
    token.onCancellationRequested(() => controller.abort());
    return installTfjsNode(folder, {
      signal: controller.signal,
      onOutput(text) {
        channel.append(text);
        const line = text.trim().split('\n').at(-1)!.slice(0, 80);
        if (line) progress.report({ message: line });
      },
    });
  });
}

async function explain(
  why: string,
  context: vscode.ExtensionContext,
  channel: vscode.OutputChannel,
): Promise<void> {
  const showOutput = vscode.l10n.t('Show Output');
  const setPath = vscode.l10n.t('Set Path');
  const howToBuild = vscode.l10n.t('How to Build It');
  const chosen = await vscode.window.showErrorMessage(
    vscode.l10n.t(
      'TensorFlow was not installed: {0} Where the download cannot be had, build tfjs-node against the TensorFlow of Python and name its folder in the setting unroll.tensorflow.path.',
      why,
    ),
    howToBuild,
    setPath,
    showOutput,
  );
  if (chosen === showOutput) channel.show();
  if (chosen === setPath)
    await vscode.commands.executeCommand('workbench.action.openSettings', 'unroll.tensorflow.path');
  if (chosen === howToBuild) {
    const page = vscode.Uri.joinPath(context.extensionUri, 'docs', 'tfjs-node.md');
    await vscode.commands.executeCommand('markdown.showPreview', page);
  }
}

async function offerToUse(): Promise<void> {
  const use = vscode.l10n.t('Use It');
  const chosen = await vscode.window.showInformationMessage(
    vscode.l10n.t('TensorFlow is installed. Runs use it when the setting unroll.engine is tfjs-node.'),
    use,
  );
  if (chosen === use)
    await vscode.workspace
      .getConfiguration('unroll')
      .update('engine', 'tfjs-node', vscode.ConfigurationTarget.Global);
}
