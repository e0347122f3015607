/** What agents may do with the tools of MCP. */
import { z } from 'zod';
import { nameBy, SECRET_NAME, specFields } from '../../model/index.ts';
import { redactUrl } from '../../telemetry/redact.ts';
import { defineVariable, integerVariable, numberVariable, optionalVariable, urlSchema } from '../variable.ts';

const DAY = 86_400;

const listOf = <S extends z.ZodType<string | undefined>>(item: S) =>
  z
    .string()
    .transform((text) => text.split(/[\s,]+/).filter(Boolean))
    .pipe(z.array(item.and(z.string())));

export const MCP = {
  mcpMaxWorkers: integerVariable(
    'MCP_MAX_WORKERS',
    '20',
    [0, 100_000],
    'Limit of living workers that were created with the tools of MCP.',
  ),
  mcpMaxSeconds: numberVariable(
    'MCP_MAX_SECONDS',
    '14400',
    [1, 30 * DAY],
    'seconds',
    'Longest lifetime of a worker that is created with the tools of MCP, and its default.',
  ),
  mcpMaxDepth: integerVariable(
    'MCP_MAX_DEPTH',
    '1',
    [0, 16],
    'How many generations of workers may come from a worker whose agent has the tools of MCP: with 1, it may create workers, but these may not; with 0, no worker may.',
  ),
  mcpUrl: optionalVariable({
    name: 'MCP_URL',
    schema: urlSchema(['http', 'https']),
    allowed: 'an http or https URL, such as http://172.17.0.1:8080',
    help: "The manager's URL from a body. A worker that is created with the tools of MCP and has the secret WM_TOKEN gets it as WM_URL.",
    show: redactUrl,
  }),
  mcpImages: defineVariable({
    name: 'MCP_IMAGES',
    schema: listOf(specFields.image),
    allowed: 'names of images, separated by commas',
    fallback: '',
    help: 'Images that may be named when a worker is created with the tools of MCP; others are built by the manager.',
  }),
  mcpSecrets: defineVariable({
    name: 'MCP_SECRETS',
    schema: listOf(nameBy(SECRET_NAME)),
    allowed: 'names of secrets, separated by commas',
    fallback: '',
    help: "Secrets that the operator's agent may give to workers that it creates with the tools of MCP, such as ANTHROPIC_API_KEY. An agent in a worker can pass on the secrets of its worker.",
  }),
} as const;
