/**
 * The engine proxy: stands between the manager and Docker's socket, and passes on only the manager's calls
 * (rules.ts). Uses only Node.
 *
 * `node main.ts` listens; `node main.ts check` exits with 0 if the engine answers through a running one.
 */
import { chmodSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { createEngineProxy } from './server.ts';

const { env } = process;
const LISTEN = env.PROXY_SOCKET || '/run/engine/docker.sock';
/** Owner and group: the manager's user is in the group of the container. */
const SOCKET_MODE = 0o660;
const CHECK_MS = 5000;

function log(fields: Record<string, unknown>): void {
  console.log(JSON.stringify({ time: new Date().toISOString(), ...fields }));
}

function listen(): void {
  const server = createEngineProxy({
    engine: env.ENGINE_SOCKET || '/var/run/docker.sock',
    policy: {
      cell: env.CELL || undefined,
      handlersDir: env.HANDLERS_DIR || undefined,
      allowPrivileged: env.ALLOW_PRIVILEGED === 'true',
    },
    onRefused: (call, why) => log({ level: 'warn', call, why, msg: 'call to Docker refused' }),
  });
  // A killed one leaves its socket.
  rmSync(LISTEN, { force: true });
  server.listen(LISTEN, () => {
    chmodSync(LISTEN, SOCKET_MODE);
    log({ level: 'info', socket: LISTEN, msg: 'engine proxy started' });
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(0));
}

function check(): void {
  const ping = request({ socketPath: LISTEN, path: '/_ping', timeout: CHECK_MS }, (answer) => {
    process.exit(answer.statusCode === 200 ? 0 : 1);
  });
  ping.on('timeout', () => ping.destroy(new Error(`no answer within ${CHECK_MS} ms`)));
  ping.on('error', (error) => {
    console.error(`Docker does not answer through ${LISTEN}: ${error.message}`);
    process.exit(1);
  });
  ping.end();
}

if (process.argv[2] === 'check') check();
else listen();
