/**
 * The OpenAPI document of a node, and its HTML page, which needs no other server. Loaded at the first
 * request.
 */
import { z } from 'zod';
import { errorReply, type Operation } from '../../src/http/schemas/task-schemas.ts';
import { OPERATIONS } from './node-schema.ts';

interface JsonSchema {
  [key: string]: unknown;
  properties?: Record<string, JsonSchema>;
  required?: string[];
}

/** A schema in its request form or its response form. */
const toJsonSchema = (schema: z.ZodType, io: 'input' | 'output' = 'output'): JsonSchema => {
  const { $schema: _, ...made } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return made as JsonSchema;
};

const content = (schema: z.ZodType, io?: 'input') => ({
  'application/json': { schema: toJsonSchema(schema, io) },
});

/** The document. */
export function openApi(): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of OPERATIONS) {
    paths[operation.path] ??= {};
    Object.assign(paths[operation.path] ?? {}, { [operation.method]: describe(operation) });
  }
  return {
    openapi: '3.1.0',
    info: { title: 'worker node', version: '1', description: 'The API of a task worker.' },
    paths,
  };
}

function describe({ path, summary, body, answer, refusals }: Operation): object {
  const ok = {
    description: summary,
    content: answer ? content(answer) : { 'text/plain': { schema: { type: 'string' } } },
  };
  const others = Object.entries(refusals).map(([status, description]) => {
    const schema = path === '/health' && answer ? answer : errorReply;
    return [status, { description, content: content(schema) }] as const;
  });
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
  return {
    summary,
    ...(names.length > 0 && {
      parameters: names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } })),
    }),
    ...(body && { requestBody: { required: true, content: content(body, 'input') } }),
    responses: { 200: ok, ...Object.fromEntries(others) },
  };
}

/** The page: every operation with its fields, without scripts. */
export function page(): string {
  const sections = OPERATIONS.map(({ method, path, summary, body, answer, refusals }) => {
    const rows = Object.entries(refusals).map(
      ([status, why]) => `<li><b>${status}</b> ${escapeHtml(why)}</li>`,
    );
    return [
      `<h2><code>${method.toUpperCase()} ${escapeHtml(path)}</code></h2><p>${escapeHtml(summary)}.</p>`,
      body ? `<h3>Body</h3>${fields(toJsonSchema(body, 'input'))}` : '',
      answer ? `<h3>Answer</h3>${fields(toJsonSchema(answer))}` : '',
      rows.length > 0 ? `<h3>Other responses</h3><ul>${rows.join('')}</ul>` : '',
    ].join('\n');
  });
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>worker node</title>
<style>body{font:16px/1.5 sans-serif;max-width:50em;margin:2em auto;padding:0 1em}td{padding:0 1em 0 0;vertical-align:top}h2{margin-top:2em}h3{margin-bottom:0}</style>
<h1>worker node</h1><p>The same as a document: <a href="/openapi.json">/openapi.json</a>.</p>
${sections.join('\n')}
</html>
`;
}

function fields({ properties = {}, required = [] }: JsonSchema): string {
  const rows = Object.entries(properties).map(([name, schema]) => {
    const about = [required.includes(name) ? '' : 'optional', schema.description ?? ''].filter(Boolean);
    return `<tr><td><code>${escapeHtml(name)}</code></td><td>${escapeHtml(typeOf(schema))}</td><td>${escapeHtml(about.join('; '))}</td></tr>`;
  });
  return `<table>${rows.join('')}</table>`;
}

function typeOf(schema: JsonSchema): string {
  if (Array.isArray(schema.enum)) return schema.enum.join(' | ');
  const kinds = (schema.anyOf ?? schema.oneOf) as JsonSchema[] | undefined;
  if (kinds) return kinds.map(typeOf).join(' | ');
  if (schema.properties) return `{${Object.keys(schema.properties).join(', ')}}`;
  return String(schema.type ?? 'any JSON value');
}

const escapeHtml = (text: unknown): string =>
  String(text).replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
