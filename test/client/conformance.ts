/** What both transports of the SDK have in common: the same calls on a real manager have the same effects. */
import { afterAll, beforeAll } from 'vitest';
import type { ManagerConnection } from '../../src/client/index.ts';
import { testCommands } from './conformance/commands.ts';
import { testPools } from './conformance/pools.ts';
import { testStreams } from './conformance/streams.ts';
import { testWorkers } from './conformance/workers.ts';
import { type ClientScene, openClientScene } from './scene.ts';

export function testClient(open: (scene: ClientScene) => Promise<ManagerConnection>): void {
  let scene: ClientScene;
  let client: ManagerConnection;
  beforeAll(async () => {
    scene = await openClientScene();
    client = await open(scene);
  });
  afterAll(async () => {
    await client?.close();
    await scene?.close();
  });
  const subject = () => ({ scene, client });
  testWorkers(subject);
  testCommands(subject);
  testStreams(subject);
  testPools(subject);
}
