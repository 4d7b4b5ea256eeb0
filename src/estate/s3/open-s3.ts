import type { Clock, Logger, Random } from '../../kernel/index.ts';
import type { MasterKey } from '../../identity/index.ts';
import type { Change, State } from '../../state/index.ts';
import type { Blob } from '../../store/index.ts';
import type { Authorise, Operations } from '../../wire/index.ts';
import type { DataKeys } from '../kms/index.ts';
import * as controlTags from './control-tags.ts';
import { openLifecycle } from './lifecycle.ts';
import { openObjectEvents } from './object-events.ts';
import type { ObjectStore } from './object-store.ts';
import { openObjectStore } from './open-object-store.ts';
import { bindOperations } from './operation.ts';
import { operations } from './operations.ts';

export interface S3Options {
  readonly state: State;
  /** Holds the bytes of objects and nothing else: what nothing in `state` names is swept. Closed by whoever opened it. */
  readonly blob: Blob;
  readonly keys: DataKeys;
  readonly masterKey: Pick<MasterKey, 'cipher'>;
  readonly authorise: Authorise;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** S3, put together. Close it before KMS, the blob store and the state. */
export interface S3 extends AsyncDisposable {
  /** The operations that are present, each declared in `api/` under its own name. */
  readonly operations: Operations<Change>;
  /** Those of S3 Control that are present. */
  readonly controlOperations: Operations<Change>;
  /** For what acts by itself: lifecycles, and services that deliver files. */
  readonly objects: ObjectStore;
}

export function openS3(options: S3Options): S3 {
  const { state, keys, authorise, clock, random } = options;
  const events = openObjectEvents(options);
  const objects = openObjectStore({ ...options, events, cipher: options.masterKey.cipher('s3/v1') });
  const lifecycle = openLifecycle({ ...options, objects });
  const parts = { state, objects, events, keys, authorise, clock, random };
  return {
    operations: bindOperations(parts, operations),
    controlOperations: bindOperations(parts, { ...controlTags }),
    objects,
    async [Symbol.asyncDispose]() {
      await lifecycle[Symbol.asyncDispose]();
      await objects[Symbol.asyncDispose]();
    },
  };
}
