import { connect } from '../../src/client/index.ts';
import { testClient } from './conformance.ts';

testClient(async ({ manager: { url, token } }) => connect({ url, token }));
