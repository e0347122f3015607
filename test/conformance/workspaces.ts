/** The part of the suite about the files that outlive a body. */
import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Body, WorkerSpec } from '../../src/model/index.ts';
import type { BodyOrder, Runtime } from '../../src/runtimes/runtime.ts';
import type { Program, Subject } from './subject.ts';

const PATIENCE = { timeout: 15_000, interval: 20 };

export function workspaceConformance(current: () => Subject): void {
  describe('a workspace', () => {
    let subject: Subject;
    let runtime: Runtime;
    let worker: string;

    beforeEach(() => {
      subject = current();
      runtime = subject.runtime;
      worker = randomUUID();
    });

    const orderOf = (
      id: string,
      program: Program,
      workspace: WorkerSpec['workspace'] = { persist: 'worker' },
    ): BodyOrder => {
      const order = subject.order(id, program);
      return { ...order, spec: { ...order.spec, workspace } };
    };
    /** Runs the body of an order to its end and removes it; returns its exit code. */
    const run = async (order: BodyOrder, manager = runtime): Promise<number | undefined> => {
      const { id } = await manager.create(order);
      await manager.start(id);
      const ended = await vi.waitFor(async () => {
        const [body] = await manager.find(order.worker_id, undefined);
        expect(body?.state).toBe('exited');
        return body as Body;
      }, PATIENCE);
      await manager.remove(id);
      return ended.exit_code;
    };
    const ids = async (manager = runtime) => (await manager.listWorkspaces()).map(({ id }) => id);

    test('outlives the bodies of its worker, and is listed by each manager', async () => {
      const before = Date.now();
      const store = randomUUID();
      expect(await run(orderOf(worker, 'reads'))).toBe(4);
      expect(await run({ ...orderOf(worker, 'writes'), incarnation: 2, store })).toBe(0);
      expect(await run({ ...orderOf(worker, 'reads'), incarnation: 3 }, subject.second)).toBe(0);
      for (const manager of [runtime, subject.second]) {
        const [found, ...more] = await manager.listWorkspaces();
        expect(more).toEqual([]);
        expect(found?.id).toBe(worker);
        expect(found?.created_at).toBeGreaterThan(before - 10_000);
        expect(found?.created_at).toBeLessThan(Date.now() + 10_000);
      }
    });

    test('is named in its body', async () => {
      const body = await runtime.create(orderOf(worker, 'reads'));
      expect(body.workspace).toBe(worker);
      expect(await runtime.list()).toMatchObject([{ id: body.id, workspace: worker }]);
      expect(await runtime.find(worker, undefined)).toMatchObject([{ id: body.id, workspace: worker }]);
    });

    test('ends with each body if the spec says so', async () => {
      const own = (program: Program) => orderOf(worker, program, { persist: 'body' });
      expect(await run(own('writes'))).toBe(0);
      expect(await run(own('reads'))).toBe(4);
      expect(await runtime.listWorkspaces()).toEqual([]);
      const body = await runtime.create(own('reads'));
      expect(body.workspace).toBeUndefined();
    });

    test('is not the workspace of another worker, unless the order names it', async () => {
      const other = randomUUID();
      expect(await run(orderOf(worker, 'writes'))).toBe(0);
      expect(await run(orderOf(other, 'reads'))).toBe(4);
      expect(await run({ ...orderOf(other, 'reads'), workspace: worker })).toBe(0);
      expect((await ids()).sort()).toEqual([worker, other].sort());
    });

    test('is deleted with its files, however often that is requested', async () => {
      expect(await run(orderOf(worker, 'writes'))).toBe(0);
      await Promise.all([runtime.removeWorkspace(worker), subject.second.removeWorkspace(worker)]);
      await runtime.removeWorkspace(worker);
      expect(await runtime.listWorkspaces()).toEqual([]);
      expect(await run(orderOf(worker, 'reads'))).toBe(4);
      await runtime.removeWorkspace(randomUUID());
    });

    test('is kept while a body uses it', async () => {
      const { id } = await runtime.create(orderOf(worker, 'writes'));
      const early = runtime.removeWorkspace(worker);
      await expect(early).rejects.toMatchObject({ code: 'conflict' });
      await runtime.remove(id);
      expect(await run(orderOf(worker, 'writes'))).toBe(0);
      const borrower = randomUUID();
      const body = await runtime.create({ ...orderOf(borrower, 'reads'), workspace: worker });
      await expect(subject.second.removeWorkspace(worker)).rejects.toMatchObject({ code: 'conflict' });
      await runtime.remove(body.id);
      await subject.second.removeWorkspace(worker);
      expect(await ids()).toEqual([]);
    });

    test('belongs to one cell', async () => {
      expect(await run(orderOf(worker, 'writes'))).toBe(0);
      expect(await subject.otherCell.listWorkspaces()).toEqual([]);
      await subject.otherCell.removeWorkspace(worker);
      expect(await run(orderOf(worker, 'reads'), subject.otherCell)).toBe(4);
      expect(await run(orderOf(worker, 'reads'))).toBe(0);
    });

    test('goes when the cell is dismantled', async () => {
      expect(await run(orderOf(worker, 'writes'))).toBe(0);
      await runtime.dismantle();
      expect(await subject.second.listWorkspaces()).toEqual([]);
    });
  });
}
