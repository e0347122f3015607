import { expect, test } from 'vitest';
import { gitSource } from '../../src/model/worker/workspace.ts';

const isAccepted = (url: string) => gitSource.safeParse({ url }).success;

test.each([
  'https://example.com/team/project.git',
  'http://127.0.0.1:8080/x',
  'https://example.com/a%20b.git',
  'https://example.com/ä.git',
])('the repository %s is accepted', (url) => expect(isAccepted(url)).toBe(true));

test.each([
  'https://example.com/a\nb',
  'https://exam\tple.com/x',
  ' https://example.com/x',
  'https://example.com/x ',
  'https://example.com/a b',
  'https://example.com/\u0000',
  'https://example.com/\u001b[2J',
  'https://example.com/\u0085',
  'https://example.com/\u202etxt',
  'https://user@example.com/x',
  'https://example.com/x?token=1',
  'https://example.com/x#y',
  'ssh://example.com/x',
  '--upload-pack=x',
])('the repository %j is refused', (url) => expect(isAccepted(url)).toBe(false));
