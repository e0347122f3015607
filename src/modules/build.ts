import type { Module } from './module.ts';

/** Compilers for C and C++, make, and Python's headers: for requirements that are compiled, and for agents that compile. */
export const build: Module = {
  name: 'BUILD',
  debian: ['build-essential', 'pkg-config', 'python3-dev'],
  proof: [
    'sh',
    '-c',
    `cd "$(mktemp -d)" && printf '#include <Python.h>\\nint main(void) { return 0; }\\n' > a.c && cc $(pkg-config --cflags python3) a.c -o a && ./a && make --version`,
  ],
};
