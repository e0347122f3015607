/** Fields that several tools have. */
import { z } from 'zod';
import { nameBy, WORKER_NAME } from '../../model/index.ts';

export const workerRef = nameBy(WORKER_NAME).describe('ID or name of the worker');

/** The longest time that a call waits, in seconds; clients give up earlier or later. */
const LONGEST_WAIT_SECONDS = 3600;

export const waitField = (fallback: number, what: string) =>
  z.number().min(0).max(LONGEST_WAIT_SECONDS).default(fallback).describe(what);
