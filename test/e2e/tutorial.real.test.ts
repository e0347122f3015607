/** The tutorial's commands work as they are printed, with the real Claude Code and a stand-in for its model. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { bridgeGateway, dockerAt } from '../support/docker.ts';
import { startManagerShell, withDocker } from '../support/manager-shell.ts';
import { startModel } from '../support/model/index.ts';
import { readSessions } from './sessions.ts';

const ROOT = join(import.meta.dirname, '../..');
/** What the model does with the tutorial's prompt; the stand-in does what a prompt says. */
const SCRIPT = `[[tool Write {"file_path":"/workspace/hello.txt","content":"hello, world\\n"}]] [[say Done.]]`;
const LONGEST_MS = 300_000;

test('the tutorial works as it is printed', { timeout: LONGEST_MS }, async () => {
  const text = readFileSync(join(ROOT, 'docs/tutorial.md'), 'utf8');
  const lines = readSessions(text, 'tutorial');
  expect(lines.length).toBeGreaterThan(6);
  const host = inject('dockerHost');
  const model = await startModel({ host: await bridgeGateway(dockerAt(host)) });
  const secrets = await mkdtemp(join(tmpdir(), 'wm-tutorial-'));
  await writeFile(join(secrets, 'ANTHROPIC_API_KEY'), 'sk-tutorial', { mode: 0o600 });
  const { bash } = await startManagerShell({
    ...withDocker(),
    RUNTIME: 'docker',
    WORKER_REDIS_URL: inject('bodyRedisUrl'),
    SECRETS_DIR: secrets,
    RESTART_BACKOFF_SECONDS: '0.1',
  });
  onTestFinished(async () => {
    await rm(secrets, { recursive: true });
    await model.close();
  });
  const shell = (command: string) =>
    bash(
      `${command
        .replace('wm create ', `wm create --timeout 4m --env ANTHROPIC_BASE_URL=${model.url} `)
        .replace(/"Write a file [^"]*"/, `'${SCRIPT}'`)} || true`,
    );
  for (const { command, printed } of lines) {
    if (command.startsWith('wm send')) expect(await shell(command)).toContain('Done.');
    // The new container takes a moment.
    else if (/^wm (exec|status) /.test(command))
      await expect.poll(() => shell(command), { timeout: 60_000, message: command }).toBe(printed);
    else expect(withoutIds(await shell(command)), command).toBe(withoutIds(printed));
  }
  expect(JSON.stringify(model.requests.at(-1)?.credential)).toContain('sk-tutorial');
});

const withoutIds = (text: string) => text.replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<id>');
