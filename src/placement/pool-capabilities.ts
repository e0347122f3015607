/** What of a pool cannot be done here is refused when it is applied, and not when its workers fail one by one. */

import type { CommandContext } from '../commands/context.ts';
import { Fault, getCapabilities, type Issue, type PoolSpec, type RuntimeName } from '../model/index.ts';
import { runtimesOf } from '../pools/placement.ts';
import { pathIn, templateIssues, templateOf } from '../pools/template.ts';
import { refuseTheImpossible } from './capabilities.ts';
import { refuseUnenforcedLimits } from './limits.ts';

type Asked = Parameters<typeof refuseTheImpossible>[0];

/** Throws a Fault that names each field at fault by its path in the pool. */
export async function refuseImpossiblePool(spec: PoolSpec, context: CommandContext): Promise<void> {
  refuse('invalid_command', spec, templateIssues(spec));
  const used = context.runtimes.map(({ name }) => name);
  const wanted = runtimesOf(spec.execution_mode);
  const here = wanted.filter((runtime) => used.includes(runtime));
  const anywhere = spec.execution_mode === 'auto';
  if (anywhere ? here.length === 0 : here.length < wanted.length)
    refuse('unsupported', spec, [
      { path: 'execution_mode', message: `is not available: this manager uses ${used.join(' and ')}` },
    ]);
  const refused: Fault[] = [];
  for (const runtime of here) {
    const fault = await faultOf(spec, runtime, context);
    if (fault) refused.push(fault);
  }
  const [first] = refused;
  // With `auto` one runtime that can do it is enough.
  if (first && !(anywhere && refused.length < here.length)) throw first;
}

async function faultOf(
  spec: PoolSpec,
  runtime: RuntimeName,
  context: CommandContext,
): Promise<Fault | undefined> {
  const asked = templateOf(spec, runtime) as Asked;
  const built = (['image', 'modules', 'requirements', 'packages'] as const).find(
    (field) => spec[field]?.length,
  );
  if (built && !getCapabilities(runtime).usesImages)
    return faultAt('unsupported', spec, [
      { path: built, message: 'requires Docker, but workers of this pool may be direct' },
    ]);
  try {
    await refuseTheImpossible(asked, runtime, context.abilities);
    // A default that cannot be enforced here is no reason to refuse what was asked for.
    const { memory, ...others } = asked.resources ?? {};
    const limits = spec.memory_limit === undefined ? others : { ...others, ...(memory && { memory }) };
    refuseUnenforcedLimits(limits, runtime, context);
    return undefined;
  } catch (error) {
    // A disk that is full now may have room when a worker is made; a machine that is too small stays so.
    if (!(error instanceof Fault) || (error.code === 'capacity' && !error.issues)) return undefined;
    const issues = error.issues?.map(({ path, message }) => ({ path: pathIn(spec, path), message }));
    return issues ? faultAt(error.code, spec, issues) : error;
  }
}

function refuse(code: Fault['code'], spec: PoolSpec, issues: Issue[]): void {
  if (issues.length > 0) throw faultAt(code, spec, issues);
}

function faultAt(code: Fault['code'], { name }: PoolSpec, issues: Issue[]): Fault {
  const list = issues.map(({ path, message }) => `${path} ${message}`).join('; ');
  return new Fault(code, `The pool ${name} was refused: ${list}.`, {
    issues: issues.map(({ path, message }) => ({ path: `pool.${path}`, message })),
  });
}
