import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Scene } from './agents.ts';

/** Where the scene's credential can be read that it must not: of Redis, the engine and the manager. */
export async function leaksOf({ redis, docker, cell, key, log }: Scene, body: string): Promise<string[]> {
  const found: string[] = [];
  const container = docker.getContainer(body);
  const image = (await container.inspect()).Image;
  const places: Record<string, { includes(text: string): boolean }> = {
    'docker inspect': JSON.stringify(await container.inspect()),
    'docker logs': await container.logs({ stdout: true, stderr: true, follow: false }),
    'docker history': JSON.stringify(await docker.getImage(image).history()),
    'docker image inspect': JSON.stringify(await docker.getImage(image).inspect()),
    'the manager’s log': log(),
  };
  let keys = 0;
  for await (const names of redis.scanStream({ match: `${cell}:*`, count: 1000 }))
    for (const name of names as string[]) {
      keys += 1;
      places[`${name} in Redis`] = Buffer.concat([Buffer.from(name), await textOf(redis, name)]);
    }
  if (keys < 5) throw new Error('Redis was not looked through.');
  for (const [place, text] of Object.entries(places)) if (text.includes(key)) found.push(place);
  return found;
}

/** The value as Redis holds it, with what is compressed in it unpacked. */
async function textOf(redis: Scene['redis'], name: string): Promise<Buffer> {
  const type = await redis.type(name);
  switch (type) {
    case 'hash': {
      const fields = Object.entries(await redis.hgetallBuffer(name)) as unknown as [string, Buffer][];
      return Buffer.concat(
        await Promise.all(fields.flatMap(([field, value]) => [Buffer.from(field), unpacked(value)])),
      );
    }
    case 'string':
      return unpacked((await redis.getBuffer(name)) ?? Buffer.alloc(0));
    case 'stream':
      // A Redis dump of it is compressed.
      return Buffer.from(JSON.stringify(await redis.xrange(name, '-', '+')));
    case 'zset':
      return Buffer.from(JSON.stringify(await redis.zrange(name, '0', '-1')));
    case 'none':
      return Buffer.alloc(0);
    default:
      throw new Error(`${name} is a ${type}, which is not looked into.`);
  }
}

async function unpacked(value: Buffer): Promise<Buffer> {
  return value[0] === 0x1f && value[1] === 0x8b ? promisify(gunzip)(value) : value;
}
