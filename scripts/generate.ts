/** `npm run generate [-- --check]`: writes, or compares, every file that is made from code. */
await import('./generate-reference.ts');
await import('./generate-readme.ts');
await import('./generate-openapi.ts');
