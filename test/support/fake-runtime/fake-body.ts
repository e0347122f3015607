import type { Body } from '../../../src/model/index.ts';
import type { FakeProgram } from './program.ts';

/** A body of the fake engine, with what only the engine knows. */
export interface FakeBody {
  cell: string;
  /** What the engine keeps unique; a planted duplicate has a name of its own. */
  name: string;
  body: Readonly<Body>;
  /** The same with `tail`, as `find` gives it. */
  found: Readonly<Body> | undefined;
  program: FakeProgram;
  terminated: boolean;
  planted: boolean;
}
