import { expect, test } from 'vitest';
import { rejectToken } from '../../../src/http/access/access.ts';
import { createWorkerToken, readWorkerToken } from '../../../src/http/access/worker-token.ts';

const [KEY, ID] = ['api-token-of-a-test', '11111111-1111-4111-8111-111111111111'];
const OTHER = '22222222-2222-4222-8222-222222222222';

test('the token of a worker names it, and cannot be made for another', () => {
  const token = createWorkerToken(KEY, ID);
  expect(readWorkerToken(KEY, token)).toBe(ID);
  expect(createWorkerToken(KEY, ID)).toBe(token);
  for (const wrong of [
    token.replace(ID, OTHER),
    `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`,
    token.slice(0, -1),
    `${token} `,
    `wmw_${ID}_`,
    '',
  ])
    expect(readWorkerToken(KEY, wrong), wrong).toBeUndefined();
  expect(readWorkerToken('another-api-token', token)).toBeUndefined();
});

test('it is accepted on one path only', () => {
  const headers = { authorization: `Bearer ${createWorkerToken(KEY, ID)}` };
  expect(rejectToken({ headers }, KEY, '/mcp')).toBeUndefined();
  for (const path of ['/v1/workers', '/mcp/', '/mcp/x', '/MCP', '/'])
    expect(rejectToken({ headers }, KEY, path)?.status, path).toBe(401);
  const host = `3000-${ID}.localhost:8080`;
  expect(rejectToken({ headers: { ...headers, host } }, KEY, '/mcp')?.status).toBe(401);
});
