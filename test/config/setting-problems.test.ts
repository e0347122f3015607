import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findSettingProblems } from '../../src/config/setting-problems.ts';
import { readSettings } from '../../src/config/settings.ts';
import { findSimilarNames } from '../../src/config/similar-names.ts';
import { VARIABLES } from '../../src/config/variables.ts';

const KNOWN = Object.values(VARIABLES).map(({ name }) => name);

test.each([
  ['RESYNC_SECOND', 'RESYNC_SECONDS'],
  ['REDIS_URI', 'REDIS_URL'],
  ['REDIS_ULR', 'REDIS_URL'],
  ['API_TOKENFILE', 'API_TOKEN_FILE'],
  ['CHECKPOINT_DIRECTORY', 'CHECKPOINT_DIR'],
  ['CHECKPOINTS_DIR', 'CHECKPOINT_DIR'],
  ['WORKER_MANAGER_CELL', 'CELL'],
  ['WM_API_TOKEN', 'API_TOKEN'],
  ['http_port', 'HTTP_PORT'],
  ['HANDLER_DIR', 'HANDLERS_DIR'],
])('%s resembles %s', (name, like) => {
  expect(findSimilarNames({ [name]: 'x' }, KNOWN)).toEqual([{ name, like }]);
});

test('variables of other programs resemble none', () => {
  const others =
    'SHELL HOME PATH TERM CELLAR http_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY HOSTNAME WM_URL WM_TOKEN WM_CRASH_AT ' +
    'DOCKER_CONFIG DOCKER_CERT_PATH DOCKER_HOST_NAME DOCKER_TLS_VERIFY WORKER_PORT MAX_WORKERS QUEUE_SIZE TASK_TIMEOUT ' +
    'WORKER_ID WORKER_TYPE NODE_ENV LOGNAME RUNTIME_DIRECTORY STATE_DIRECTORY CREDENTIALS_DIRECTORY PIP_CACHE_DIR ' +
    'OTEL_EXPORTER_OTLP_HEADERS OTEL_EXPORTER_OTLP_TIMEOUT OTEL_RESOURCE_ATTRIBUTES WORKER_MANAGER_SERVICE_HOST ' +
    'WORKER_MANAGER_PORT WORKER_MANAGER_SERVICE_PORT REDIS_PORT REDIS_HOST GITHUB_TOKEN SERVICE_NAME';
  expect(findSimilarNames(Object.fromEntries(others.split(' ').map((name) => [name, 'x'])), KNOWN)).toEqual(
    [],
  );
  expect(findSimilarNames(Object.fromEntries(KNOWN.map((name) => [name, 'x'])), KNOWN)).toEqual([]);
});

test('folders and files that cannot be used are found, and those that can are not', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'wm-settings-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'file');
  writeFileSync(file, '');
  const find = async (env: Record<string, string>) =>
    (await findSettingProblems(readSettings({ HOME: folder, ...env }), env)).map(
      ({ name, found }) => `${name} ${found}`,
    );
  const wrong = {
    SECRETS_DIR: file,
    HANDLERS_DIR: join(folder, 'nothing'),
    IMAGE_DISK_PATH: join(folder, 'nothing'),
    WORKER_BUILD_CA: folder,
    CHECKPOINT_DIR: join(file, 'below'),
    RUNTIME: 'docker',
    WORKER_REDIS_URL: 'redis://worker:secret@[::1]:6379',
    LEASE_SECOND: 'a secret',
  };
  const found = await find(wrong);
  expect(found).toEqual([
    'LEASE_SECOND is not a setting, and has no effect',
    `SECRETS_DIR is ${file}, which is not a folder; no worker gets a secret`,
    `HANDLERS_DIR is ${folder}/nothing, which does not exist; no task finds its function`,
    `IMAGE_DISK_PATH is ${folder}/nothing, which does not exist; the free bytes of the disk of the engine are not known`,
    `WORKER_BUILD_CA is ${folder}, which is not a file; no image can be built`,
    `CHECKPOINT_DIR is ${file}/below, which cannot be used (ENOTDIR); no checkpoint can be saved`,
    'WORKER_REDIS_URL leads to [::1], where a container reaches only itself',
  ]);
  const right = {
    SECRETS_DIR: folder,
    HANDLERS_DIR: folder,
    WORKER_BUILD_CA: file,
    CHECKPOINT_DIR: join(folder, 'made', 'later'),
    WORKER_REDIS_URL: 'redis://127.0.0.1:6379',
  };
  expect(await find(right)).toEqual([]);
  expect(await find({ CHECKPOINT_DIR: 's3://bucket/prefix' })).toEqual([]);
});
