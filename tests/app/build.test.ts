import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../support/folder.ts';

const root = resolve(import.meta.dirname, '../..');

it('a program that does not compile is not run at the second start either', { timeout: 240_000 }, () => {
  const folder = temporaryFolder();
  for (const name of ['src', 'bin']) mkdirSync(join(folder, name));
  for (const file of ['bin/build.js', 'bin/bundle.js', 'tsconfig.json', 'tsconfig.build.json'])
    copyFileSync(join(root, file), join(folder, file));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'src/main.ts'), 'export const x: number = ;');
  const start = () =>
    spawnSync(process.execPath, ['-e', "import('./bin/build.js').then((m) => m.buildIfStale())"], {
      cwd: folder,
      encoding: 'utf8',
    });
  for (const attempt of [start(), start()]) {
    expect(attempt.stderr).toContain('src/main.ts');
    expect(attempt.status).toBe(70);
  }
});
