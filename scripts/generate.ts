/** `npm run generate [-- --check]`: writes, or compares, every file that is made from code. */
await import('./generate-reference.ts');
await import('./generate-docs.ts');
await import('./generate-dashboard.ts');
await import('./generate-openapi.ts');
await import('./generate-python.ts');
await import('./generate-client-types.ts');
