/** What an operator allows bodies, and the files that they get. */
import { z } from 'zod';
import { defineVariable, optionalVariable, pathSchema } from '../variable.ts';

export const PERMISSIONS = {
  allowPrivileged: defineVariable({
    name: 'ALLOW_PRIVILEGED',
    schema: z.enum(['true', 'false']).transform((text) => text === 'true'),
    allowed: 'true or false',
    fallback: 'false',
    help: 'Whether the module DOCKER is allowed; its workers are less isolated than others.',
  }),
  allowLinkLocal: defineVariable({
    name: 'ALLOW_LINK_LOCAL',
    schema: z.enum(['true', 'false']).transform((text) => text === 'true'),
    allowed: 'true or false',
    fallback: 'false',
    help: "Whether containers can reach 169.254.0.0/16, where cloud providers serve the machine's credentials.",
  }),
  secretsDir: optionalVariable({
    name: 'SECRETS_DIR',
    schema: pathSchema,
    allowed: 'an absolute path',
    help: "Folder with the files that workers' secrets name.",
  }),
  handlersDir: optionalVariable({
    name: 'HANDLERS_DIR',
    schema: pathSchema,
    allowed: 'an absolute path',
    help: "Folder with the files that task workers' handlers name; with Docker, a folder on the engine's machine.",
  }),
} as const;
