/** The doors of containers whose addresses the manager cannot reach. */
import { connectSuite } from './connect-suite.ts';
import { makeDockerSubject } from './docker-subject.ts';
import { ConformanceFixture } from './fixture.ts';

connectSuite(new ConformanceFixture('docker, by exec', () => makeDockerSubject({ connectBy: 'exec' }), {}));
