/** Every module works in an image: a table over all of them, in one image. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import {
  createImages,
  type HostNeeds,
  type Images,
  MODULE_TABLE,
  machineCa,
} from '../../src/images/index.ts';
import { dockerAt } from '../support/docker.ts';
import { runIn } from './container.ts';
import { specOf } from './recipes.ts';

const FIRST_BUILD_MS = 600_000;
/** Packages from PyPI, which not every machine that runs tests can reach. */
const PYPI = 'https://pypi.org/simple/copier/';
const reachable = await fetch(PYPI, { method: 'HEAD', signal: AbortSignal.timeout(5000) })
  .then(({ ok }) => ok)
  .catch(() => false);
const NOT_HERE = reachable ? [] : ['COPIER'];

const docker = dockerAt(inject('dockerHost'));
const modules = MODULE_TABLE.map(({ name }) => name).filter((name) => !NOT_HERE.includes(name));
let images: Images;
let image: string;
beforeAll(async () => {
  images = createImages({ host: inject('dockerHost'), version: 'test', ca: machineCa() });
  image = await images.buildNow(specOf({ modules }));
}, FIRST_BUILD_MS);
afterAll(() => images.close());

test.for(MODULE_TABLE.map((module) => [module.name, module] as const))(
  '%s',
  async ([name, module], context) => {
    const missing = NOT_HERE.includes(name);
    if (missing) console.log(`${name} is not proven here: ${PYPI} cannot be reached.`);
    context.skip(missing, `${PYPI} cannot be reached.`);
    const { proof, host } = module;
    const argv = host ? ['sh', '-c', SERVED, 'sh', name.toLowerCase(), ...proof] : proof;
    const ran = await runIn(
      docker,
      host ? { image, argv, user: '0:0', host: toHost(host) } : { image, argv },
    );
    expect(ran, ran.output).toMatchObject({ code: 0 });
  },
);

/** As the image's entry does: what the module runs beside the agent is started as the agent, and then the proof. */
const SERVED = `
name=$1; shift
[ ! -e /dev/net/tun ] || chmod 666 /dev/net/tun
exec setpriv --reuid 10002 --regid 10002 --clear-groups env HOME=/home/agent sh -c '
  sh "/worker/services/$0.sh" && exec "$@"' "$name" "$@"`;

function toHost({ capAdd, securityOpt, systemPaths, devices, volumes }: HostNeeds) {
  return {
    CapAdd: capAdd,
    SecurityOpt: securityOpt,
    ...(systemPaths && { MaskedPaths: [], ReadonlyPaths: [] }),
    Devices: devices.map((path) => ({ PathOnHost: path, PathInContainer: path, CgroupPermissions: 'rwm' })),
    Mounts: volumes.map((Target) => ({ Type: 'volume' as const, Source: '', Target })),
  };
}
