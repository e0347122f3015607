/** BullMQ declares the types of its parts only for its whole. */
declare module 'bullmq/dist/cjs/utils/create-backend.js' {
  export { createRedisBackend } from 'bullmq';
}
