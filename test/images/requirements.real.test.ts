/**
 * Debian and Python packages of a worker, built into its image; the Python ones come from the test's own
 * index.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createImages, ImageBuildFailed, type Images, machineCa } from '../../src/images/index.ts';
import { bridgeGateway, dockerAt } from '../support/docker.ts';
import { runIn } from './container.ts';
import { specOf } from './recipes.ts';

const BUILD_MS = 300_000;
const WHEEL = 'wm_probe-1.0-py3-none-any.whl';
/** A minimal wheel with one module and one program. */
const MAKE_WHEEL = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as wheel:
    info = "wm_probe-1.0.dist-info/"
    wheel.writestr("wm_probe.py", "def main(): print('probed')\\n")
    wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: wm-probe\\nVersion: 1.0\\n")
    wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    wheel.writestr(info + "entry_points.txt", "[console_scripts]\\nwm-probe = wm_probe:main\\n")
    wheel.writestr(info + "RECORD", "")
`;

const host = inject('dockerHost');
const docker = dockerAt(host);
let directory: string;
let index: Server;
let images: Images;
let pipIndexUrl: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'requirements-'));
  execFileSync('python3', ['-c', MAKE_WHEEL, join(directory, WHEEL)]);
  index = createServer((request, response) => {
    const known = request.url === '/simple/wm-probe/' || request.url === `/${WHEEL}`;
    if (!known) return response.writeHead(404).end();
    const isFile = request.url?.endsWith('.whl');
    response.writeHead(200, { 'content-type': isFile ? 'application/zip' : 'text/html' });
    response.end(isFile ? readFileSync(join(directory, WHEEL)) : `<a href="/${WHEEL}">${WHEEL}</a>`);
  });
  const address = await bridgeGateway(docker);
  await new Promise<void>((resolve) => index.listen(0, address, resolve));
  pipIndexUrl = `http://${address}:${(index.address() as AddressInfo).port}/simple`;
  images = createImages({ host, version: 'test', ca: machineCa(), pipIndexUrl });
}, BUILD_MS);
afterAll(async () => {
  await images.close();
  await new Promise((resolve) => index.close(resolve));
  await rm(directory, { recursive: true });
});

test('the image of a TASK worker has curl, Python and pip, and the worker’s packages', {
  timeout: BUILD_MS,
}, async () => {
  const spec = specOf({ agent_type: 'TASK', packages: ['jq'], requirements: ['wm-probe==1.0'] });
  const image = await images.buildNow(spec);
  const script =
    'wm-probe && jq -n 1+1 && curl -sf file:///worker/requirements.txt && pip install --dry-run wm-probe 2>&1 | head -1';
  const { code, output } = await runIn(docker, { image, argv: ['sh', '-c', script] });
  expect([code, output.split(/\r?\n/)]).toEqual([
    0,
    ['probed', '2', 'wm-probe==1.0', expect.stringContaining('Requirement already satisfied: wm-probe')],
  ]);
  const image_ = docker.getImage(image);
  const history = (await image_.history()) as { CreatedBy: string }[];
  expect(history.some(({ CreatedBy }) => CreatedBy.includes(pipIndexUrl))).toBe(false);
  expect(JSON.stringify(await image_.inspect())).not.toContain(pipIndexUrl);
});

test('an unknown package fails the build with only the message of pip or apt', {
  timeout: BUILD_MS,
}, async () => {
  const failure = async (fields: object): Promise<string[]> => {
    const error = await images.buildNow(specOf(fields)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ImageBuildFailed);
    return (error as Error).message.split('\n').slice(1);
  };
  expect(await failure({ requirements: ['wm-no-such-package'] })).toEqual([
    'ERROR: Could not find a version that satisfies the requirement wm-no-such-package (from versions: none)',
    'ERROR: No matching distribution found for wm-no-such-package',
  ]);
  const apt = await failure({ packages: ['wm-no-such-package'] });
  expect(apt).toEqual(['E: Unable to locate package wm-no-such-package']);
});
