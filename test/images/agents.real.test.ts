/** The images of the agents' CLIs, built by the daemon from the registry's packages. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createImages, type Images, machineCa } from '../../src/images/index.ts';
import type { AgentType } from '../../src/model/index.ts';
import { dockerAt } from '../support/docker.ts';
import { runIn } from './container.ts';
import { specOf } from './recipes.ts';

/** A first build downloads several hundred megabytes; with the daemon's cache it takes a second. */
const FIRST_BUILD_MS = 600_000;
const AGENTS: [AgentType, string, string][] = [
  ['CLAUDE', 'claude', '2.1.329'],
  ['FACTORY', 'droid', '0.215.0'],
  ['CODEX', 'codex', '0.169.0'],
];

const docker = dockerAt(inject('dockerHost'));
const names = new Map<AgentType, string>();
let images: Images;
beforeAll(async () => {
  images = createImages({ host: inject('dockerHost'), version: 'test', ca: machineCa() });
  for (const [agent_type] of AGENTS) names.set(agent_type, await images.buildNow(specOf({ agent_type })));
}, FIRST_BUILD_MS);
afterAll(() => images.close());

const imageOf = (type: AgentType) => names.get(type) ?? '';

test.each(AGENTS)(
  '%s answers as the agent with an empty environment, and without node',
  async (type, program, version) => {
    const image = imageOf(type);
    const alone = ['env', '-i', `/usr/local/bin/${program}`, '--version'];
    const { code, output } = await runIn(docker, { image, argv: alone });
    expect(output).toContain(version);
    expect(code).toBe(0);
    const node = await runIn(docker, { image, argv: ['sh', '-c', 'exec node --version'] });
    expect(node).toMatchObject({ code: 126, output: expect.stringContaining('Permission denied') });
  },
);

test.each(AGENTS)('%s cannot change its own program, the wrapper or the entry', async (type, program) => {
  const paths = [
    `/usr/local/bin/${program}`,
    '/usr/local/bin',
    '/worker',
    '/worker/wrapper.mjs',
    '/worker/entry',
  ];
  const argv = [
    'sh',
    '-c',
    `for path in ${paths.join(' ')}; do test -e $path && test ! -w $path || echo $path; done`,
  ];
  expect(await runIn(docker, { image: imageOf(type), argv })).toEqual({ code: 0, output: '' });
});

test('images report their agent and their base', async () => {
  for (const [type] of AGENTS) {
    const { Config } = await docker.getImage(imageOf(type)).inspect();
    expect(Config.Labels).toMatchObject({
      'worker-manager.managed': 'true',
      'worker-manager.agent-type': type,
      // The label is that of the first test that built it in this run.
      'org.opencontainers.image.version': expect.stringMatching(/^(test|\d+\.\d+\.\d+)$/),
      'org.opencontainers.image.base.digest': expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      'org.opencontainers.image.base.name': expect.any(String),
    });
    expect(Date.parse(Config.Labels['org.opencontainers.image.created'] ?? '')).toBeGreaterThan(0);
    expect(Config.Entrypoint).toEqual(['/worker/entry']);
    expect(Config.User).toMatch(/^(root|0)?$/);
  }
});

test('images share all layers below their programs', async () => {
  const [first = [], ...others] = await Promise.all(AGENTS.map(([type]) => layersOf(imageOf(type))));
  const differs = first.findIndex((layer, index) => others.some((layers) => layers[index] !== layer));
  const base = await layersOf(inject('baseImage'));
  expect(differs).toBe(base.length + 1);
});

/** The form of a file name in an archive. */
const FILE = `ca.crt${'\0'.repeat(64)}`;

/** Whatever of it the base image does not trust already is this machine's own, such as a proxy's certificate. */
test("the build's certificates are in no layer", { timeout: 180_000 }, async (context) => {
  const ca = machineCa();
  if (!ca) return context.skip('This machine has no bundle of certificates.');
  const argv = ['sh', '-c', 'cat /etc/ssl/certs/ca-certificates.crt 2>/dev/null || true'];
  const { output } = await runIn(docker, { image: imageOf('CLAUDE'), argv });
  // Single certificates are in Node and in the agent's CLI as well; only the bundle contains two in a row.
  const ours = seamsOf(await readFile(ca, 'utf8')).filter((seam) => !output.includes(seam));
  const marks = [FILE, ...ours.slice(0, 3)].map((text) => Buffer.from(text));
  const found = await findInLayers(imageOf('CLAUDE'), [...marks, Buffer.from('wrapper.mjs')]);
  // The last one must be found; otherwise nothing was searched.
  expect(found).toEqual(['wrapper.mjs']);
  if (ours.length === 0)
    console.log('This machine trusts nothing of its own: only the file’s name was searched for.');
});

/** The end of each certificate of a bundle with the beginning of the next one. */
const seamsOf = (bundle: string): string[] =>
  bundle.match(/[^\n]+\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\n(?=[^\n]{64}\n)[^\n]+/g) ??
  [];

/** The layer of a step that changes no file, such as WORKDIR: BuildKit stores one, the classic builder does not. */
const EMPTY_LAYER = 'sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef';

async function layersOf(image: string): Promise<string[]> {
  const layers: string[] = (await docker.getImage(image).inspect()).RootFS.Layers ?? [];
  return layers.filter((layer) => layer !== EMPTY_LAYER);
}

/** More than a mark has: one may lie across two chunks. */
const MARK_BYTES = 512;

/** The marks that occur in what `docker save` gives out, other than in the Dockerfile's commands. */
async function findInLayers(image: string, marks: Buffer[]): Promise<string[]> {
  const found = new Set<string>();
  let rest = Buffer.alloc(0);
  for await (const chunk of (await docker.getImage(image).get()) as AsyncIterable<Buffer>) {
    const text = Buffer.concat([rest, chunk]);
    for (const mark of marks) if (text.includes(mark)) found.add(mark.toString());
    rest = text.subarray(Math.max(0, text.length - MARK_BYTES));
  }
  return [...found];
}
