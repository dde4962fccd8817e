// Plain JavaScript for three native modules that the VS Code server asks for at every start and that
// come without a prebuilt binary: nothing has to be compiled.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const spdlog = `
const fs = require('node:fs'), path = require('node:path');
class Logger {
  constructor(type, name, file) { this.file = file; this.level = 2; this.raw = false; fs.mkdirSync(path.dirname(file), { recursive: true }); fs.appendFileSync(file, ''); }
  write(level, name, message) {
    if (level < this.level) return;
    const head = this.raw ? '' : new Date().toISOString().replace('T', ' ').replace('Z', '') + ' [' + name + '] ';
    try { fs.appendFileSync(this.file, head + message + (this.raw ? '' : '\\n')); } catch {}
  }
  trace(m) { this.write(0, 'trace', m); }
  debug(m) { this.write(1, 'debug', m); }
  info(m) { this.write(2, 'info', m); }
  warn(m) { this.write(3, 'warning', m); }
  error(m) { this.write(4, 'error', m); }
  critical(m) { this.write(5, 'critical', m); }
  getLevel() { return this.level; }
  setLevel(level) { this.level = level; }
  setPattern() {}
  clearFormatters() { this.raw = true; }
  flush() {}
  drop() {}
}
exports.version = 0;
exports.setLevel = () => {};
exports.setFlushOn = () => {};
exports.Logger = Logger;
exports.createRotatingLogger = async (name, file) => new Logger('rotating', name, file);
exports.createAsyncRotatingLogger = async (name, file) => new Logger('rotating_async', name, file);
`;

const copyFile = `
const fs = require('node:fs');
exports.constants = fs.constants;
exports.copyFile = fs.promises.copyFile;
exports.copyFileSync = fs.copyFileSync;
exports.isCloneSupported = () => false;
exports.cp = fs.promises.cp;
`;

const modules: Record<string, string> = {
  '@vscode/spdlog': spdlog,
  '@vscode/fs-copyfile': copyFile,
  // the extension host also polls its parent itself
  '@vscode/native-watchdog': 'exports.start = () => {};\n',
};

export const shimmed = Object.keys(modules);

export function writeShims(vscode: string): void {
  for (const [name, code] of Object.entries(modules)) {
    const folder = path.join(vscode, 'node_modules', name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      path.join(folder, 'package.json'),
      JSON.stringify({ name, version: '0.0.0-shim', main: 'index.js' }),
    );
    writeFileSync(path.join(folder, 'index.js'), code);
  }
}
