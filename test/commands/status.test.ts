import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { planStatus } from '../../src/commands/status.ts';
import {
  type CommandOf,
  type StatusRecord,
  type UsageReading,
  WORKER_STATUSES,
} from '../../src/model/index.ts';

const CHECKED: UsageReading = {
  cpu_percent: 12,
  memory_bytes: 1024,
  pids: 1,
  at: '2026-01-01T00:00:00.000Z',
};

// The figures of the last check stood in the answer until the next one, as if the body still used that.
test.each(WORKER_STATUSES)(
  'the figures of a worker that is %s are reported while it has a body',
  async (told) => {
    const worker_id = randomUUID();
    const store = {
      status: async () => ({ desired: {} as never, status: { status: told } as StatusRecord }),
      usage: async () => ({ [worker_id]: CHECKED }),
    };
    const command = { command: 'status', worker_id, request_id: 'r' } as CommandOf<'status'>;
    const plan = await planStatus(command, { store });
    if (plan.operation !== 'read') throw new Error(`The plan is ${plan.operation}.`);
    const ended = told === 'STOPPED' || told === 'FAILED';
    const [cpu_percent, memory_bytes, checked_at] = ended ? [null, null, null] : [12, 1024, CHECKED.at];
    expect(JSON.parse(plan.answers.ok)).toMatchObject({ cpu_percent, memory_bytes, checked_at });
  },
);
