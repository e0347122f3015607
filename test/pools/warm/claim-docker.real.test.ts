import { takeoverSuite } from './claim-suite.ts';

takeoverSuite('docker');
