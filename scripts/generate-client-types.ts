/** Writes the types of the SDK (`src/client/api-types.ts`) from the OpenAPI document. `--check` only compares. */
import openapiTS, { astToString, type OpenAPI3 } from 'openapi-typescript';
import { formatJson, read, writeOrCheck } from './generate/write.ts';

const PATH = 'src/client/api-types.ts';
const HEADER =
  '/** The types of the HTTP API, generated from docs/schema/openapi.json by `npm run generate`. */\n\n';

const document = JSON.parse(read('docs/schema/openapi.json')) as OpenAPI3;
// A field with a default may be left out of a request.
const types = astToString(await openapiTS(document, { defaultNonNullable: false, alphabetize: true }));
writeOrCheck({ [PATH]: formatJson(PATH, HEADER + types) });
