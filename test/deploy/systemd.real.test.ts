/** systemd's own judgment of the unit; it needs the package systemd, but no running systemd. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { has } from '../../scripts/ensure-docker.ts';

const UNIT = join(import.meta.dirname, '../../deploy/systemd/worker-manager.service');
/** systemd calls a service below 3 "OK"; without any protection it is 9.6. */
const MOST = 2.5;

const missing = has('systemd-analyze') ? undefined : 'There is no systemd-analyze here (Debian: systemd).';
if (missing) console.info(`[deploy] skipped: ${missing}`);

test.skipIf(missing)('systemd accepts the unit without a warning, and rates its protection', () => {
  const verify = spawnSync('systemd-analyze', ['verify', '--man=no', UNIT], { encoding: 'utf8' });
  expect(`${verify.stdout}${verify.stderr}`).toBe('');
  expect(verify.status).toBe(0);

  const { stdout } = spawnSync('systemd-analyze', ['security', '--no-pager', '--offline=true', UNIT], {
    encoding: 'utf8',
  });
  const score = /exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1];
  console.info(`[deploy] systemd-analyze security: ${score} of 10 (lower is better)`);
  expect(Number(score)).toBeLessThan(MOST);
});
