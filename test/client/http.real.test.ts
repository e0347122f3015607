import { connect } from '../../src/client/index.ts';
import { testCheckpoints } from './conformance/checkpoints.ts';
import { testFolders } from './conformance/files.ts';
import { testTerminals } from './conformance/terminals.ts';
import { testClient } from './conformance.ts';

testClient(
  async ({ manager: { url, token } }) => connect({ url, token }),
  [testFolders, testCheckpoints, testTerminals],
);
