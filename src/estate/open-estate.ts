import type { Clock, Logger, Random } from '../kernel/index.ts';
import type { AuthoriseService, MasterKey } from '../identity/index.ts';
import type { Change, State } from '../state/index.ts';
import type { Blob } from '../store/index.ts';
import type { Authorise, Operations } from '../wire/index.ts';
import { openKms, type DataKeys } from './kms/index.ts';
import {
  openOutsideBuckets,
  openS3,
  openServiceBuckets,
  readOutsideSettings,
  type S3,
  type ServiceBuckets,
} from './s3/index.ts';

export interface EstateOptions {
  readonly state: State;
  /** For the bytes of objects alone. Closed by whoever opened it. */
  readonly blob: Blob;
  readonly masterKey: MasterKey;
  readonly authorise: Authorise;
  readonly authoriseService: AuthoriseService;
  readonly managementAccountId: string;
  /** The file of CAIRN_OUTSIDE_BUCKETS. */
  readonly outsideBuckets?: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** The services of the estate, put together. Close it before the blob store and the state. */
export interface Estate extends AsyncDisposable {
  /** By the names of the services. */
  readonly operations: Readonly<Record<'s3' | 's3control' | 'kms', Operations<Change>>>;
  readonly s3: S3;
  readonly dataKeys: DataKeys;
  /** For what CloudTrail delivers and reads. */
  readonly buckets: ServiceBuckets;
}

/** Opens the estate. Throws SettingError when the file of outside buckets cannot be understood, or is open to others. */
export async function openEstate(options: EstateOptions): Promise<Estate> {
  await using opening = new AsyncDisposableStack();
  const kms = opening.use(openKms(options));
  const s3 = opening.use(openS3({ ...options, keys: kms.dataKeys }));
  const outside =
    options.outsideBuckets === undefined
      ? undefined
      : opening.use(openOutsideBuckets(await readOutsideSettings(options.outsideBuckets), options.clock));
  const buckets = openServiceBuckets({ ...options, objects: s3.objects, outside });
  const opened = opening.move();
  return {
    operations: { s3: s3.operations, s3control: s3.controlOperations, kms: kms.operations },
    s3,
    dataKeys: kms.dataKeys,
    buckets,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
