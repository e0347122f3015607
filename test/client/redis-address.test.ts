import { expect, test } from 'vitest';
import { fromRedis } from '../../src/client/index.ts';

test.each([
  'redis://:secret@127.0.0.1:1/1.5',
  'redis://:secret@127.0.0.1:1/-1',
  'redis://:secret@127.0.0.1:1/abc',
  'redis://:secret%@127.0.0.1:1',
  'http://:secret@127.0.0.1:1',
  'secret',
  '',
])('the URL %j is refused, and not read as another one', async (url) => {
  const refused = fromRedis(url);
  await expect(refused).rejects.toMatchObject({
    name: 'ManagerError',
    code: 'invalid_command',
    message: expect.stringContaining('must be a URL such as redis://HOST:PORT'),
  });
  if (url.includes('@')) await expect(refused).rejects.not.toThrow(/secret/);
});

test('a cell that cannot be one is refused', async () => {
  await expect(fromRedis('redis://127.0.0.1:1', { cell: 'Blue' })).rejects.toMatchObject({
    code: 'invalid_command',
    message: expect.stringContaining('The cell is "Blue"'),
  });
});
