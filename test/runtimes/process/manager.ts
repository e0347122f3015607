/**
 * A manager that creates one body, reports it and waits to be killed. Run as a program: `node manager.ts
 * '{"root": …, "cell": …, "order": …}'`.
 */
import { createProcessRuntime } from '../../../src/runtimes/process/process.ts';

const { root, cell, order } = JSON.parse(process.argv[2] ?? '{}');
const runtime = createProcessRuntime({ cell, root, wrapper: { argv: ['/nowhere/wrapper'] } });
const body = await runtime.create(order);
await runtime.start(body.id);
console.log(body.id);
setInterval(() => undefined, 60_000);
