/** What `serve` refuses before it starts anything. */
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { type CliDeps, runCli } from '../../../src/cli/index.ts';
import { readSettings } from '../../../src/config/settings.ts';

/** The code of `wm serve` in a checkout, what it printed, and the runtimes that it served with. */
async function serve(runtime: string, built: boolean) {
  const settings = async () => readSettings({ HOME: '/home/someone', RUNTIME: runtime });
  const stderr = new PassThrough();
  const served: string[] = [];
  const parts: Partial<CliDeps> = {
    version: '0',
    settings,
    managerSettings: settings,
    wrapperIsBuilt: () => built,
    serve: async (given) => void served.push(given.runtime),
    stdout: new PassThrough() as unknown as NodeJS.WriteStream,
    stderr: stderr as unknown as NodeJS.WriteStream,
  };
  const code = await runCli(['serve'], parts as CliDeps);
  return { code, said: String(stderr.read() ?? ''), served };
}

// It was ready, and failed every direct worker with "Node.js v24".
test.each(['auto', 'process'])(
  'without the bundle of the wrapper, RUNTIME=%s does not start',
  async (runtime) => {
    const { code, said, served } = await serve(runtime, false);
    expect({ code, served }).toEqual({ code: 1, served: [] });
    expect(said).toMatch(/dist\/wrapper\.mjs, which is not built.*npm run build/);
  },
);

test('Docker alone needs no bundle, and with one any runtime starts', async () => {
  expect(await serve('docker', false)).toEqual({ code: 0, said: '', served: ['docker'] });
  expect(await serve('auto', true)).toEqual({ code: 0, said: '', served: ['auto'] });
});
