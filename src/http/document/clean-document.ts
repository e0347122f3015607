/** Removes from a generated OpenAPI document what its generator adds without need. Pure. */

export interface OpenApiOperation {
  operationId?: string;
  tags?: string[];
  parameters?: ({ name?: string; in?: string; example?: unknown } | { $ref: string })[];
  requestBody?: { content?: Record<string, { example?: unknown; schema?: { required?: string[] } }> };
  responses?: Record<string, object>;
}

export interface OpenApi {
  paths?: Record<string, Record<string, OpenApiOperation>>;
  tags?: { name: string; description: string }[];
  components?: { schemas?: Record<string, object>; parameters?: Record<string, object> };
}

export const cleanDocument = (document: OpenApi): OpenApi =>
  openResponses(rename(dropUnused(nameRest(simplify(document)))));

/** With the names of the routes: the rest of a path, which the router calls `*`, is `path`. */
function nameRest(document: OpenApi): OpenApi {
  const text = JSON.stringify(document)
    .replaceAll('{*}":', '{path}":')
    .replaceAll('"name":"*"', '"name":"path"')
    // The generator adds the method to the IDs of operations that are HEAD.
    .replaceAll(/"operationId":"(\w+)-head"/g, '"operationId":"$1"');
  return JSON.parse(text) as OpenApi;
}

/** Without implied limits; references to any JSON value, which the generator cannot resolve, become an empty schema. */
function simplify(document: OpenApi): OpenApi {
  const text = JSON.stringify(document, (key, value) => {
    if (key === 'minimum' && value === Number.MIN_SAFE_INTEGER) return undefined;
    if (key === 'maximum' && value === Number.MAX_SAFE_INTEGER) return undefined;
    const reference = value?.$ref;
    return typeof reference === 'string' && /^#\/\$defs\/|\/__shared#/.test(reference) ? {} : value;
  });
  return JSON.parse(text) as OpenApi;
}

/** Without schemas that nothing refers to: each has a form for requests and one for responses. */
function dropUnused(document: OpenApi): OpenApi {
  const { schemas = {} } = document.components ?? {};
  const text = JSON.stringify(document);
  const unused = Object.keys(schemas).filter((name) => !text.includes(`"#/components/schemas/${name}"`));
  for (const name of unused) delete schemas[name];
  return unused.length === 0 ? document : dropUnused(document);
}

/** A schema of requests has the suffix Input, also if there is none of responses. */
function rename(document: OpenApi): OpenApi {
  const names = Object.keys(document.components?.schemas ?? {});
  let text = JSON.stringify(document);
  for (const name of names) {
    const plain = name.replace(/Input$/, '');
    if (names.includes(plain)) continue;
    text = text.replaceAll(`"${name}":`, `"${plain}":`).replaceAll(`/schemas/${name}"`, `/schemas/${plain}"`);
  }
  return JSON.parse(text) as OpenApi;
}

/** Responses may have more fields than are documented, for example those of a newer manager; requests may not. */
function openResponses({ paths = {}, components = {}, ...document }: OpenApi): OpenApi {
  const { schemas = {} } = components;
  const operations = Object.values(paths).flatMap((path) => Object.values(path));
  const requested = reach(
    operations.map(({ parameters, requestBody }) => [parameters, requestBody]),
    schemas,
  );
  for (const operation of operations)
    if (operation.responses) operation.responses = open(operation.responses);
  for (const name of Object.keys(schemas))
    if (!requested.has(name)) schemas[name] = open(schemas[name] ?? {});
  return { ...document, paths, components };
}

/** The names of the schemas that a value refers to, also through others. */
function reach(value: unknown, schemas: Record<string, object>, found = new Set<string>()): Set<string> {
  for (const [, name = ''] of JSON.stringify(value).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
    if (found.has(name)) continue;
    found.add(name);
    reach(schemas[name] ?? {}, schemas, found);
  }
  return found;
}

function open<T extends object>(schema: T): T {
  const text = JSON.stringify(schema, (key, value) =>
    key === 'additionalProperties' && value === false ? undefined : value,
  );
  return JSON.parse(text) as T;
}
