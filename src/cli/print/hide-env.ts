import { HIDDEN } from '../../telemetry/redact.ts';

interface WithEnv {
  env?: Record<string, string> | undefined;
  /** The workers of a pool. */
  template?: object | undefined;
}

/** A spec without the values of its environment variables, which may be secrets in spite of the docs. Pure. */
export function hideEnv<T extends WithEnv>(spec: T): T {
  const { env, template } = spec;
  return {
    ...spec,
    ...(env && { env: Object.fromEntries(Object.keys(env).map((name) => [name, HIDDEN])) }),
    ...(template && { template: hideEnv(template) }),
  };
}
