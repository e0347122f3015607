/**
 * Finishes the OpenAPI document with what the schemas of routes cannot express: descriptions of tags, the Idempotency-Key of
 * every change with its refusals, and an example for each operation. Pure.
 */
import { cleanDocument, type OpenApi, type OpenApiOperation } from './clean-document.ts';
import { ADDRESS_TOO_LONG, IDEMPOTENCY_KEY, REFUSALS, TAGS } from './document-texts.ts';
import { EXAMPLES } from './examples.ts';

/** Methods that change something, and whose repetition is recognized by a key. */
const CHANGES = new Set(['post', 'put', 'delete', 'patch']);
/** Tags of operations that go to a body as they come: what they do is done again. */
const UNKEYED = ['files', 'ports', 'processes', 'terminals'];
const ERROR = { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } };

export function finishDocument<D extends object>(generated: D): D {
  const document = cleanDocument(generated as OpenApi);
  const parameters = { ...document.components?.parameters, IdempotencyKey: IDEMPOTENCY_KEY };
  document.components = { ...document.components, parameters };
  document.paths = Object.fromEntries(
    Object.entries(document.paths ?? {}).map(([path, operations]) => [toTemplate(path), operations]),
  );
  const used = new Set<string>();
  for (const operations of Object.values(document.paths ?? {}))
    for (const [method, operation] of Object.entries(operations)) {
      for (const tag of operation.tags ?? []) used.add(tag);
      for (const parameter of operation.parameters ?? []) if ('name' in parameter) renameParameter(parameter);
      addExample(operation);
      if (method === 'put') omitPathFields(operation);
      if (CHANGES.has(method)) addRefusals(operation);
      operation.responses = { ...operation.responses, 431: ADDRESS_TOO_LONG };
    }
  document.tags = [...used].sort().map((name) => ({ name, description: TAGS[name] ?? '' }));
  return document as D;
}

/** A path as OpenAPI has it, where the router has one parameter for a port with a suffix, and `*` for the rest. */
const toTemplate = (path: string) => path.replace(/\{port_(\w+)\}$/, '{port}:$1').replace('{*}', '{path}');

/** The same for the path's parameters. */
function renameParameter(parameter: { name?: string; schema?: unknown }): void {
  if (parameter.name === '*') parameter.name = 'path';
  if (!parameter.name?.startsWith('port_')) return;
  parameter.name = 'port';
  parameter.schema = { type: 'integer', minimum: 1, maximum: 65_535 };
}

/** The key of a change, and the errors that any change may have. */
function addRefusals(operation: OpenApiOperation): void {
  const { parameters = [], requestBody, tags = [] } = operation;
  if (!tags.some((tag) => UNKEYED.includes(tag)))
    operation.parameters = [...parameters, { $ref: '#/components/parameters/IdempotencyKey' }];
  const refusals = { ...REFUSALS.change, ...(requestBody && REFUSALS.body) };
  const described = Object.entries(refusals).map(([status, description]) => [
    status,
    { description, content: ERROR },
  ]);
  operation.responses = { ...Object.fromEntries(described), ...operation.responses };
}

/** A field that the path has may be omitted from the body. */
function omitPathFields({ parameters = [], requestBody }: OpenApiOperation): void {
  const inPath = new Set(parameters.flatMap((one) => ('in' in one && one.in === 'path' ? [one.name] : [])));
  for (const { schema } of Object.values(requestBody?.content ?? {}))
    if (schema?.required) schema.required = schema.required.filter((name) => !inPath.has(name));
}

/** Adds the values of the example to the body and to the parameters. */
function addExample({ operationId = '', parameters = [], requestBody }: OpenApiOperation): void {
  const { params = {}, query = {}, body } = EXAMPLES[operationId] ?? {};
  for (const parameter of parameters) {
    if (!('name' in parameter) || parameter.name === undefined) continue;
    const values: Record<string, unknown> = parameter.in === 'path' ? params : query;
    if (parameter.name in values) parameter.example = values[parameter.name];
  }
  const json = requestBody?.content?.['application/json'];
  if (json && body !== undefined) json.example = body;
}
