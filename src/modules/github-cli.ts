import type { Module } from './module.ts';

/** `gh`. It runs git for most of what it does, so git comes with it. */
export const githubCli: Module = {
  name: 'GITHUB_CLI',
  debian: ['gh', 'git'],
  proof: ['sh', '-c', 'gh --version && git --version'],
};
