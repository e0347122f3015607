import { existsSync } from 'node:fs';

/** Paths of the trusted certificates on Debian and Red Hat systems. */
const BUNDLES = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt'];

/**
 * The machine's own bundle, needed for builds behind a proxy that inspects TLS; `undefined` if there is none.
 */
export function machineCa(): string | undefined {
  return BUNDLES.find((path) => existsSync(path));
}
