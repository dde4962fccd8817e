// Runs the programs that fetching needs, and turns their failures into one sentence.
import { spawnSync } from 'node:child_process';
import path from 'node:path';

/** A failure that needs no stack trace: its message says what happened and what to do. */
export class HostError extends Error {
  override name = 'HostError';
}

interface CommandOptions {
  /** completes "failed to …" */
  purpose: string;
  cwd?: string;
  input?: Uint8Array;
  env?: NodeJS.ProcessEnv;
}

export function run(command: string, args: string[], options: CommandOptions): string {
  const result = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    cwd: options.cwd,
    input: options.input,
    env: options.env,
  });
  if (result.error && 'code' in result.error && result.error.code === 'ENOENT')
    throw new HostError(`"${command}" is not on the PATH; it is needed to ${options.purpose}.`);
  if (result.error) throw result.error;
  if (result.status !== 0) {
    const said = (result.stderr || result.stdout).trim().split('\n').slice(-12).join('\n');
    throw new HostError(`${command} failed to ${options.purpose} (exit code ${result.status}):\n${said}`);
  }
  return result.stdout;
}

const quiet = {
  npm_config_update_notifier: 'false',
  npm_config_fund: 'false',
  npm_config_audit: 'false',
  npm_config_loglevel: 'error',
  // an npm that runs us hands these down; they would turn `npm pack` into a rehearsal or a JSON report
  npm_config_dry_run: 'false',
  npm_config_workspaces: 'false',
};

function npm(args: string[], cwd: string, purpose: string): string {
  try {
    return run('npm', args, { cwd, purpose, env: { ...process.env, ...quiet } });
  } catch (error) {
    const network =
      /\b(ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|ENETUNREACH|E40[134]|ENOTCACHED)\b/.exec(
        String(error),
      );
    if (!network) throw error;
    throw new HostError(
      `The npm registry could not be used to ${purpose} (${network[1]}). The host is fetched once, from npm only: connect, or set npm's registry, and try again.`,
    );
  }
}

/** Downloads a package's archive into `folder`; npm checks its integrity. */
export function npmPack(spec: string, folder: string): string {
  const answer = npm(['pack', '--json', '--silent', '--ignore-scripts', spec], folder, `download ${spec}`);
  const parsed: unknown = JSON.parse(answer);
  // an array up to npm 11, an object by name in npm 12
  const [first] = (Array.isArray(parsed) ? parsed : Object.values(parsed as object)) as {
    filename: string;
  }[];
  return path.join(folder, first!.filename);
}

export function npmInstall(folder: string, purpose: string): void {
  npm(['install', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund'], folder, purpose);
}

export function unpack(archive: string, folder: string, options: string[], purpose: string): void {
  run('tar', ['-xzf', archive, '-C', folder, ...options], { purpose });
}
