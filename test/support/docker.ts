/** The daemon of the test run, for tests that look at the world past the runtime, or put something in its way. */
import Docker from 'dockerode';
import { toConnection } from '../../src/runtimes/docker/client.ts';

/** A plain client on the run's daemon; `host` is `inject('dockerHost')`. */
export function dockerAt(host: string): Docker {
  return new Docker(toConnection(host));
}

/** The address of the machine on the daemon's default bridge: what a container reaches it by. */
export async function bridgeGateway(docker: Docker): Promise<string> {
  const network = await docker.getNetwork('bridge').inspect();
  const { Gateway, Subnet } = network.IPAM?.Config?.[0] ?? {};
  // An engine that made the bridge in this very run reports only the subnet; the bridge has its first address.
  const gateway: string | undefined = Gateway ?? Subnet?.replace(/\.\d+\/\d+$/, '.1');
  if (!gateway) throw new Error('The daemon has no default bridge; tests need one.');
  return gateway;
}
