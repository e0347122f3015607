/** Every example of the OpenAPI document is sent to a manager. */
import { expect, inject, onTestFinished, test } from 'vitest';
import { EXAMPLES } from '../../../src/http/document/examples.ts';
import { cleanCell, newCell, startManager } from '../../support/manager.ts';
import { type OpenApiDocument, operationsOf, responseValidator } from '../document.ts';

test('each example has the documented effect, and its answer conforms to its schema', async () => {
  const options = { redisUrl: inject('redisUrl'), cell: newCell() };
  const manager = await startManager(options);
  onTestFinished(async () => {
    await manager.stop();
    await cleanCell({ ...options, home: manager.home });
  });
  await expect.poll(async () => (await fetch(`${manager.url}/readyz`)).status, { timeout: 20_000 }).toBe(200);
  const document = (await (await fetch(`${manager.url}/openapi.json`)).json()) as OpenApiDocument;
  const validate = responseValidator(document);
  const byId = new Map(operationsOf(document).map((operation) => [operation.operationId, operation]));

  for (const [id, { params = {}, query = {}, status = 200 }] of Object.entries(EXAMPLES)) {
    const operation = byId.get(id);
    if (!operation) throw new Error(`${id} is not an operation.`);
    const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) =>
      encodeURIComponent(params[name] ?? ''),
    );
    const search = new URLSearchParams(
      Object.entries(query).flatMap(([name, values]) =>
        [values].flat().map((value): [string, string] => [name, String(value)]),
      ),
    );
    const body = operation.requestBody?.content['application/json']?.example;
    const response = await fetch(`${manager.url}${path}?${search}`, {
      method: operation.method.toUpperCase(),
      headers: { ...manager.headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const type = response.headers.get('content-type')?.split(';')[0] ?? '';
    const text = await response.text();
    expect([id, response.status], text).toEqual([id, status]);
    const faults = validate(
      operation,
      response.status,
      type,
      type.endsWith('json') ? JSON.parse(text) : text,
    );
    expect([id, faults]).toEqual([id, '']);
  }
});
