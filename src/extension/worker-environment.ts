// The environment of processes that run the trainer.

/** Nothing of VS Code's own environment reaches the worker: no debug flags, no sockets, no inspector. */
export function workerEnvironment(from: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {};
  for (const [name, value] of Object.entries(from))
    if (!/^(VSCODE_|ELECTRON_)/i.test(name) && !/^(NODE_OPTIONS|APPLICATION_INSIGHTS_.*)$/i.test(name))
      env[name] = value;
  return { ...env, ELECTRON_RUN_AS_NODE: '1' };
}
