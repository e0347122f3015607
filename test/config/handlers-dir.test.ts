import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openHandlers } from '../../src/config/handlers-dir.ts';

test('files that are named relative to the directory have to be there, absolute ones are the body’s', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'handlers-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  mkdirSync(join(directory, 'folder.py'));
  writeFileSync(join(directory, 'a.py'), '');
  const names = ['a.py', 'b.py', 'folder.py', '/opt/c.py'];
  expect(await openHandlers(directory).missing(names)).toEqual(['b.py', 'folder.py']);
  expect(await openHandlers(undefined).missing(names)).toEqual(['a.py', 'b.py', 'folder.py']);
});
