import { homedir } from 'node:os';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { explainSettings, readSettings, type Settings } from '../../src/config/settings.ts';
import { VARIABLES } from '../../src/config/variables.ts';
import { Fault } from '../../src/model/index.ts';

const HOME = '/home/someone';

function faultOf(env: Record<string, string>): Fault {
  try {
    readSettings(env);
  } catch (thrown) {
    if (thrown instanceof Fault) return thrown;
    throw thrown;
  }
  throw new Error('the settings were accepted');
}

test('the defaults', () => {
  expect(readSettings({ HOME })).toEqual({
    redisUrl: 'redis://127.0.0.1:6379',
    redisUrlFile: undefined,
    redisStrict: false,
    workerRedisUrl: undefined,
    workerRedisUrlFile: undefined,
    dockerHost: 'unix:///var/run/docker.sock',
    runtime: 'auto',
    cell: 'default',
    home: '/home/someone/.local/state/worker-manager',
    processUser: 'auto',
    workerImage: undefined,
    httpHost: '127.0.0.1',
    httpPort: 8080,
    httpAllowedHosts: [],
    apiToken: undefined,
    apiTokenFile: undefined,
    otlpEndpoint: undefined,
    otelServiceName: 'worker-manager',
    logLevel: 'info',
    resyncSeconds: 30,
    healthCheckSeconds: 30,
    leaseSeconds: 10,
    restartBackoffSeconds: 1,
    restartBackoffMaxSeconds: 300,
    creationGraceSeconds: 60,
    removalBreakerShare: 0.5,
    canarySeconds: undefined,
    concurrency: 16,
    defaultMemoryBytes: 2 * 1024 ** 3,
    defaultPids: 512,
    defaultOpenFiles: 4096,
    defaultDiskBytes: 10 * 1024 ** 3,
    maxWorkersTotal: 10_000,
    maxConcurrentStarts: undefined,
    dockerCallSeconds: 30,
    imageRetentionDays: 7,
    imageGcCron: 'daily',
    imageBuildSeconds: 1800,
    imageBudgetBytes: 20 * 1024 ** 3,
    buildCacheBudgetBytes: 5 * 1024 ** 3,
    imageMinFreeBytes: 2 * 1024 ** 3,
    imageDiskPath: undefined,
    workerBaseImage: undefined,
    workerBuildCa: undefined,
    allowPrivileged: false,
    allowLinkLocal: false,
    secretsDir: undefined,
    pipIndexUrl: undefined,
    handlersDir: undefined,
    checkpointDir: `${HOME}/.local/state/worker-manager/.checkpoints`,
    checkpointRetentionHours: 24,
    checkpointBudgetBytes: 10 * 1024 ** 3,
    webhookUrls: [],
    webhookSecret: [],
    webhookSecretFile: undefined,
    webhookTypes: [
      ...([
        'worker.ready',
        'worker.restarting',
        'worker.stopped',
        'worker.failed',
        'worker.deleted',
      ] as const),
    ],
    webhookTimeoutSeconds: 10,
    webhookGiveUpSeconds: 86_400,
    webhookAllowPrivate: false,
    mcpMaxWorkers: 20,
    mcpMaxSeconds: 14_400,
    mcpMaxDepth: 1,
    mcpUrl: undefined,
    mcpImages: [],
    mcpSecrets: [],
  } satisfies Settings);
});

test.each<[string, string, keyof Settings, unknown]>([
  ['REDIS_URL', 'rediss://u:p@h:6380/2', 'redisUrl', 'rediss://u:p@h:6380/2'],
  ['REDIS_URL', 'redis://:50%25@h/', 'redisUrl', 'redis://:50%25@h/'],
  ['REDIS_URL', '', 'redisUrl', 'redis://127.0.0.1:6379'],
  ['WORKER_REDIS_URL', 'redis://172.17.0.1:6379', 'workerRedisUrl', 'redis://172.17.0.1:6379'],
  ['DOCKER_HOST', 'tcp://10.0.0.1:2375', 'dockerHost', 'tcp://10.0.0.1:2375'],
  ['RUNTIME', 'process', 'runtime', 'process'],
  ['CELL', 'a-1', 'cell', 'a-1'],
  ['WORKER_MANAGER_HOME', '/srv/wm', 'home', '/srv/wm'],
  ['XDG_STATE_HOME', '/xdg', 'home', '/xdg/worker-manager'],
  ['XDG_STATE_HOME', 'relative', 'home', '/home/someone/.local/state/worker-manager'],
  ['HOME', '', 'home', `${homedir()}/.local/state/worker-manager`],
  ['WORKER_IMAGE', 'registry:5000/worker@sha256:abc', 'workerImage', 'registry:5000/worker@sha256:abc'],
  ['HTTP_HOST', '::', 'httpHost', '::'],
  ['HTTP_PORT', '0', 'httpPort', 0],
  ['HTTP_PORT', '65535', 'httpPort', 65535],
  ['HTTP_ALLOWED_HOSTS', 'a.example, .b.example,', 'httpAllowedHosts', ['a.example', '.b.example']],
  ['API_TOKEN', 'abcdefgh', 'apiToken', 'abcdefgh'],
  ['LOG_LEVEL', 'silent', 'logLevel', 'silent'],
  ['LOG_LEVEL', 'INFO', 'logLevel', 'info'],
  ['LOG_LEVEL', 'Warn', 'logLevel', 'warn'],
  ['RESYNC_SECONDS', '0.5', 'resyncSeconds', 0.5],
  ['REMOVAL_BREAKER_SHARE', '1', 'removalBreakerShare', 1],
  ['IMAGE_GC_CRON', '*/5 0-6 1,15 * MON', 'imageGcCron', '*/5 0-6 1,15 * MON'],
  ['IMAGE_GC_CRON', 'hourly', 'imageGcCron', 'hourly'],
  ['IMAGE_BUDGET', '1.5g', 'imageBudgetBytes', 1.5 * 1024 ** 3],
  ['IMAGE_BUDGET', 'none', 'imageBudgetBytes', undefined],
  ['BUILD_CACHE_BUDGET', '0', 'buildCacheBudgetBytes', 0],
  ['IMAGE_MIN_FREE', '1048576', 'imageMinFreeBytes', 1048576],
  ['IMAGE_DISK_PATH', '/var/lib/worker-manager', 'imageDiskPath', '/var/lib/worker-manager'],
  ['WORKER_BASE_IMAGE', 'registry:5000/node@sha256:abc', 'workerBaseImage', 'registry:5000/node@sha256:abc'],
  ['WORKER_BUILD_CA', '/etc/ssl/ca.pem', 'workerBuildCa', '/etc/ssl/ca.pem'],
  ['ALLOW_PRIVILEGED', 'true', 'allowPrivileged', true],
  ['SECRETS_DIR', '/run/secrets', 'secretsDir', '/run/secrets'],
  ['WORKER_MANAGER_HOME', '/srv/wm', 'checkpointDir', '/srv/wm/.checkpoints'],
  ['CHECKPOINT_DIR', '/mnt/checkpoints', 'checkpointDir', '/mnt/checkpoints'],
  ['CHECKPOINT_DIR', 's3://bucket/a?region=eu-1', 'checkpointDir', 's3://bucket/a?region=eu-1'],
  ['CHECKPOINT_BUDGET', 'none', 'checkpointBudgetBytes', undefined],
  ['WEBHOOK_TYPES', 'worker.failed, worker.deleted', 'webhookTypes', ['worker.failed', 'worker.deleted']],
  ['MCP_IMAGES', 'worker:1.2, team/agent', 'mcpImages', ['worker:1.2', 'team/agent']],
  ['WEBHOOK_SECRET', `whsec_${'AAAA'.repeat(8)}`, 'webhookSecret', [new Uint8Array(24)]],
])('%s=%s is read', (name, value, key, expected) => {
  expect(readSettings({ HOME, [name]: value })[key]).toEqual(expected);
});

test.each([
  ['REDIS_URL', 'localhost:6379', 'a URL such as redis://'],
  ['REDIS_URL', 'http://localhost', 'a URL such as redis://'],
  ['REDIS_URL', 'redis://host:99999', 'a URL such as redis://'],
  // They worked in database 0 or 1, or ended in an error of the client that did not name the variable.
  ['REDIS_URL', 'redis://host/-1', 'DB is a whole number'],
  ['REDIS_URL', 'redis://host/1.5', 'DB is a whole number'],
  ['REDIS_URL', 'redis://host/abc', 'DB is a whole number'],
  ['REDIS_URL', 'redis://host/1/2', 'DB is a whole number'],
  ['REDIS_URL', 'redis://host/?db=abc', 'DB is a whole number'],
  ['WORKER_REDIS_URL', 'redis://host/1e3', 'DB is a whole number'],
  ['WORKER_REDIS_URL', 'nonsense', 'a URL such as redis://'],
  ['DOCKER_HOST', '/var/run/docker.sock', 'unix:///var/run/docker.sock'],
  ['WEBHOOK_URLS', 'ftp://example.com', 'http or https URLs'],
  ['WEBHOOK_TYPES', 'worker.created', 'of worker.ready'],
  ['RUNTIME', 'podman', 'one of auto, docker, process'],
  ['RUNTIME', 'Docker', 'one of auto, docker, process'],
  ['CELL', 'A', '1 to 32 of a-z'],
  ['CELL', '-a', '1 to 32 of a-z'],
  ['CELL', 'a'.repeat(33), '1 to 32 of a-z'],
  ['CELL', 'a:*', '1 to 32 of a-z'],
  ['WORKER_MANAGER_HOME', 'relative/path', 'an absolute path'],
  ['WORKER_IMAGE', '--privileged', 'an image name'],
  ['HTTP_HOST', 'http://here', 'an address'],
  ['HTTP_PORT', '65536', 'a whole number from 0 to 65535'],
  ['HTTP_PORT', '80.5', 'a whole number'],
  ['HTTP_PORT', '-1', 'a whole number'],
  ['HTTP_PORT', '0x50', 'a whole number'],
  ['HTTP_PORT', '1e3', 'a whole number'],
  ['HTTP_PORT', ' 80', 'a whole number'],
  ['HTTP_ALLOWED_HOSTS', '*', 'host names without port'],
  ['HTTP_ALLOWED_HOSTS', 'a.example:80', 'host names without port'],
  ['HTTP_ALLOWED_HOSTS', 'http://a.example', 'host names without port'],
  ['LOG_LEVEL', 'verbose', 'one of trace, debug'],
  ['RESYNC_SECONDS', '0', 'a number of seconds from 0.1'],
  ['RESYNC_SECONDS', '30s', 'a number of seconds'],
  ['LEASE_SECONDS', 'NaN', 'a number of seconds'],
  ['REMOVAL_BREAKER_SHARE', '1.1', 'a number from 0 to 1'],
  ['CONCURRENCY', '0', 'a whole number from 1'],
  ['DOCKER_CALL_SECONDS', 'Infinity', 'a number of seconds'],
  ['IMAGE_GC_CRON', 'sometimes', 'five cron fields'],
  ['IMAGE_GC_CRON', '99 4 * * *', 'five cron fields'],
  ['IMAGE_GC_CRON', '0 4 31 2 *', 'five cron fields'],
  ['IMAGE_BUDGET', '20 gigabytes', 'a size such as'],
  ['IMAGE_BUDGET', '-1g', 'a size such as'],
  ['BUILD_CACHE_BUDGET', '9999999999999g', 'a size such as'],
  ['IMAGE_MIN_FREE', '5%', 'a size such as'],
  ['IMAGE_DISK_PATH', 'images', 'an absolute path'],
  ['WORKER_BASE_IMAGE', '-f', 'an image name'],
  ['WORKER_BUILD_CA', 'ca.pem', 'an absolute path'],
  ['ALLOW_PRIVILEGED', 'yes', 'true or false'],
  ['SECRETS_DIR', './secrets', 'an absolute path'],
  ['RESTART_BACKOFF_MAX_SECONDS', '0.5', 'at least RESTART_BACKOFF_SECONDS (1)'],
])('%s=%s is refused by name, with its value and what is allowed', (name, value, allowed) => {
  const fault = faultOf({ HOME, [name]: value });
  expect(fault.code).toBe('invalid_command');
  expect(fault.issues?.map(({ path }) => path)).toEqual([name]);
  expect(fault.message).toContain(`${name} is "${value}", but must be `);
  expect(fault.message).toContain(allowed);
});

test('messages are signed with a key, which no error shows', () => {
  const urls = faultOf({ HOME, WEBHOOK_URLS: 'https://example.com' });
  expect(urls.message).toContain('WEBHOOK_SECRET is required with WEBHOOK_URLS');
  const key = faultOf({ HOME, WEBHOOK_SECRET: 'my-secret' });
  expect(key.message).toContain('must be whsec_ and 24 to 64 bytes in base64');
  expect(key.message).not.toContain('my-secret');
});

test('everything that is wrong is named at once', () => {
  const fault = faultOf({ HTTP_PORT: 'x', CELL: 'Y', RUNTIME: 'z' });
  expect(fault.issues?.map(({ path }) => path)).toEqual(['RUNTIME', 'CELL', 'HTTP_PORT']);
  for (const name of ['RUNTIME', 'CELL', 'HTTP_PORT']) expect(fault.message).toContain(`\n  ${name} is`);
});

test.each([
  ['REDIS_URL', 'redis://:hunter2%@host'],
  ['REDIS_URL', 'redsi://user:hunter2@host'],
  ['REDIS_URL', 'user:hunter2@host'],
  ['WORKER_REDIS_URL', 'redis:/u:hunter2@host'],
  ['DOCKER_HOST', 'ftp://u:hunter2@host'],
  ['API_TOKEN', 'hunter2 with a space'],
])('a wrong %s does not show its secret', (name, value) => {
  const fault = faultOf({ [name]: value });
  expect(fault.message).toContain(`${name} is "`);
  expect(`${fault.message} ${JSON.stringify(fault.issues)}`).not.toContain('hunter2');
});

test('a token and a file with another one are refused, and not printed', () => {
  const { message, issues } = faultOf({ API_TOKEN: 'hunter2-token', API_TOKEN_FILE: '/run/token' });
  expect(issues?.map(({ path }) => path)).toEqual(['API_TOKEN_FILE']);
  expect(message).not.toContain('hunter2');
});

test('a wrong value is shown on one line and cut', () => {
  const { message } = faultOf({ CELL: `a\n\u001b[31m${'x'.repeat(10_000)}` });
  expect(message.split('\n')).toHaveLength(2);
  expect(message).not.toContain('\u001b');
  expect(message.length).toBeLessThan(500);
});

test('any environment gives either settings or a Fault', () => {
  const names = Object.values(VARIABLES).map(({ name }) => name);
  const values = fc.oneof(fc.string({ unit: 'binary' }), fc.double().map(String), fc.webUrl());
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...names), values), (env) => {
      try {
        readSettings(env);
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(Fault);
      }
    }),
  );
});

test('config has a row for each variable, with its source, and hides secrets', () => {
  const env = {
    HOME,
    REDIS_URL: 'redis://user:hunter2@host',
    API_TOKEN: 'hunter2-token',
    HTTP_PORT: '',
    CELL: 'here',
  };
  const rows = explainSettings(readSettings(env), env);
  const row = (name: string) => rows.find((row) => row.name === name);
  expect(rows.map(({ name }) => name)).toEqual(Object.values(VARIABLES).map(({ name }) => name));
  expect(JSON.stringify(rows)).not.toContain('hunter2');
  expect(row('REDIS_URL')).toMatchObject({ value: 'redis://***@host', source: 'environment' });
  expect(row('API_TOKEN')).toMatchObject({ value: '***', source: 'environment' });
  expect(row('HTTP_PORT')).toMatchObject({ value: '8080', source: 'default' });
  expect(row('IMAGE_BUDGET')).toMatchObject({ value: '20g', source: 'default' });
  expect(row('ALLOW_PRIVILEGED')).toMatchObject({ value: 'false', source: 'default' });
  expect(row('WORKER_IMAGE')).toMatchObject({ value: '', source: 'default' });
  for (const { help } of rows) expect(help).toMatch(/^[A-Z].*\.$/);
});
