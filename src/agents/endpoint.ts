import type { AgentKind, Credential } from './kind.ts';

/**
 * Where the gateway of a worker leads, and which of the delivered credentials it adds to requests. `url` is undefined
 * where the agent has no model that is known here.
 */
export function resolveEndpoint(
  kind: AgentKind,
  env: Record<string, string> | undefined,
  secrets: readonly string[],
): { url: string | undefined; credentials: Credential[] } {
  const delivered = kind.credentials.filter(({ secret }) => secrets.includes(secret));
  const addressOf = (credential: Credential) => credential.model ?? kind.model;
  // An address in `env` decides before the credentials do: some endpoints want none.
  const named = kind.model && env?.[kind.model.variable] !== undefined ? kind.model : undefined;
  const address = named ?? (delivered[0] ? addressOf(delivered[0]) : kind.model);
  return {
    url: address && (env?.[address.variable] ?? address.url),
    credentials: delivered.filter((credential) => addressOf(credential) === address),
  };
}
