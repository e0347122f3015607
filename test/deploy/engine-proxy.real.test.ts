/** What the engine proxy refuses, against a real daemon: nothing of it reaches another program's container. */
import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type Docker from 'dockerode';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { dockerAt } from '../support/docker.ts';
import { type RunningEngineProxy, startEngineProxy } from './start-engine-proxy.ts';

const CELL = `t-${randomUUID().slice(0, 8)}`;
const LABELS = { 'worker-manager.managed': 'true', 'worker-manager.cell': CELL };
const SECRET = 'PASSWORD=of-another-program';

let proxy: RunningEngineProxy;
let direct: Docker;
let through: Docker;
/** Another program's container; and one with our labels, of another cell. */
let foreign: Docker.Container;
let otherCell: Docker.Container;

beforeAll(async () => {
  proxy = await startEngineProxy(inject('dockerHost'), { CELL });
  direct = dockerAt(inject('dockerHost'));
  through = dockerAt(proxy.socket);
  const Image = inject('baseImage');
  const name = `wm-${CELL}-${randomUUID()}`;
  foreign = await direct.createContainer({ name, Image, Cmd: ['sleep', '300'], Env: [SECRET] });
  await foreign.start();
  const Labels = { ...LABELS, 'worker-manager.cell': `${CELL}-other` };
  otherCell = await direct.createContainer({ Image, Cmd: ['sleep', '300'], Labels });
});
afterAll(async () => {
  await foreign.remove({ force: true });
  await otherCell.remove({ force: true });
  await proxy.stop();
});

const refused = (call: Promise<unknown>, why: string | RegExp) =>
  expect(call).rejects.toMatchObject({ statusCode: 403, message: expect.stringMatching(why) });
const create = (change: object, host: object = {}) => {
  const HostConfig = {
    NetworkMode: `wm-${CELL}`,
    CapDrop: ['ALL'],
    SecurityOpt: ['no-new-privileges'],
    ...host,
  };
  const _body = { Image: inject('baseImage'), Cmd: ['true'], Labels: LABELS, HostConfig, ...change };
  return through.createContainer({ _query: { name: `wm-${CELL}-${randomUUID()}` }, _body } as never);
};

test('refuses a call that is not on the list', async () => {
  await refused(through.listVolumes(), 'the parameter filters is missing');
  const theirs = { filters: JSON.stringify({ label: ['theirs'] }) };
  await refused(through.listVolumes(theirs), 'the parameter filters must match');
  await refused(through.getContainer(foreign.id).attach({ stream: true }), 'not on the list');
  await refused(through.getContainer(foreign.id).getArchive({ path: '/etc' }), 'not on the list');
  await refused(through.createService({} as never), 'not on the list');
  expect(proxy.log()).toContain('"call to Docker refused"');
});

test("refuses every act on another program's container, and on one of another cell", async () => {
  for (const { id } of [foreign, otherCell]) {
    const container = through.getContainer(id);
    await refused(container.kill({ signal: 'SIGKILL' }), 'does not have the labels');
    await refused(container.remove({ force: true, v: true }), 'does not have the labels');
    await refused(container.exec({ _body: { Cmd: ['id'] } } as never), 'does not have the labels');
    await refused(container.logs({ stdout: true, follow: false }), 'does not have the labels');
    await refused(container.update({ _body: { Memory: 1e8 } }), 'does not have the labels');
  }
  expect((await foreign.inspect()).State.Running).toBe(true);
});

test('refuses an exec of another program, though its ID is known', async () => {
  const exec = await foreign.exec({ Cmd: ['true'] });
  await refused(through.getExec(exec.id).inspect(), 'does not have the labels');
  await refused(
    through
      .getExec(exec.id)
      .start({ _body: { Detach: false, Tty: false }, hijack: true, stdin: true } as never),
    'does not have the labels',
  );
});

test("shows of another program's container only whose it is", async () => {
  const info = await through.getContainer(foreign.id).inspect();
  expect(info.Id).toBe(foreign.id);
  expect(JSON.stringify(info)).not.toContain(SECRET);
});

test('refuses a body that has more than a worker gets', async () => {
  const bad: [object, object, RegExp][] = [
    [{}, { Privileged: true }, /HostConfig.Privileged/],
    [{}, { Binds: ['/:/machine'] }, /HostConfig.Binds/],
    [{}, { Mounts: [{ Type: 'bind', Source: '/', Target: '/machine' }] }, /HostConfig.Mounts/],
    [{}, { Mounts: [{ Type: 'volume', Source: 'their-data', Target: '/d' }] }, /HostConfig.Mounts/],
    [
      {},
      {
        Mounts: [
          {
            Type: 'volume',
            Source: '',
            Target: '/machine',
            VolumeOptions: {
              Labels: LABELS,
              NoCopy: false,
              DriverConfig: { Name: '', Options: { type: 'none', o: 'bind', device: '/' } },
            },
          },
        ],
      },
      /HostConfig.Mounts/,
    ],
    [{}, { PidMode: 'host' }, /HostConfig.PidMode/],
    [{}, { NetworkMode: 'host' }, /HostConfig.NetworkMode/],
    [{}, { NetworkMode: `container:${foreign.id}` }, /HostConfig.NetworkMode/],
    [{}, { CapAdd: ['SYS_ADMIN'] }, /HostConfig.CapAdd/],
    [{}, { CapDrop: [] }, /HostConfig.CapDrop/],
    [{}, { SecurityOpt: [] }, /no-new-privileges/],
    [{}, { SecurityOpt: ['no-new-privileges', 'seccomp=unconfined'] }, /HostConfig.SecurityOpt/],
    [{}, { Devices: [{ PathOnHost: '/dev/kmsg', PathInContainer: '/dev/kmsg' }] }, /HostConfig.Devices/],
    [{}, { RestartPolicy: { Name: 'always' } }, /HostConfig.RestartPolicy/],
    [{ Labels: {} }, {}, /Labels/],
    [{ Labels: { ...LABELS, 'worker-manager.cell': 'default' } }, {}, /Labels/],
    // dockerd reads keys without regard to case.
    [{ hostconfig: { Privileged: true } }, {}, /hostconfig/],
  ];
  for (const [change, host, why] of bad) await refused(create(change, host), why);
});

test('a second object of the same name does not reach Docker', async () => {
  const host = JSON.stringify({
    NetworkMode: `wm-${CELL}`,
    CapDrop: ['ALL'],
    SecurityOpt: ['no-new-privileges'],
  });
  // dockerd merges them; JSON.parse takes the last.
  const body = `{"Image": ${JSON.stringify(inject('baseImage'))}, "Labels": ${JSON.stringify(LABELS)}, "HostConfig": {"Privileged": true, "Binds": ["/:/machine"]}, "HostConfig": ${host}}`;
  const answer = await raw(
    `POST /containers/create?name=wm-${CELL}-twice HTTP/1.1`,
    { 'Content-Type': 'application/json' },
    body,
  );
  const Id = /"Id":"([0-9a-f]{64})"/.exec(answer)?.[1] ?? '';
  const container = direct.getContainer(Id);
  const { HostConfig } = await container.inspect();
  await container.remove({ force: true });
  expect([HostConfig.Privileged, HostConfig.Binds]).toEqual([false, null]);
});

test('a form in the body does not replace the parameters of a build', async () => {
  const answer = await raw(
    'POST /build?t=worker:0123456789ab HTTP/1.1',
    { 'Content-Type': 'application/x-www-form-urlencoded' },
    'remote=http://127.0.0.1:1/x&networkmode=host',
  );
  expect(answer).toMatch(/^HTTP\/1.1 (4|5)\d\d/);
  expect(answer).not.toContain('127.0.0.1:1');
});

test('a connection becomes a stream only if the engine agrees', async () => {
  const path = `/exec/${'0'.repeat(64)}/start`;
  const next = 'GET /volumes HTTP/1.1\r\nHost: docker\r\n\r\n';
  const body = JSON.stringify({ Detach: false, Tty: false });
  const answer = await raw(`POST ${path} HTTP/1.1`, { Connection: 'Upgrade', Upgrade: 'tcp' }, body, next);
  expect(answer).toMatch(/^HTTP\/1.1 404 /);
  expect(answer).not.toContain('Volumes');
});

test('refuses parameters and paths that are not the manager’s', async () => {
  const call = (line: string) => raw(line, {}, '');
  const name = `worker-test-${CELL}:latest`;
  await direct.getImage(inject('image')).tag({ repo: `worker-test-${CELL}`, tag: 'latest' });
  onTestFinished(() => direct.getImage(name).remove());
  for (const line of [
    'POST /build?t=worker:0123456789ab&networkmode=host HTTP/1.1',
    'POST /build?t=debian:bookworm-slim HTTP/1.1',
    'POST /images/create?fromSrc=http://127.0.0.1:1/x HTTP/1.1',
    'GET /containers/json/../../volumes HTTP/1.1',
    'GET //volumes HTTP/1.1',
    'GET /containers/%2e%2e/json HTTP/1.1',
    // With our label, but not a name that the manager gives.
    `DELETE /images/${name}?force=false HTTP/1.1`,
    'DELETE /images/worker:0123456789ab?force=true HTTP/1.1',
  ])
    expect(await call(line), line).toMatch(/^HTTP\/1.1 (403|404) /);
  expect(await direct.getImage(name).inspect()).toBeDefined();
});

test('an engine that is away is reported as away', async () => {
  const away = await startEngineProxy('/nowhere/docker.sock');
  try {
    await expect(dockerAt(away.socket).info()).rejects.toMatchObject({ statusCode: 502 });
  } finally {
    await away.stop();
  }
});

/** Writes a request as it is, and returns the answer. */
async function raw(line: string, headers: Record<string, string>, body: string, after = ''): Promise<string> {
  const socket = connect(proxy.socket);
  const all = { Host: 'docker', Connection: 'close', 'Content-Length': Buffer.byteLength(body), ...headers };
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  socket.write(`${[line, ...head].join('\r\n')}\r\n\r\n${body}${after}`);
  return text(socket);
}
