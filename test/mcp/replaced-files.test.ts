/** `npm install --global` replaces the files of a running manager, of which it loads some only when they are needed. */
import { fastify } from 'fastify';
import { expect, test, vi } from 'vitest';
import { createMcpRoutes, type McpRoutesOptions } from '../../src/mcp/routes.ts';

vi.mock('../../src/mcp/handler.ts', () => {
  throw new Error('Cannot find module');
});

test('a manager without the files of its tools refuses them, and can still be closed', async () => {
  const app = fastify();
  await app.register(createMcpRoutes({ token: undefined, services: {} } as unknown as McpRoutesOptions));
  for (const _ of [1, 2]) {
    const { statusCode } = await app.inject({ method: 'POST', url: '/mcp', payload: {} });
    expect(statusCode).toBe(500);
  }
  await expect(app.close()).resolves.toBeUndefined();
});
