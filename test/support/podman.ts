/** Podman's Docker API, as far as a manager asks: Podman 5.4.2 of Debian trixie answered `GET /version` like this. */
import { createServer } from 'node:http';

export const PODMAN_VERSION = {
  Platform: { Name: 'linux/amd64/debian-13' },
  Components: [
    {
      Name: 'Podman Engine',
      Version: '5.4.2',
      Details: { APIVersion: '5.4.2', MinAPIVersion: '4.0.0', Os: 'linux' },
    },
    { Name: 'Conmon', Version: 'conmon version 2.1.12, commit: unknown' },
    { Name: 'OCI Runtime (crun)', Version: 'crun version 1.21' },
  ],
  Version: '5.4.2',
  ApiVersion: '1.41',
  MinAPIVersion: '1.24',
};

/** Listens on a socket and answers every request with that version. */
export async function startPodman(socket: string): Promise<{ stop(): Promise<void> }> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(PODMAN_VERSION));
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return {
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
