/** The health that the leading manager reports, as checks of `doctor`. */
import { errorMessage } from '../../model/index.ts';
import type { DoctorCheck } from './doctor-check.ts';

/** A manager answers health requests immediately or not at all. */
const ANSWER_MS = 3000;
/** Checked from here as well, with more details. */
const OWN = /^(redis|redis_settings|store|runtime_.*)$/;

/** The failing checks of `/readyz`; one hint if nothing answers at the configured address. */
export async function* healthChecks(settings: {
  httpHost: string;
  httpPort: number;
}): AsyncGenerator<DoctorCheck> {
  const url = readyUrl(settings);
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
    const { checks } = (await answer.json()) as { checks: Record<string, { ok: boolean; message: string }> };
    for (const [name, { ok, message }] of Object.entries(checks)) {
      const advice = "See the manager's log for details.";
      if (!ok && !OWN.test(name)) yield { name: `Manager ${name}`, state: 'bad', found: message, advice };
    }
  } catch (error) {
    yield {
      name: 'Manager health',
      state: 'hint',
      // `fetch failed` does not help; its cause does.
      found: `no report at ${url}: ${errorMessage((error as { cause?: unknown }).cause ?? error)}`,
      advice: "Set HTTP_HOST and HTTP_PORT to the manager's values, or run this on its machine.",
    };
  }
}

function readyUrl({ httpHost, httpPort }: { httpHost: string; httpPort: number }): string {
  const host = httpHost === '0.0.0.0' || httpHost === '::' ? '127.0.0.1' : httpHost;
  return `http://${host.includes(':') ? `[${host}]` : host}:${httpPort}/readyz`;
}
