/** The health of the manager that serves this page. It needs no token. */
export interface Health {
  status: 'ok' | 'failing';
  checks: Record<string, { ok: boolean; message: string }>;
}

/** It is answered with 503 if something is wrong, with the same body. */
export async function readHealth(signal: AbortSignal): Promise<Health> {
  const response = await fetch(new URL('healthz', location.href.replace(/#.*$/s, '')), {
    signal,
    cache: 'no-store',
  });
  return (await response.json()) as Health;
}
