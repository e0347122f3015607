import type { Module } from './module.ts';

const VERSION = '9.19.1';

/** Copier, from PyPI, in an environment of its own. It reads templates with git. */
export const copier: Module = {
  name: 'COPIER',
  debian: ['python3', 'git'],
  stage: [
    'RUN apt-get update && apt-get install -y --no-install-recommends python3-venv git',
    'COPY ca.crt /ca.crt',
    'ARG PIP_INDEX_URL',
    'ARG PIP_TRUSTED_HOST',
    [
      'RUN if [ -s /ca.crt ]; then export PIP_CERT=/ca.crt; fi',
      ' && python3 -m venv /opt/copier',
      ` && /opt/copier/bin/pip install --no-cache-dir --disable-pip-version-check copier==${VERSION}`,
    ].join(' \\\n'),
  ],
  lines: [
    'COPY --from=copier /opt/copier /opt/copier',
    'RUN ln -s /opt/copier/bin/copier /usr/local/bin/copier',
  ],
  proof: [
    'sh',
    '-c',
    'cd "$(mktemp -d)" && mkdir t && echo hi > t/a.txt && copier copy --defaults t out && test -f out/a.txt',
  ],
};
