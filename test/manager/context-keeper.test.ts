/** The context file leads to a manager that lives, whichever of a cell's managers starts, leads or ends. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { contextPath, readContextFile } from '../../src/config/context-file.ts';
import { createContextKeeper } from '../../src/manager/context-keeper.ts';

const OWN = 'http://127.0.0.1:1';

function openCell() {
  const home = mkdtempSync(join(tmpdir(), 'wm-context-'));
  onTestFinished(() => rmSync(home, { recursive: true }));
  const end = new AbortController();
  onTestFinished(() => end.abort());
  const warnings: object[] = [];
  const keep = (token: string) =>
    createContextKeeper({
      settings: { home, cell: 'default', apiToken: token, redisUrl: 'redis://h' },
      generated: false,
      signal: end.signal,
      log: { warn: (fields: object) => void warnings.push(fields) },
      checkMs: 20,
    });
  const read = () => readContextFile(contextPath({ home, cell: 'default' }));
  return { home, keep, read, end, warnings };
}

/** What answers like a manager. */
async function startOther() {
  const server = createServer((_request, response) => response.end('{}')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  onTestFinished(close);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

test('the first manager is in the file at once, and one on all addresses is reached on loopback', () => {
  const { keep, read } = openCell();
  keep('secret').listening('http://0.0.0.0:8080');
  expect(read()).toEqual({
    url: 'http://127.0.0.1:8080',
    token: 'secret',
    token_generated: false,
    redis_url: 'redis://h',
  });
});

test('a standby leaves a living manager in the file, and replaces one that has gone', async () => {
  const { keep, read } = openCell();
  const other = await startOther();
  keep('of the other').listening(other.url);
  keep('own').listening(OWN);
  await expect.poll(read).toMatchObject({ url: other.url, token: 'of the other' });
  other.close();
  await expect.poll(read).toMatchObject({ url: OWN, token: 'own' });
});

test('a new leader is in the file at once, and one that has ended writes nothing', async () => {
  const { keep, read, end } = openCell();
  const other = await startOther();
  const standby = keep('of the other');
  standby.listening(other.url);
  const leader = keep('own');
  leader.listening(OWN);
  leader.leading();
  expect(read()).toMatchObject({ url: OWN });
  end.abort();
  standby.leading();
  expect(read()).toMatchObject({ url: OWN });
});
