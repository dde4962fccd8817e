// User settings for quiet runs and clean pictures: no welcome pages, no AI, no telemetry, no updates.
export const quietSettings: Record<string, unknown> = {
  // a browser's workbench saves by itself, a desktop's does not
  'files.autoSave': 'off',
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'workbench.enableExperiments': false,
  'workbench.welcomePage.walkthroughs.openOnInstall': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.layoutControl.enabled': false,
  'chat.disableAIFeatures': true,
  'chat.commandCenter.enabled': false,
  'chat.agentHost.enabled': false,
  'window.commandCenter': false,
  'telemetry.telemetryLevel': 'off',
  'update.showReleaseNotes': false,
  'update.mode': 'none',
  'extensions.autoUpdate': false,
  'extensions.autoCheckUpdates': false,
  'extensions.ignoreRecommendations': true,
  'git.openRepositoryInParentFolders': 'never',
};

/** Of tests alone: what moves in the workbench is drawn in software, which took a third of the processor time. */
export const stillSettings: Record<string, unknown> = {
  'workbench.reduceMotion': 'on',
  'editor.cursorBlinking': 'solid',
};
