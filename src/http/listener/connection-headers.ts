/** Headers that apply to one connection (RFC 9110, 7.6.1) or that Node writes itself; a forwarder drops them. */
export const CONNECTION_HEADERS = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'proxy-authenticate',
  'proxy-authorization',
  'expect',
];
