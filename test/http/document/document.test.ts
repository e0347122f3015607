/** The OpenAPI document is complete; `scripts/lint-openapi.ts` checks that it is valid. */
import { expect, test } from 'vitest';
import { TAGS } from '../../../src/http/document/document-texts.ts';
import { EXAMPLES } from '../../../src/http/document/examples.ts';
import { openTestApi } from '../api.ts';
import { operationsOf } from '../document.ts';

test('each operation has an ID, a summary, a described tag, an example and its refusals', async () => {
  const { ask } = await openTestApi({});
  const operations = operationsOf((await ask('GET', '/openapi.json')).json());
  expect(operations.map(({ operationId }) => operationId).sort()).toEqual(Object.keys(EXAMPLES).sort());
  for (const { operationId, method, summary, tags, responses, parameters } of operations) {
    expect(summary, operationId).toMatch(/^[A-Z]/);
    expect(
      tags.filter((tag) => !TAGS[tag]),
      operationId,
    ).toEqual([]);
    expect(Object.keys(responses), operationId).toEqual(
      expect.arrayContaining([
        '400',
        '401',
        '500',
        '503',
        ...(method === 'get' || method === 'head' ? [] : ['403', '409']),
      ]),
    );
    for (const { name, in: place, example } of parameters)
      if (place === 'path')
        expect([operationId, name, typeof example === 'number' ? 'string' : typeof example]).toEqual([
          operationId,
          name,
          'string',
        ]);
  }
});

test('no schema refers to one that is missing, and responses may have more fields than they have today', async () => {
  const { ask } = await openTestApi({});
  const document = (await ask('GET', '/openapi.json')).json();
  const text = JSON.stringify(document);
  for (const [, kind = '', name = ''] of text.matchAll(/"\$ref":"#\/components\/(\w+)\/(\w+)"/g))
    expect(document.components[kind]).toHaveProperty(name);
  expect(text).not.toMatch(/"\$ref":"(?!#\/components\/)/);
  for (const { operationId, responses } of operationsOf(document))
    expect(JSON.stringify(responses), operationId).not.toContain('"additionalProperties":false');
  expect(document.components.schemas.TaskSubmission.additionalProperties).toBe(false);
});
