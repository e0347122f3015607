import type { IncomingMessage } from 'node:http';
import type Docker from 'dockerode';

/** The two builders of Docker: BuildKit, and the one before it, which newer engines deprecate. */
export type Builder = 'buildkit' | 'classic';

/** How long an engine may take to answer a ping before its build starts. */
const PING_MS = 10_000;

/**
 * The builder that the engine recommends: BuildKit since Docker 23, unless its configuration says otherwise
 * (`"features": {"buildkit": false}`). Engines before that, and others with Docker's API, name none.
 */
export async function builderOf(docker: Docker): Promise<Builder> {
  const answer = await ping(docker);
  answer.resume();
  return answer.headers['builder-version'] === '2' ? 'buildkit' : 'classic';
}

/** dockerode's own `ping` returns the body alone. */
function ping(docker: Docker): Promise<IncomingMessage> {
  const options = {
    path: '/_ping',
    method: 'GET',
    isStream: true,
    abortSignal: AbortSignal.timeout(PING_MS),
    statusCodes: { 200: true },
  };
  return new Promise((resolve, reject) => {
    docker.modem.dial(options as never, (error: unknown, answer: unknown) =>
      error ? reject(error) : resolve(answer as IncomingMessage),
    );
  });
}
