import type { IncomingMessage } from 'node:http';
import type Docker from 'dockerode';

/** Docker's two builders: BuildKit, and the classic one, which newer engines deprecate. */
export type Builder = 'buildkit' | 'classic';

/** Timeout of the ping before a build starts. */
const PING_MS = 10_000;

/**
 * The builder that the engine recommends: BuildKit since Docker 23, unless its configuration disables it
 * (`"features": {"buildkit": false}`). Older engines, and others with Docker's API, recommend none.
 */
export async function builderOf(docker: Docker): Promise<Builder> {
  const answer = await ping(docker);
  answer.resume();
  return answer.headers['builder-version'] === '2' ? 'buildkit' : 'classic';
}

/** dockerode's own `ping` returns only the body. */
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
