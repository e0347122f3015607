import { expect, inject, test } from 'vitest';
import { fromRedis } from '../../src/client/index.ts';
import { testClient } from './conformance.ts';

testClient(({ redisUrl, cell }) => fromRedis(redisUrl, { cell }));

test('a Redis that does not answer is reported', async () => {
  const away = fromRedis('redis://:secret@127.0.0.1:1');
  await expect(away).rejects.toMatchObject({ code: 'unavailable', status: 503 });
  await expect(away).rejects.toThrow('(connect ECONNREFUSED 127.0.0.1:1)');
  await expect(away).rejects.not.toThrow(/secret/);
  await expect(fromRedis(`${inject('redisUrl').replace(/\/\d*$/, '')}/99999`)).rejects.toThrow(
    'database 99999 cannot be selected',
  );
});
