// The environment of what we start: nothing of the VS Code or npm that may have started us.
import process from 'node:process';

/** Marks every process that a test run starts, detached workers included, so that leftovers can be found. */
export const mark = 'UNROLL_STARTED_BY';

export function serverEnvironment(extra: Record<string, string> = {}): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {};
  for (const [name, value] of Object.entries(process.env))
    if (!/^(VSCODE_|ELECTRON_|npm_)|^(NODE_OPTIONS|CODE_SERVER_PARENT_PID|INIT_CWD)$/.test(name))
      env[name] = value;
  return { ...env, ...extra };
}
