import { Readable } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import type { DoorService } from '../../src/http/doors/door-service.ts';
import { type CanaryOptions, startCanary } from '../../src/manager/canary.ts';
import { Fault } from '../../src/model/index.ts';

/** A cell in which every step succeeds, but for the door of the body. */
function startCanaryWith(request: DoorService['request']) {
  const [results, steps, logged]: [string[], string[], unknown[]] = [[], [], []];
  let line = '';
  const workers = {
    sendCommand: async () => ({}),
    waitFor: async () => ({ outcome: 'reached', observation: { deleted: true, status: undefined } }),
    async sendInput(_id: string, { message }: { message: { content: string } }) {
      line = message.content;
      return { outcome: 'sent', entry_id: '1-0' };
    },
    async *read() {
      yield [{ id: '1-1', data: JSON.stringify({ type: 'stdout', content: line }) }];
    },
  } as unknown as CanaryOptions['workers'];
  const stop = startCanary({
    seconds: 0.01,
    runtimes: () => ['process'],
    workers,
    doors: { request },
    leads: () => true,
    metrics: {
      canaryRuns: { inc: (_by: number, { result }: { result: string }) => void results.push(result) },
      canaryFailing: { set() {}, reset() {} },
      canaryDuration: {
        observe: (_seconds: number, { step }: { step: string }) => void steps.push(step),
        expose() {},
      },
    },
    log: { warn: (fields: unknown) => void logged.push(fields) } as unknown as CanaryOptions['log'],
  });
  onTestFinished(stop);
  return { results, steps, logged };
}

const answer = (fields: object, statusCode = 200) =>
  Object.assign(Readable.from([Buffer.from(JSON.stringify(fields))]), {
    statusCode,
    headers: {},
    trailers: {},
  }) as unknown as Awaited<ReturnType<DoorService['request']>>;

test('the canary runs a command in its body, after its first output', async () => {
  const { results, steps } = startCanaryWith(async (worker_id, { path, body }) => {
    expect([path, JSON.parse(String(body)).shell]).toEqual(['/exec', `printf %s ${worker_id}`]);
    return answer({ exit_code: 0, signal: null, stdout: worker_id, stderr: '', process_id: 'p' });
  });
  await expect.poll(() => results.length).toBeGreaterThan(0);
  expect([results[0], steps.slice(0, 4)]).toEqual(['ok', ['ready', 'first_output', 'exec', 'deleted']]);
});

test.each<[string, DoorService['request'], string]>([
  [
    'a body that cannot be reached',
    async () => {
      throw new Fault('unavailable', 'Its door does not answer.');
    },
    'Its door does not answer.',
  ],
  [
    'a command that is refused',
    async () => answer({ error: { code: 'capacity', message: 'Too many processes.' } }, 429),
    'Too many processes.',
  ],
  [
    'a command that ends badly',
    async () => answer({ exit_code: 126, signal: null, stdout: '', stderr: '', error: 'It is not allowed.' }),
    'A command in it ended with 126. It is not allowed.',
  ],
])('the canary fails at exec with %s', async (_, request, why) => {
  const { results, steps, logged } = startCanaryWith(request);
  await expect.poll(() => results.length).toBeGreaterThan(0);
  expect([results[0], steps.slice(0, 2)]).toEqual(['exec', ['ready', 'first_output']]);
  expect(logged[0]).toMatchObject({ step: 'exec', why });
});
