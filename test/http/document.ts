/** Reads the OpenAPI document, and validates responses with it. */
import { Ajv2020 } from 'ajv/dist/2020.js';

export interface DocumentedOperation {
  path: string;
  method: string;
  operationId: string;
  summary: string;
  tags: string[];
  parameters: { name?: string; in?: string; example?: unknown }[];
  requestBody?: { content: Record<string, { example?: unknown }> };
  responses: Record<string, { content?: Record<string, { schema?: unknown }> }>;
}

/** What these tests read of a document. */
export interface OpenApiDocument {
  paths: Record<string, Record<string, Omit<DocumentedOperation, 'path' | 'method' | 'parameters'>>>;
}

export const operationsOf = ({ paths }: OpenApiDocument): DocumentedOperation[] =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ parameters: [], ...operation, path, method })),
  );

/** Validates the responses of operations; returns what does not conform, empty if all does. */
export function responseValidator(document: OpenApiDocument) {
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema(document, 'document');
  return (
    { path, method, responses }: DocumentedOperation,
    status: number,
    type: string,
    body: unknown,
  ): string => {
    const response = responses[status];
    if (response && !response.content)
      return body === '' ? '' : `${status} has a body, which is not documented`;
    const documented = response?.content;
    if (!documented) return `the status ${status} is not documented`;
    if (!documented[type]) return `the content type ${type} of ${status} is not documented`;
    if (type !== 'application/json') return '';
    const parts = ['paths', path, method, 'responses', String(status), 'content', type, 'schema'];
    const pointer = parts.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')));
    const validate = ajv.compile({ $ref: `document#/${pointer.join('/')}` });
    return validate(body) ? '' : ajv.errorsText(validate.errors);
  };
}
