import { takeoverSuite } from './claim-suite.ts';

takeoverSuite('process');
