import { openCell } from './cell.ts';
import { storeSuite } from './store-suite.ts';

storeSuite('Redis', async () => {
  const { store, stream, redis, acquire, push, answers } = openCell();
  await stream.ensureGroup();
  return {
    store,
    acquire,
    settle: async (epoch, what) => {
      await push({});
      const [entry] = await stream.read(1, 1000);
      if (!entry) throw new Error('the entry that was just pushed cannot be read');
      return (await stream.settle(epoch, { ...what, entry, replyTo: undefined })).outcome;
    },
    answers,
    beat: async (id, heartbeat) =>
      void (await redis.set(store.keys.heartbeat(id), JSON.stringify(heartbeat))),
  };
});
