import { readFileSync } from 'node:fs';
import type Docker from 'dockerode';

/** Identifies a body, with a description for people. */
export interface Fingerprint {
  /** Changes with every new process or container. */
  exact: string;
  shown: string;
}

/** Inspects the body directly, without the manager. `pid` is the agent's, as the wrapper reported it. */
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

/** The start time of a process, in ticks since boot; empty if there is no /proc. Throws if the process is dead. */
function startOf(pid: number): string {
  process.kill(pid, 0);
  if (process.platform !== 'linux') return '';
  return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19] ?? '';
}
