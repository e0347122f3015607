import { randomUUID } from 'node:crypto';
import { beforeEach } from 'vitest';
import {
  formatInstant,
  type Heartbeat,
  type StatusRecord,
  type WorkerRecord,
  workerSpec,
} from '../../src/model/index.ts';
import type { CommandOutcome, CommandSettlement } from '../../src/store/index.ts';
import type { LoopStore } from '../support/memory-store.ts';

export interface StoreSubject {
  store: LoopStore;
  /** Creates another leader, as if the previous lease had ended; returns its epoch. */
  acquire(): Promise<number>;
  settle(epoch: number, what: Omit<CommandSettlement, 'entry' | 'replyTo'>): Promise<CommandOutcome>;
  /** All answers so far, in order. */
  answers(): Promise<unknown[]>;
  beat(id: string, heartbeat: Heartbeat): Promise<void>;
}

export const NOW = Date.parse('2030-01-01T00:00:00.000Z');
export const spec = workerSpec.parse({ agent_type: 'CUSTOM', command_line: ['agent'], runtime: 'process' });
/** A new identity for each call. */
export const identityAt = (at: number) => ({ id: randomUUID(), created_at: formatInstant(at), adopted: {} });
export const memo = { machine_version: 1, value: { STARTING: 'creating' }, context: { incarnation: 1 } };
export const status: StatusRecord = {
  status: 'STARTING',
  phase: 'creating',
  reason: '',
  message: 'é"\n',
  incarnation: 1,
  restarts: 0,
  runtime: 'process',
  observed_generation: 1,
  exit_code: undefined,
  image: 'worker:1',
};
export const next = { status, memo, event: undefined };
export const answers = {
  ok: '{"is":"ok"}',
  conflict: '{"is":"conflict"}',
  not_found: '{"is":"not_found"}',
};

/** The store of the running test, its leader and one worker, and the steps that many tests share. */
export class StoreFixture {
  subject!: StoreSubject;
  store!: LoopStore;
  /** The epoch of the current leader. */
  epoch!: number;
  /** The ID of a worker that no other test uses. */
  id!: string;

  /** Registers the hook that makes the subject of each test. */
  constructor(makeSubject: () => Promise<StoreSubject>) {
    beforeEach(async () => {
      this.subject = await makeSubject();
      this.store = this.subject.store;
      this.epoch = await this.subject.acquire();
      this.id = randomUUID();
    });
  }

  readonly create = (requestId: string = randomUUID(), workerId = this.id, at = NOW) => {
    const created = { spec, at: formatInstant(at), ms: at, prompt: undefined };
    return this.subject.settle(this.epoch, { requestId, operation: 'create', workerId, created, answers });
  };

  readonly desire = (desired: 'running' | 'stopped' | 'deleted', requestId: string = randomUUID()) =>
    this.subject.settle(this.epoch, { requestId, operation: 'desire', workerId: this.id, desired, answers });

  readonly load = async (): Promise<WorkerRecord> => {
    const loaded = await this.store.load(this.id);
    if (!loaded) throw new Error('there is no record');
    return loaded.record;
  };

  /** The answers so far, by the outcome that they stand for. */
  readonly outcomes = async (): Promise<string[]> =>
    (await this.subject.answers()).map((answer) => (answer as { is: string }).is);
}
