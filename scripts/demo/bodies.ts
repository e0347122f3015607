import { readFileSync } from 'node:fs';
import type Docker from 'dockerode';

/** What tells one body from any other, with words for people. */
export interface Fingerprint {
  /** Changes with every new process or container. */
  exact: string;
  shown: string;
}

/** Looks at the body itself, past the manager. `pid` is what the wrapper told of its agent. */
export async function fingerprint(
  runtime: string,
  bodyId: string,
  pid: number,
  docker: Docker | undefined,
): Promise<Fingerprint> {
  if (runtime === 'docker' && docker) {
    const { Id, State } = await docker.getContainer(bodyId).inspect();
    return {
      exact: `${Id} ${State.Pid} ${State.StartedAt}`,
      shown: `container ${Id.slice(0, 12)}, pid ${State.Pid}`,
    };
  }
  return { exact: `${bodyId} ${pid} ${startOf(pid)}`, shown: `process ${pid}` };
}

/** When a process began, in ticks since the boot; empty where there is no /proc. Throws where it is dead. */
function startOf(pid: number): string {
  process.kill(pid, 0);
  if (process.platform !== 'linux') return '';
  return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19] ?? '';
}
