import { execFile } from 'node:child_process';
import type { Check } from './check.ts';

const RULE = 'iptables -I DOCKER-USER -d 169.254.0.0/16 -j REJECT';
const LISTING_MS = 3000;

/** Whether containers are kept from link-local addresses, where clouds answer with the credentials of the machine. */
export function linkLocalCheck(): Promise<Check> {
  return new Promise((resolve) =>
    execFile('iptables', ['-w', '2', '-S', 'DOCKER-USER'], { timeout: LISTING_MS }, (error, rules) =>
      resolve(judgeRules(error ? undefined : rules)),
    ),
  );
}

/** `rules` is what `iptables -S DOCKER-USER` prints; `undefined` if it cannot be asked. Pure. */
export function judgeRules(rules: string | undefined): Check {
  const name = 'Link-local addresses';
  const cut = rules?.split('\n').some((line) => /-d 169\.254\.0\.0\/16 .*-j (REJECT|DROP)/.test(line));
  if (cut) return { name, state: 'ok', found: 'containers do not reach 169.254.0.0/16' };
  const found =
    rules === undefined
      ? 'the rules of the firewall cannot be read here; containers may reach 169.254.0.0/16'
      : 'containers reach 169.254.0.0/16, where clouds hand out credentials of the machine';
  return { name, state: 'hint', found, advice: `On the machine of the engine, as root: ${RULE}` };
}
