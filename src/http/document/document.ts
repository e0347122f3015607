/** The OpenAPI document of the manager's API, generated from the schemas of its routes. */
import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { finishDocument } from './finish-document.ts';

const DESCRIPTION = `Workers, pools and tasks of one cell. Any manager of the cell answers, also one on standby; changes are
executed by the leader.`;

/** Collects the schemas of the routes that are registered after it. */
export async function registerDocument(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'worker-manager',
        version,
        description: DESCRIPTION,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: [{ token: [] }],
    },
    transform,
    transformObject: (document) => finishDocument(jsonSchemaTransformObject(document)),
  });
}

type Transform = typeof jsonSchemaTransform;

/** Also for a body with several content types, each with a schema. */
const transform: Transform = (route) => {
  const { body, ...schema } = (route.schema ?? {}) as {
    body?: { content?: Record<string, { schema: unknown }> };
  };
  if (!body?.content) return jsonSchemaTransform(route);
  const toJson = (one: object) => jsonSchemaTransform({ ...route, schema: one } as typeof route);
  const content = Object.entries(body.content).map(([type, { schema: of }]) => [
    type,
    { schema: (toJson({ body: of }).schema as { body?: unknown }).body },
  ]);
  const rest = toJson(schema);
  return { ...rest, schema: { ...rest.schema, body: { content: Object.fromEntries(content) } } };
};
