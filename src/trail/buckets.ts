/** Who a bucket belongs to, and who may use it. */
export interface BucketFacts {
  readonly name: string;
  readonly accountId: string;
  readonly region: string;
  /** JSON text. */
  readonly policy: string | undefined;
}

/** A file as CloudTrail puts it. */
export interface FileToPut {
  readonly bucket: string;
  readonly key: string;
  readonly body: Uint8Array;
  readonly contentType: string;
  readonly contentEncoding?: string;
  /** Without the `x-amz-meta-` in front. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly kmsKeyArn?: string;
}

/** On whose behalf CloudTrail acts: the trail, event data store or channel, for aws:SourceArn. */
export interface ActingFor {
  readonly arn: string;
  readonly accountId: string;
  readonly region: string;
}

export interface StoredFile {
  readonly key: string;
  readonly sizeBytes: number;
  /** Epoch milliseconds. */
  readonly lastModified: number;
}

/**
 * The need of trails and of the lake for S3, here or on an outside endpoint, as the service `cloudtrail.amazonaws.com`:
 * the bucket's policy and the key's policy must allow it. Failures are AwsFault with the code that S3 or KMS gives
 * (NoSuchBucket, AccessDenied, KMS.NotFoundException, …) or system errors of the network; `put` is durable when it
 * resolves and, called again with the same key and bytes, changes nothing that a reader can tell.
 */
export interface Buckets {
  /**
   * Undefined when there is no such bucket. An outside bucket has no policy to be seen; it is asked when it is used, and
   * `refused` where the operator does not let the account have it used.
   */
  find(bucket: string, accountId: string): Promise<BucketFacts | 'outside' | 'refused' | undefined>;
  put(file: FileToPut, as: ActingFor): Promise<void>;
  /** Undefined when there is no such object. */
  get(bucket: string, key: string, as: ActingFor): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** In key order, strictly after `after`. */
  list(
    bucket: string,
    options: { readonly prefix: string; readonly after?: string },
    as: ActingFor,
  ): AsyncIterable<StoredFile>;
}

/** What is said of a bucket that `find` calls refused. */
export const refusedBucket = (bucket: string, accountId: string): string =>
  `The bucket ${bucket} lives elsewhere, and the operator does not let account ${accountId} use it.`;
