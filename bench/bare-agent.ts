import { randomUUID } from 'node:crypto';
import { PassThrough } from 'node:stream';
import type Docker from 'dockerode';
import type { Dialogue, DialogueStep } from '../src/agents/dialogue.ts';
import type { AgentKind } from '../src/agents/kind.ts';
import type { WorkerSpec } from '../src/model/index.ts';
import { toContainer } from '../src/runtimes/docker/container.ts';
import { bodyName } from '../src/runtimes/docker/names.ts';

const HOME = '/home/agent';
const WORKSPACE = '/workspace';
const AGENT = '10002:10002';

/** An agent's CLI in a container like a worker's, without the wrapper. */
export class BareAgent {
  readonly #container: Docker.Container;
  readonly #dialogue: Dialogue;
  #stdin: NodeJS.WritableStream | undefined;
  #hear: (step: DialogueStep) => void = () => {};

  private constructor(container: Docker.Container, dialogue: Dialogue) {
    this.#container = container;
    this.#dialogue = dialogue;
  }

  /** Resolves when it accepts prompts. */
  static async start(
    kind: AgentKind,
    spec: WorkerSpec,
    model: string,
    { docker, image, cell }: { docker: Docker; image: string; cell: string },
  ): Promise<BareAgent> {
    const order = { worker_id: randomUUID(), incarnation: 1, spec, spec_hash: 'bench', epoch: 0, env: {} };
    const body = toContainer({ ...order, argv: ['sleep', 'infinity'] }, { cell, image, network: 'bridge' });
    const options = { _query: { name: bodyName(cell, order.worker_id) }, _body: body };
    const container = await docker.createContainer(options as never);
    const agent = new BareAgent(container, kind.dialogue({ workspace: WORKSPACE }));
    try {
      await container.start();
      await agent.#begin(docker, kind, spec, model);
      return agent;
    } catch (error) {
      await agent.stop();
      throw error;
    }
  }

  /** Milliseconds of one turn; rejects if it fails. */
  async turn(prompt: string): Promise<number> {
    const began = performance.now();
    const ended = this.#until(({ ended }) => ended);
    this.#take(this.#dialogue.prompt(prompt));
    const end = await ended;
    if (end?.ok !== true) throw new Error(`The bare agent failed: ${JSON.stringify(end)}`);
    return performance.now() - began;
  }

  async stop(): Promise<void> {
    await this.#container.remove({ force: true, v: true });
  }

  async #begin(docker: Docker, kind: AgentKind, spec: WorkerSpec, model: string): Promise<void> {
    const { argv, env, files } = kind.launch({
      spec,
      workspace: WORKSPACE,
      home: HOME,
      modelProxyUrl: model,
      secrets: [],
      session: undefined,
      root: false,
      policyCommand: undefined,
    });
    // Its files, and then the CLI itself, in one shell, because an exec takes some time to start.
    const write = Object.entries(files).map(
      ([name, text]) =>
        `mkdir -p "$(dirname ${HOME}/${name})"; echo ${Buffer.from(text).toString('base64')} | base64 -d > ${HOME}/${name}`,
    );
    const exec = await this.#container.exec({
      Cmd: ['bash', '-c', [...write, 'exec "$@"'].join('\n'), 'bash', ...argv],
      Env: Object.entries({ HOME, ...spec.env, ...env }).map(([name, value]) => `${name}=${value}`),
      User: AGENT,
      WorkingDir: WORKSPACE,
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
    });
    const stream = await exec.start({ hijack: true, stdin: true });
    this.#stdin = stream;
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    docker.modem.demuxStream(stream, stdout, stderr);
    stderr.resume();
    let rest = '';
    stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line.trim() !== '') this.#take(this.#dialogue.receive(line));
    });
    const ready = this.#until((step) => step.ready);
    this.#take(this.#dialogue.open());
    await ready;
  }

  #take(step: DialogueStep): void {
    if (step.write) this.#stdin?.write(step.write);
    this.#hear(step);
  }

  #until<T>(fits: (step: DialogueStep) => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error('The bare agent sent nothing for a minute.')), 60_000);
      this.#hear = (step) => {
        const found = fits(step);
        if (found === undefined) return;
        clearTimeout(late);
        resolve(found);
      };
    });
  }
}
