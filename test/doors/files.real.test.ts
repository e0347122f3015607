import { filesSuite } from './files-suite.ts';

filesSuite('process');
filesSuite('docker');
