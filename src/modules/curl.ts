import type { Module } from './module.ts';

export const curl: Module = {
  name: 'CURL',
  debian: ['curl'],
  // Whether it knows https; a server to ask is not part of an image.
  proof: ['sh', '-c', 'curl --version | grep -qw https && curl -sf file:///etc/hostname'],
};
