import { existsSync } from 'node:fs';

/** Where Debian's and Red Hat's families keep the certificates that the machine trusts. */
const BUNDLES = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt'];

/** The machine's own bundle, with which builds work behind a proxy that inspects TLS; `undefined` where it has none. */
export function machineCa(): string | undefined {
  return BUNDLES.find((path) => existsSync(path));
}
