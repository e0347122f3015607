/** A Docker daemon in a worker: the agent's own, without root, in a container that is not privileged. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { INTRUSIONS } from './escapes.ts';
import { IDLE, type Subject, specOf, startSubject } from './subject.ts';

/** The image's entry, which starts what the module runs, with another program in place of the wrapper's. */
const ENTRY = `sed 's|^exec .*|exec "$@"|' /worker/entry > /tmp/entry && . /tmp/entry`;
const RUN = 'docker run --rm --network none';
/** With the worker's own programs in it, and all that the worker sees. */
const HOST = '$(for d in usr lib lib64; do [ -e /$d ] && echo -v /$d:/$d; done) -v /:/host';

let subject: Subject;
beforeAll(async () => {
  subject = await startSubject(specOf({ modules: ['DOCKER'] }), ['/bin/sh', '-c', ENTRY, 'entry', ...IDLE]);
  const wrapper = async () => expect((await subject.exec(['pgrep', '-u', '10001'])).code).toBe(0);
  await vi.waitFor(wrapper, { timeout: 40_000, interval: 100 });
}, 600_000);
afterAll(() => subject?.remove());

test('docker run works in a worker from the wrapper’s start on, and does not reach the outside daemon', async () => {
  const steps: [script: string, code: number, output: RegExp][] = [
    ['docker info --format "{{.SecurityOptions}} {{.Driver}}"', 0, /rootless.* overlay2$/],
    ['tar -C / -c worker/confine | docker import - tiny', 0, /^sha256:/],
    [`${RUN} tiny /worker/confine --probe`, 0, /seccomp=1/],
    // Root in the nested container is the agent outside.
    [`${RUN} ${HOST} tiny /usr/bin/cat /host/etc/shadow`, 1, /Permission denied/],
    [
      `${RUN} --cap-add ALL --security-opt seccomp=unconfined ${HOST} tiny /usr/bin/cat /host/proc/$WRAPPER/environ`,
      1,
      /Permission denied/,
    ],
    ['cat /proc/[0-9]*/environ 2>/dev/null | grep -c its-secret', 1, /^0$/],
  ];
  const attempts = [...steps.map(([script]) => script), ...INTRUSIONS.map(({ script }) => script)];
  const { outcomes } = await subject.attempt({ landlock: true, prepare: 'true', attempts });
  for (const [at, [script, code, output]] of steps.entries())
    expect({ script, ...outcomes[at] }).toEqual({ script, code, output: expect.stringMatching(output) });
  for (const [at, { name, open }] of INTRUSIONS.entries())
    expect(`${name}: ${outcomes[steps.length + at]?.output}`).not.toMatch(open);
}, 120_000);
