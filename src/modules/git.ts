import type { Module } from './module.ts';

export const git: Module = {
  name: 'GIT',
  debian: ['git', 'openssh-client'],
  proof: [
    'sh',
    '-c',
    'cd "$(mktemp -d)" && git init -q . && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m first && git log --oneline',
  ],
};
