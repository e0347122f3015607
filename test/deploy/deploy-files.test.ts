/** The files in deploy/ agree with the product and with their documentation. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { isOwned } from '../../deploy/engine-proxy/bodies.ts';
import { findRule, RULES, toPath } from '../../deploy/engine-proxy/rules.ts';
import { VARIABLES } from '../../src/config/variables.ts';
import { LABEL } from '../../src/model/index.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const unit = read('deploy/systemd/worker-manager.service');
const SETTINGS = new Set<string>(Object.values(VARIABLES).map(({ name }) => name));

test('the compose file and the unit set only variables that the manager has', () => {
  const { services } = parse(read('deploy/compose.yaml'), { merge: true });
  const inUnit = [...unit.matchAll(/^Environment=(.*)$/gm)].flatMap(([, line = '']) =>
    [...line.matchAll(/(\w+)=/g)].map(([, name]) => name),
  );
  const used = [...Object.keys(services.manager.environment), ...inUnit];
  expect(used.filter((name) => !SETTINGS.has(name ?? ''))).toEqual(['PATH', 'NODE_ENV']);
});

test('the unit never ends a direct worker', () => {
  for (const line of [
    'KillMode=process',
    'OOMPolicy=continue',
    'RemoveIPC=no',
    'PrivateTmp=no',
    'Delegate=yes',
  ])
    expect(unit).toContain(`\n${line}\n`);
});

test('docs/deploy.md lists every call that the engine proxy allows', () => {
  const page = read('docs/deploy.md');
  for (const { method, path } of RULES) expect(page).toContain(`\`${method} ${path}\``);
});

test('the engine proxy knows the labels of the manager', () => {
  expect(isOwned({ [LABEL.managed]: 'true' }, {})).toBe(true);
  expect(isOwned({ [LABEL.managed]: 'true', [LABEL.cell]: 'a' }, { cell: 'a' })).toBe(true);
  expect(isOwned({ [LABEL.managed]: 'true', [LABEL.cell]: 'a' }, { cell: 'b' })).toBe(false);
});

describe('the rules of the engine proxy', () => {
  test.each([
    ['GET', '/v1.41/containers/json?all=true'],
    ['GET', '/_ping'],
    ['POST', '/v1.41/containers/wm-1/kill?signal=SIGTERM'],
    ['GET', '/images/registry.example:5000/team/base:1.0@sha256:abc/json'],
    ['DELETE', '/v1.47/images/worker:0123456789ab?force=false'],
  ])('%s %s is allowed, and sent on as it is', (method, url) => {
    const match = findRule(method, url);
    expect(match).toBeTypeOf('object');
    if (typeof match === 'object') expect(toPath(match)).toBe(url);
  });

  test.each([
    ['GET', '/v1.41/containers/json/', 'not on the list'],
    ['GET', '/v2/containers/json', 'not on the list'],
    ['GET', '/containers/../volumes/json', 'not on the list'],
    ['GET', '/containers/a%2fb/json', 'not on the list'],
    ['GET', '/images/a/../../volumes/json', 'not on the list'],
    ['GET', '/images//json', 'not on the list'],
    ['PUT', '/containers/a/archive', 'not on the list'],
    ['POST', '/containers/prune', 'not on the list'],
    ['POST', '/containers/a/kill?signal=SIGSTOP', 'signal must match'],
    ['POST', '/containers/a/kill?signal=SIGKILL&signal=SIGTERM', 'signal is repeated'],
    ['POST', '/containers/create?name=redis', 'name must match'],
    ['POST', '/build?t=worker:0123456789ab&remote=x', 'remote is not allowed'],
    ['DELETE', '/images/debian:12', 'not on the list'],
  ])('%s %s is refused: %s', (method, url, why) => {
    expect(findRule(method, url)).toContain(why);
  });
});
