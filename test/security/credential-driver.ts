/**
 * Runs inside a container in place of the wrapper: takes its secrets like the wrapper, keeps one as the
 * credential of the model proxy, places the others, and lets an agent search for them. Prints what the agent
 * found.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { placeSecrets, receiveSecrets } from '../../worker-base/boot/secrets.ts';
import { startModelProxy } from '../../worker-base/model-proxy/proxy.ts';
import { createPrivileges } from '../../worker-base/sandbox/privileges.ts';
import { CREDENTIAL, type Found } from './credential.ts';

const { PATH = '', SECRETS_PIPE: pipe = '', SPEC = '', LOOK = '' } = process.env;
const log = { debug() {}, info() {}, warn() {}, error() {} };
const secrets = (await receiveSecrets({ pipe, signal: new AbortController().signal })) ?? new Map();
const key = secrets.get(CREDENTIAL) ?? '';
const hands = createPrivileges(
  { workerId: 'test', incarnation: 1, workspace: '/workspace', inherited: { PATH } },
  JSON.parse(SPEC),
);
const directory = '/run/worker/secrets';
await placeSecrets(new Map([...secrets].filter(([name]) => name !== CREDENTIAL)), directory, hands.group);

// The model receives the credential; its answer confirms that without containing it.
const model = createServer((asked, answer) =>
  answer.end(`authenticated: ${asked.headers['x-api-key'] === key}`),
);
await new Promise<void>((resolve) => model.listen(0, '127.0.0.1', resolve));
const upstream = `http://127.0.0.1:${(model.address() as AddressInfo).port}`;
const credentials = [{ header: 'x-api-key', prefix: '', value: key }];
const modelProxy = await startModelProxy({ upstream, credentials, stallMs: 10_000, log });
const asked = await (await fetch(`${modelProxy.url}/v1/messages`, { method: 'POST', body: '{}' })).text();

const [program = '', ...args] = hands.run(['node', '-e', LOOK, String(process.pid), directory]);
const env = { PATH, HOME: '/home/agent' };
const { stdout, stderr } = spawnSync(program, args, { env, encoding: 'utf8', timeout: 60_000 });
const hash = createHash('sha256').update(key).digest('hex');
// The unreadable memory must contain the credential; otherwise nothing was proven.
const found: Found = { asked, hash, said: stdout, stderr, leaked: stdout.includes(key) };
console.log(JSON.stringify(found));
setInterval(() => {}, 1e9);
