import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataError } from '../../../../src/trainer/data/errors.ts';
import { type DataPlace, locateData } from '../../../../src/trainer/data/locate.ts';

describe('where data may stand', () => {
  let root = '';
  let place: DataPlace;

  before(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'unroll-locate-')));
    for (const folder of ['work/sub', 'work2', 'outside']) mkdirSync(join(root, folder), { recursive: true });
    for (const file of ['work/a.txt', 'work/..b.txt', 'work2/c.txt', 'outside/d.txt'])
      writeFileSync(join(root, file), 'x');
    writeFileSync(join(root, 'work/empty.txt'), '');
    symlinkSync(join(root, 'outside/d.txt'), join(root, 'work/out.txt'));
    symlinkSync(join(root, 'outside'), join(root, 'work/outdir'));
    symlinkSync(join(root, 'work/a.txt'), join(root, 'work/sub/in.txt'));
    symlinkSync(join(root, 'work'), join(root, 'link'));
    place = { base: join(root, 'work/sub'), workspace: join(root, 'work'), allowedPaths: [] };
  });
  after(() => rmSync(root, { recursive: true }));

  const refused = (path: string, message: RegExp, at: DataPlace = place) =>
    assert.throws(
      () => locateData(path, at),
      (error: Error) => error instanceof DataError && message.test(error.message),
      path,
    );

  it('starts at the folder of the experiment, and follows links inside the workspace', () => {
    const expected = join(root, 'work/a.txt');
    for (const path of ['../a.txt', 'in.txt', expected]) assert.equal(locateData(path, place), expected);
    assert.equal(locateData('../..b.txt', place), join(root, 'work/..b.txt'));
    const linked = { ...place, base: join(root, 'link/sub'), workspace: join(root, 'link') };
    assert.equal(locateData('../a.txt', linked), expected);
  });

  it('refuses what is outside, by dots, by links, by a folder with a similar name', () => {
    for (const path of [
      '../../outside/d.txt',
      '../out.txt',
      '../outdir/d.txt',
      '../../work2/c.txt',
      '/etc/hostname',
    ])
      refused(path, /is outside of the workspace .*--allow-path/);
  });

  it('takes data from a folder that is allowed', () => {
    const allowed = { ...place, allowedPaths: [join(root, 'missing'), join(root, 'outside')] };
    assert.equal(locateData('../out.txt', allowed), join(root, 'outside/d.txt'));
    refused('../../work2/c.txt', /is outside/, allowed);
  });

  it('says what is not a file with something in it', () => {
    refused('nothing.txt', /^The data file nothing\.txt does not exist \(looked for /);
    refused('in.txt/deeper', /does not exist/);
    refused('..', /is a folder|outside/);
    refused('../sub', /^The data path \.\.\/sub is a folder: name a file in it\.$/);
    refused('../empty.txt', /^The data file \.\.\/empty\.txt is empty\.$/);
  });
});
