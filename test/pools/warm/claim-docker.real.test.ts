import { claimSuite } from './claim-suite.ts';

claimSuite('docker');
