import { takeoverSuite } from './takeover-suite.ts';

takeoverSuite('process');
