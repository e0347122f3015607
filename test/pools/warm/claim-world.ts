/** What the tests of claims do with the world: fill the pool of warm workers, and wait for what a claim changes. */
import { expect, vi } from 'vitest';
import type { OutputMessage } from '../../../src/model/messages/message.ts';
import { type FaultWorld, PATIENCE, type RuntimeUnderTest } from '../../faults/world.ts';
import type { Manager } from '../../support/manager.ts';
import { type Waiting, waiting } from './waiting.ts';

const TEMPLATE = { agent_type: 'CUSTOM', command_line: ['cat'] };

/** Applies the pool and waits until that many warm workers are available. */
export async function fillPool(
  world: FaultWorld,
  name: RuntimeUnderTest,
  warm: number,
  template: object = {},
): Promise<Waiting[]> {
  const pool = {
    name: 'agents',
    warm,
    execution_mode: name === 'docker' ? 'docker' : 'direct',
    template: { ...TEMPLATE, ...template },
  };
  expect(await world.answer(await world.push({ command: 'apply', pool }))).toMatchObject({ success: true });
  return untilAvailable(world, warm);
}

export function untilAvailable(world: FaultWorld, count: number): Promise<Waiting[]> {
  return vi.waitFor(async () => {
    const found = await waiting(world);
    expect(found).toHaveLength(count);
    return found;
  }, PATIENCE);
}

/** Waits until this manager has observed every worker once, and so knows which ones are available. */
export const untilRecovered = (manager: Manager) =>
  vi.waitFor(() => expect(manager.log()).toContain('"msg":"recovered"'), PATIENCE);

export async function outputOf({ cell }: FaultWorld, worker: string): Promise<OutputMessage[]> {
  return (await cell.read(cell.store.keys.output(worker))) as OutputMessage[];
}

export function untilPrinted(world: FaultWorld, worker: string, text: string): Promise<OutputMessage[]> {
  return vi.waitFor(async () => {
    const output = await outputOf(world, worker);
    const printed = output.filter(({ type }) => type === 'stdout').map(({ content }) => content);
    expect(printed.join('\n')).toContain(text);
    return output;
  }, PATIENCE);
}

export const bodyOf = async (world: FaultWorld, worker: string) =>
  (await world.cell.store.status(worker))?.status?.body_id ?? '';

export const untilDeleted = (world: FaultWorld, worker: string) =>
  vi.waitFor(async () => expect(await world.cell.store.load(worker)).toBeUndefined(), PATIENCE);

export const claimedBodies = ({ cell }: FaultWorld) => cell.redis.hgetall(cell.store.keys.bodies);
