/**
 * Lints the OpenAPI document of the manager (`docs/schema/openapi.json`) with Redocly's rules: `node scripts/lint-openapi.ts`.
 *
 * The recommended rules, as errors, and some that make the document complete. Only the linter is installed, which
 * takes a second; Redocly's command line has 300 packages more.
 */
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { read } from './generate/write.ts';

const PATH = 'docs/schema/openapi.json';

const config = await createConfig({
  extends: ['recommended-strict'],
  rules: {
    'operation-tag-defined': 'error',
    'tag-description': 'error',
    'tags-alphabetical': 'error',
    'operation-operationId': 'error',
    'operation-parameters-unique': 'error',
    'no-invalid-media-type-examples': 'error',
    'no-invalid-parameter-examples': 'error',
    'no-invalid-schema-examples': 'error',
    'no-ambiguous-paths': 'off',
    // The answer to a change of protocol is 101.
    'operation-2xx-response': 'off',
  },
});
const problems = await lintFromString({ source: read(PATH), absoluteRef: PATH, config });
for (const { ruleId, message, location } of problems)
  console.log(`${PATH}${location[0]?.pointer ?? ''}: ${message} (${ruleId})`);
console.log(problems.length === 0 ? `${PATH} is clean.` : `${problems.length} problems in ${PATH}.`);
process.exitCode = problems.length === 0 ? 0 : 1;
