/** Unsupported fields of a pool are refused when it is applied, and not when its workers fail one by one. */

import { Fault, getCapabilities, type Issue, type PoolSpec, type RuntimeName } from '../model/index.ts';
import { getRuntimes } from '../pools/placement.ts';
import { templateIssues, toTemplate, toTemplatePath } from '../pools/template.ts';
import { rejectUnsupported } from './capabilities.ts';
import type { PlacementContext } from './context.ts';
import { rejectUnenforcedLimits } from './limits.ts';

type WorkerRequest = Parameters<typeof rejectUnsupported>[0];

/** Throws a Fault that names each unsupported field by its path in the pool. */
export async function rejectUnsupportedPool(spec: PoolSpec, context: PlacementContext): Promise<void> {
  rejectPoolIfAny('invalid_command', spec, templateIssues(spec));
  const used = context.runtimes.map(({ name }) => name);
  const wanted = getRuntimes(spec.execution_mode);
  const here = wanted.filter((runtime) => used.includes(runtime));
  const anywhere = spec.execution_mode === 'auto';
  if (anywhere ? here.length === 0 : here.length < wanted.length)
    rejectPoolIfAny('unsupported', spec, [
      { path: 'execution_mode', message: `is not available: this manager uses ${used.join(' and ')}` },
    ]);
  const refused: Fault[] = [];
  for (const runtime of here) {
    const fault = await findRuntimeFault(spec, runtime, context);
    if (fault) refused.push(fault);
  }
  const [first] = refused;
  // With `auto`, one runtime that supports it is enough.
  if (first && !(anywhere && refused.length < here.length)) throw first;
}

async function findRuntimeFault(
  spec: PoolSpec,
  runtime: RuntimeName,
  context: PlacementContext,
): Promise<Fault | undefined> {
  const request = toTemplate(spec, runtime) as WorkerRequest;
  const built = (['image', 'modules', 'requirements', 'packages'] as const).find(
    (field) => spec[field]?.length,
  );
  if (built && !getCapabilities(runtime).usesImages)
    return toPoolFault('unsupported', spec, [
      { path: built, message: 'requires Docker, but workers of this pool may be direct' },
    ]);
  try {
    await rejectUnsupported(request, runtime, context.capabilities);
    // A default that cannot be enforced here is not a reason to refuse the request.
    const { memory, ...others } = request.resources ?? {};
    const limits = spec.memory_limit === undefined ? others : { ...others, ...(memory && { memory }) };
    rejectUnenforcedLimits(limits, runtime, context);
    return undefined;
  } catch (error) {
    // A disk that is full now may have space when a worker is created; a machine that is too small remains too
    // small.
    if (!(error instanceof Fault) || (error.code === 'capacity' && !error.issues)) return undefined;
    const issues = error.issues?.map(({ path, message }) => ({ path: toTemplatePath(spec, path), message }));
    return issues ? toPoolFault(error.code, spec, issues) : error;
  }
}

function rejectPoolIfAny(code: Fault['code'], spec: PoolSpec, issues: Issue[]): void {
  if (issues.length > 0) throw toPoolFault(code, spec, issues);
}

function toPoolFault(code: Fault['code'], { name }: PoolSpec, issues: Issue[]): Fault {
  const list = issues.map(({ path, message }) => `${path} ${message}`).join('; ');
  return new Fault(code, `The pool ${name} was refused: ${list}.`, {
    issues: issues.map(({ path, message }) => ({ path: `pool.${path}`, message })),
  });
}
