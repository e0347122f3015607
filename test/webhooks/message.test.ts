import { expect, test } from 'vitest';
import type { StatusRecord, WebhookType } from '../../src/model/index.ts';
import { toSigningKey } from '../../src/model/index.ts';
import { toOrigin } from '../../src/telemetry/redact.ts';
import { retryMs } from '../../src/webhooks/lane.ts';
import { findWebhookType } from '../../src/webhooks/message.ts';

const status = (text: string): StatusRecord => {
  const [head = '', incarnation = '1'] = text.split('#');
  const [name, phase = ''] = head.split('.');
  const common = {
    reason: '',
    message: '',
    restarts: 0,
    runtime: 'process',
    observed_generation: 1,
  } as const;
  return { ...common, status: name as 'RUNNING', phase, incarnation: Number(incarnation) };
};

test.each<[before: string, after: string, type: WebhookType | undefined]>([
  ['', 'STARTING.creating', undefined],
  ['STARTING.creating', 'STARTING.booting', undefined],
  ['STARTING.booting', 'RUNNING.ready', 'worker.ready'],
  ['RUNNING.assigned', 'RUNNING.ready', 'worker.ready'],
  ['RUNNING.ready', 'RUNNING.ready', undefined],
  ['RUNNING.ready', 'RUNNING.silent', undefined],
  ['RUNNING.silent', 'RUNNING.ready', undefined],
  ['RUNNING.ready#1', 'RUNNING.ready#2', 'worker.ready'],
  ['RUNNING.ready', 'STARTING.backoff', 'worker.restarting'],
  ['STARTING.backoff', 'STARTING.backoff', undefined],
  ['STARTING.backoff', 'STARTING.creating#2', undefined],
  ['RUNNING.ready', 'RUNNING.stopping', undefined],
  ['RUNNING.stopping', 'STOPPED.cleaning', 'worker.stopped'],
  ['STOPPED.cleaning', 'STOPPED.finished', undefined],
  ['STOPPED.finished', 'STOPPED.deleted', 'worker.deleted'],
  ['STOPPED.deleted', 'STOPPED.deleted', undefined],
  ['FAILED.finished', 'STOPPED.deleted', 'worker.deleted'],
  ['STARTING.creating', 'FAILED.finished', 'worker.failed'],
  ['', 'FAILED.finished', 'worker.failed'],
  ['RUNNING.ready', 'FAILED.cleaning', 'worker.failed'],
  ['FAILED.finished#1', 'FAILED.finished#2', 'worker.failed'],
])('%s → %s: %s', (before, after, type) => {
  expect(findWebhookType(before ? status(before) : undefined, status(after))).toBe(type);
});

test('a key has 24 to 64 bytes', () => {
  const secret = (bytes: number) => `whsec_${Buffer.alloc(bytes, 7).toString('base64')}`;
  expect(toSigningKey(`${secret(24)}\n`)).toEqual(new Uint8Array(24).fill(7));
  expect(toSigningKey(secret(64))).toHaveLength(64);
  for (const wrong of [secret(23), secret(65), secret(24).slice(6), 'whsec_', 'whsec_not base64', 'secret'])
    expect([wrong, toSigningKey(wrong)]).toEqual([wrong, undefined]);
});

test('what may be secret in a URL is not shown', () => {
  expect(toOrigin('https://hooks.example.com/services/T0/B0/XXXX?token=y')).toBe(
    'https://hooks.example.com/…',
  );
  expect(toOrigin('http://user:password@10.0.0.1:8080')).toBe('http://10.0.0.1:8080');
});

test('attempts get rarer, up to a quarter of an hour', () => {
  expect([1, 2, 3, 10, 11, 12, 1000].map((failures) => retryMs(failures, () => 0.5) / 1000)).toEqual([
    ...[1, 2, 4, 512, 900, 900, 900],
  ]);
  expect(retryMs(1, () => 0)).toBe(800);
});
