/**
 * Which addresses the URL of a worker may name. The client that creates a worker must not reach through the manager what
 * it cannot reach itself: other services of this machine, of its network, or the cloud's metadata.
 */
import { Resolver } from 'node:dns/promises';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { errorMessage } from '../model/index.ts';

/** Special-purpose addresses that are not globally reachable, from the registries of IANA. */
const PRIVATE: Record<'ipv4' | 'ipv6', readonly string[]> = {
  ipv4: [
    ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12'],
    ...['192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15'],
    ...['198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
  ],
  // Also the prefixes that translate to IPv4, because the address behind them may be any.
  ipv6: [
    ...[
      '::/96',
      '::ffff:0:0:0/96',
      '64:ff9b::/96',
      '64:ff9b:1::/48',
      '100::/64',
      '2001::/23',
      '2001:db8::/32',
      '2002::/16',
    ],
    ...['3fff::/20', '5f00::/16', 'fc00::/7', 'fe80::/10', 'fec0::/10', 'ff00::/8'],
  ],
};

const blocked = new BlockList();
for (const [family, ranges] of Object.entries(PRIVATE))
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/');
    blocked.addSubnet(address, Number(prefix), family as 'ipv4' | 'ipv6');
  }

/** Whether an address is loopback, link-local, private or of another special purpose. */
export function isPrivateAddress(address: string): boolean {
  const family = isIP(address);
  // Node compares IPv4 addresses that are mapped to IPv6 with the ranges of IPv4.
  return family === 0 || blocked.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

/** Names that resolve to this machine or its network by convention. */
const PRIVATE_NAME = /(^|\.)(localhost|local|internal|intranet|home\.arpa|localdomain)\.?$/i;

/** Why a worker may not use this URL, as far as its host shows it; `undefined` if it may. */
export function explainPrivateHost(url: string): string | undefined {
  const { hostname } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const isPrivate =
    isIP(host) !== 0 ? isPrivateAddress(host) : PRIVATE_NAME.test(host) || !host.includes('.');
  return isPrivate
    ? `names ${host}, which is a loopback, link-local or private address; the operator can allow these with WEBHOOK_ALLOW_PRIVATE=true`
    : undefined;
}

/** Milliseconds and tries of one question to a DNS server. */
const DNS = { timeout: 2000, tries: 2 };

/**
 * Resolves names for connections and refuses private addresses. An address is resolved once, and the answer that was checked is the
 * one that is used, so a name cannot lead elsewhere between the two. It asks the DNS servers directly (those of the system, if none
 * are given), because `getaddrinfo` occupies one of the few threads that file access needs.
 */
export const createPublicLookup =
  (servers?: readonly string[]): LookupFunction =>
  (hostname, options, callback) => {
    const resolver = new Resolver(DNS);
    if (servers) resolver.setServers(servers);
    void Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]).then(
      ([four, six]) => {
        const found = [
          ...(four.status === 'fulfilled' ? four.value.map((address) => ({ address, family: 4 })) : []),
          ...(six.status === 'fulfilled' ? six.value.map((address) => ({ address, family: 6 })) : []),
        ];
        const [first] = found;
        const bad = found.find(({ address }) => isPrivateAddress(address));
        if (!first) {
          const why = four.status === 'rejected' ? errorMessage(four.reason) : 'it has no address';
          return callback(new Error(`cannot resolve ${hostname}: ${why}`), '', 0);
        }
        if (bad) return callback(new Error(`${hostname} has the private address ${bad.address}`), '', 0);
        return options.all ? callback(null, found) : callback(null, first.address, first.family);
      },
    );
  };
