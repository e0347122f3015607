import { takeoverSuite } from './takeover-suite.ts';

takeoverSuite('docker');
