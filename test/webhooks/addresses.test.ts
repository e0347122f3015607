import { expect, test } from 'vitest';
import { createPublicLookup, explainPrivateHost } from '../../src/webhooks/addresses.ts';

test.each([
  ...[
    'http://127.0.0.1/',
    'http://127.1:8080/',
    'http://2130706433/',
    'http://0x7f.0.0.1/',
    'http://0177.0.0.1/',
  ],
  ...[
    'http://0.0.0.0/',
    'http://10.0.0.1/',
    'http://172.31.255.255/',
    'http://192.168.1.1/',
    'http://100.64.0.1/',
  ],
  ...[
    'http://169.254.169.254/latest/meta-data',
    'http://198.18.0.1/',
    'http://224.0.0.1/',
    'http://255.255.255.255/',
  ],
  ...[
    'http://[::1]/',
    'http://[::]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:7f00:1]/',
    'http://[::ffff:0:127.0.0.1]/',
    'http://[0:0:0:0:0:0:0:1]/',
    'http://[fe80::1]/',
  ],
  ...['http://[fd00::1]/', 'http://[64:ff9b::7f00:1]/', 'http://[2002:7f00:1::]/', 'http://[ff02::1]/'],
  ...[
    'http://localhost/',
    'http://LOCALHOST./',
    'http://a.localhost/',
    'http://redis/',
    'http://printer.local/',
  ],
  ...['http://metadata.google.internal/', 'http://127.0.0.1%2e/', 'http://①②⑦.⓪.⓪.①/'],
])('%s is private', (url) => {
  expect(explainPrivateHost(url)).toMatch(/WEBHOOK_ALLOW_PRIVATE/);
});

test.each([
  ...[
    'https://example.com/hook',
    'http://93.184.215.14/',
    'http://[2606:2800:21f:cb07::1]/',
    'http://11.0.0.1/',
  ],
  ...[
    'http://172.32.0.1/',
    'http://192.169.0.1/',
    'http://localhost.example.com/',
    'http://[::ffff:5db8:d70e]/',
  ],
])('%s is public', (url) => {
  expect(explainPrivateHost(url)).toBeUndefined();
});

test('a name that cannot be resolved is an error of the connection', async () => {
  const error = await new Promise<Error | null>((resolve) => {
    createPublicLookup()('does-not-exist.invalid', {}, (failed) => resolve(failed));
  });
  expect(error?.message).toContain('cannot resolve does-not-exist.invalid');
});
