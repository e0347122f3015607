/**
 * The loop's requirements on a store. The real one on Redis and the one in memory, which the property tests
 * use, both pass this. Each new rule of a script gets a test here, so that the model cannot drift away from
 * it.
 */
import { describe } from 'vitest';
import { acceptSuite } from './accept-suite.ts';
import { recordSuite } from './record-suite.ts';
import { StoreFixture, type StoreSubject } from './store-fixture.ts';

export function storeSuite(name: string, makeSubject: () => Promise<StoreSubject>): void {
  describe(`a store (${name})`, () => {
    const fixture = new StoreFixture(makeSubject);
    acceptSuite(fixture);
    recordSuite(fixture);
  });
}
