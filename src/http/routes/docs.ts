/**
 * The OpenAPI document at `/openapi.json`, and pages to browse it at `/docs`. Both are open, because they contain the
 * schemas only; the pages need no other server.
 */
import swaggerUi from '@fastify/swagger-ui';
import type { ApiPlugin } from '../api.ts';

/** The pages load nothing from other servers, and work over plain HTTP. */
const CONTENT_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The routes of the documentation itself. */
export const docsRoutes: ApiPlugin = async (app) => {
  app.get('/openapi.json', { config: { open: true }, schema: { hide: true } }, async (_request, reply) =>
    reply.send(app.swagger()),
  );
  app.addHook('onRoute', (route) => {
    // Its own routes are hidden from the document, and are files of the package.
    if (route.url.startsWith('/docs')) route.config = { ...route.config, open: true };
  });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: CONTENT_POLICY,
    uiConfig: { url: '/openapi.json', validatorUrl: null, deepLinking: true },
  });
};
