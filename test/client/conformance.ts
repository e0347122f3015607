/** What both transports of the SDK have in common: the same calls on a real manager have the same effects. */
import { afterAll, beforeAll } from 'vitest';
import type { ManagerConnection } from '../../src/client/index.ts';
import { testCommands } from './conformance/commands.ts';
import { testFiles } from './conformance/files.ts';
import { testPools } from './conformance/pools.ts';
import { testStreams } from './conformance/streams.ts';
import type { ClientSubject } from './conformance/subject.ts';
import { testWorkers } from './conformance/workers.ts';
import { type ClientScene, openClientScene } from './scene.ts';

export function testClient(
  open: (scene: ClientScene) => Promise<ManagerConnection>,
  /** Tests of what only this transport can do. */
  more: readonly ((subject: ClientSubject) => void)[] = [],
): void {
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
  testFiles(subject);
  testStreams(subject);
  testPools(subject);
  for (const test of more) test(subject);
}
