import { AwsFault, type Clock } from '../../kernel/index.ts';
import type { ActingFor, Buckets } from '../buckets.ts';
import type { DeliveryPlan } from './delivery-documents.ts';

/** How an attempt to put the files of a plan ended. */
export type PutOutcome =
  | { readonly kind: 'done' }
  /** The files with the keys `done` are in the bucket. `code` is that of S3 or KMS, or of the system. */
  | {
      readonly kind: 'failed';
      readonly code: string;
      readonly message: string;
      readonly done: ReadonlySet<string>;
    };

/** A put that takes longer is given up and tried again: the same bytes under the same key. */
const putTimeoutMs = 120_000;

function codeOf(error: unknown): string {
  if (error instanceof AwsFault) return error.code;
  const { code, name } = error as { readonly code?: unknown; readonly name?: unknown };
  return typeof code === 'string' ? code : typeof name === 'string' ? name : 'InternalError';
}

async function inTime(clock: Clock, signal: AbortSignal, put: Promise<void>): Promise<void> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const late = clock.sleep(putTimeoutMs, either).then(
    () => {
      throw Object.assign(new Error('the bucket did not answer in time'), { code: 'RequestTimeout' });
    },
    () => signal.throwIfAborted(),
  );
  try {
    await Promise.race([put, late]);
  } finally {
    stop.abort();
    late.catch(() => {});
    put.catch(() => {});
  }
}

/**
 * Puts the files of a plan, one after the other, leaving out what is there already, and ends at the first that fails, so
 * that nothing arrives out of order. `bodyOf` gives a file's bytes; undefined when it is not to be put.
 */
export async function putFiles(
  parts: { readonly buckets: Pick<Buckets, 'put'>; readonly clock: Clock; readonly signal: AbortSignal },
  plan: DeliveryPlan,
  bodyOf: (place: number) => Uint8Array | undefined,
  as: ActingFor,
): Promise<PutOutcome> {
  const { buckets, clock, signal } = parts;
  const there = new Set<string>();
  for (const [place, { key, done }] of plan.files.entries()) {
    const body = done ? undefined : bodyOf(place);
    if (!body) {
      there.add(key);
      continue;
    }
    try {
      const put = buckets.put(
        {
          bucket: plan.bucket,
          key,
          body,
          contentType: 'application/json',
          contentEncoding: 'gzip',
          ...(plan.kmsKeyArn !== undefined && { kmsKeyArn: plan.kmsKeyArn }),
        },
        as,
      );
      await inTime(clock, signal, put);
      there.add(key);
    } catch (error) {
      signal.throwIfAborted();
      const message = error instanceof Error ? error.message : String(error);
      return { kind: 'failed', code: codeOf(error), message, done: there };
    }
  }
  return { kind: 'done' };
}
