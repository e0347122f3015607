/** Runs one command in a container of an image, without the manager; returns its output and exit. */
import { PassThrough } from 'node:stream';
import type Docker from 'dockerode';

export interface Command {
  image: string;
  argv: string[];
  /** `10002:10002` where not given: the agent, in no group of programs. */
  user?: string;
  host?: Docker.HostConfig;
}

export interface Outcome {
  code: number;
  output: string;
}

/** Runs it to its end; the container is removed whatever happens. */
export async function runIn(docker: Docker, { image, argv, user, host }: Command): Promise<Outcome> {
  const container = await docker.createContainer({
    _query: {},
    _body: {
      Image: image,
      Entrypoint: argv,
      Cmd: [],
      User: user ?? '10002:10002',
      HostConfig: { NetworkMode: 'none', CapDrop: ['ALL'], Init: true, ...host },
    },
  } as never);
  try {
    const stream = await container.attach({ stream: true, stdout: true, stderr: true });
    const text = new PassThrough();
    const chunks: Buffer[] = [];
    text.on('data', (chunk: Buffer) => chunks.push(chunk));
    docker.modem.demuxStream(stream, text, text);
    const ended = new Promise((resolve) => stream.once('end', resolve));
    await container.start();
    const { StatusCode } = await container.wait();
    await ended;
    return { code: StatusCode, output: Buffer.concat(chunks).toString().trim() };
  } finally {
    await container.remove({ force: true, v: true });
  }
}
