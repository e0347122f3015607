/**
 * A manager that makes one body, says so and waits to be killed. Run as a program:
 * `node manager.ts '{"root": …, "order": …}'`.
 */
import { createProcessRuntime } from '../../../src/runtimes/process/process.ts';

const { root, order } = JSON.parse(process.argv[2] ?? '{}');
const runtime = createProcessRuntime({ cell: 'one', root, wrapper: { argv: ['/nowhere/wrapper'] } });
const body = await runtime.create(order);
await runtime.start(body.id);
console.log(body.id);
setInterval(() => undefined, 60_000);
