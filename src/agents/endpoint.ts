import type { AgentKind, Credential } from './kind.ts';

/**
 * Where a worker's model proxy sends requests, and which delivered credentials it adds to them. `url` is
 * undefined if the agent has no known model.
 */
export function resolveEndpoint(
  kind: AgentKind,
  env: Record<string, string> | undefined,
  secrets: readonly string[],
): { url: string | undefined; credentials: Credential[] } {
  const delivered = kind.credentials.filter(({ secret }) => secrets.includes(secret));
  const addressOf = (credential: Credential) => credential.model ?? kind.model;
  // An address in `env` takes precedence over credentials, because some endpoints need none.
  const named = kind.model && env?.[kind.model.variable] !== undefined ? kind.model : undefined;
  const address = named ?? (delivered[0] ? addressOf(delivered[0]) : kind.model);
  return {
    url: address && (env?.[address.variable] ?? address.url),
    credentials: delivered.filter((credential) => addressOf(credential) === address),
  };
}
