// The machine that the figures are of.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import process from 'node:process';

export interface Machine {
  processor: string;
  cores: number;
  caches: string;
  memory: string;
  system: string;
  node: string;
  /** of the last minute, when the benchmark began */
  load: number;
}

export function describeMachine(): Machine {
  return {
    processor: processorName(),
    cores: cpus().length,
    caches: caches(),
    memory: `${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
    system: `${distribution()} (${type()} ${release()})`,
    node: process.version,
    load: loadavg()[0]!,
  };
}

function processorName(): string {
  const [first] = cpus();
  const flags = existsSync('/proc/cpuinfo') ? readFileSync('/proc/cpuinfo', 'utf8') : '';
  const has = ['avx2', 'avx512f'].filter(name => new RegExp(`^flags.*\\b${name}\\b`, 'm').test(flags));
  const family = /^cpu family\s*:\s*(\d+)[\s\S]*?^model\s*:\s*(\d+)/m.exec(flags);
  const place = family ? `, family ${family[1]} model ${family[2]}` : '';
  return `${first?.model.trim() ?? 'unknown'}${place}${has.length > 0 ? `, ${has.join(' ')}` : ''}`;
}

function caches(): string {
  const { status, stdout } = spawnSync('lscpu', ['--json'], { encoding: 'utf8' });
  if (status !== 0) return 'unknown';
  const found = [...stdout.matchAll(/"field":\s*"(L\d[di]?) cache:",\s*"data":\s*"([^"]+)"/g)];
  return found.map(([, level, size]) => `${level} ${size}`).join(', ') || 'unknown';
}

function distribution(): string {
  const file = '/etc/os-release';
  const name = existsSync(file) ? /^PRETTY_NAME="(.*)"/m.exec(readFileSync(file, 'utf8'))?.[1] : null;
  return name ?? process.platform;
}
