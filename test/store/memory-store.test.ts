import { MemoryStore } from '../support/memory-store.ts';
import { storeSuite } from './store-suite.ts';

storeSuite('memory', async () => {
  const store = new MemoryStore();
  return {
    store,
    acquire: async () => store.acquire(),
    settle: (epoch, what) => store.settle(epoch, what),
    answers: async () => store.answers,
    beat: async (id, heartbeat) => store.beat(id, heartbeat),
  };
});
