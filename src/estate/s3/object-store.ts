import type { Change } from '../../state/index.ts';
import type { KeyCaller } from '../kms/data-keys.ts';
import type { BucketDocument } from './bucket-documents.ts';
import type { CreatedBy, EventCause } from './object-events.ts';
import type {
  ChecksumAlgorithm,
  ContentPart,
  ObjectChecksum,
  ObjectEncryption,
  ObjectHeaders,
  ObjectTag,
  ObjectVersion,
  PartDocument,
  Retention,
  UploadDocument,
} from './object-documents.ts';

/** How a new content is to be encrypted; what the bucket says by default is `encryptionOf(bucket)`. */
export type EncryptionWish =
  | { readonly algorithm: 'AES256' }
  | {
      readonly algorithm: 'aws:kms';
      /** Absent: the account's `aws/s3` key. */
      readonly kmsKeyId?: string;
      readonly bucketKeyEnabled: boolean;
    };

/** Bytes that are durable, encrypted, and part of no object yet. They are removed unless an object takes them soon. */
export interface StagedContent {
  readonly content: string;
  readonly sizeBytes: number;
  /** MD5 in hexadecimal. */
  readonly etag: string;
  /** Base 64, for each algorithm that was asked for. */
  readonly checksums: Partial<Record<ChecksumAlgorithm, string>>;
  readonly encryption: ObjectEncryption;
}

/** What a new version is made of, beside its bytes. */
export interface VersionFacts {
  readonly createdBy: CreatedBy;
  readonly cause: EventCause;
  readonly headers: ObjectHeaders;
  readonly metadata: Readonly<Record<string, string>>;
  readonly storageClass: string;
  readonly tags?: readonly ObjectTag[];
  readonly retention?: Retention;
  readonly legalHold?: boolean;
}

export interface ServicePut {
  readonly bucket: string;
  readonly key: string;
  readonly body: AsyncIterable<Uint8Array>;
  readonly headers?: ObjectHeaders;
  readonly metadata?: Readonly<Record<string, string>>;
  /** What the bucket says by default. */
  readonly encryption?: EncryptionWish;
  readonly as: KeyCaller;
}

export interface Removal {
  /** Only this version, for good. Without it the current object, which a versioned bucket keeps behind a marker. */
  readonly versionId?: string;
  /** Governance retention does not hold; whoever asks has shown that it may. */
  readonly bypassGovernance?: boolean;
  readonly cause: EventCause;
}

export interface Removed {
  /** The version that is gone, or the marker that was put. */
  readonly versionId?: string;
  /** A marker was put, or the version that is gone was one. */
  readonly deleteMarker?: true;
}

/**
 * Objects: their bytes in the blob store, encrypted, and what is known of them in control state. Bytes come first and
 * are durable before anything names them; the commit that names them, or stops naming them, is what happens. Blobs that
 * nothing names any more are removed after the commit, but not while somebody reads them.
 */
export interface ObjectStore extends AsyncDisposable {
  /**
   * Streams a body in: encrypted, hashed, durable when it resolves. `call` (any object that is the same when a call is run
   * again after a conflict) makes sure that a body is streamed once: the second time the first outcome comes back.
   * Throws EntityTooLarge over `mostBytes`, and what the body throws; nothing is kept then.
   */
  stage(request: {
    readonly call: object;
    readonly bucket: BucketDocument;
    readonly key: string;
    readonly body: AsyncIterable<Uint8Array>;
    readonly checksums: readonly ChecksumAlgorithm[];
    readonly encryption: EncryptionWish;
    readonly as: KeyCaller;
    readonly mostBytes: number;
  }): Promise<StagedContent>;
  /** As `stage`, for one part of an upload, under the upload's key. */
  stagePart(request: {
    readonly call: object;
    readonly bucket: BucketDocument;
    readonly upload: UploadDocument;
    readonly partNumber: number;
    readonly body: AsyncIterable<Uint8Array>;
    readonly checksums: readonly ChecksumAlgorithm[];
    readonly as: KeyCaller;
    readonly mostBytes: number;
  }): Promise<PartDocument>;
  /** Says that the staged bytes of this call come to nothing after all. */
  unstage(call: object): Promise<void>;
  /** Makes a new data key, sealed, for an upload; throws what KMS throws. */
  newEncryption(request: {
    readonly bucket: BucketDocument;
    readonly key: string;
    readonly content: string;
    readonly encryption: EncryptionWish;
    readonly as: KeyCaller;
  }): Promise<ObjectEncryption>;
  /** Puts a version in front of the others of its key, as the bucket's versioning says. Default retention applies. */
  link(
    change: Change,
    bucket: BucketDocument,
    key: string,
    staged: StagedContent | ComposedContent,
    facts: VersionFacts & { readonly checksum?: ObjectChecksum },
  ): Promise<ObjectVersion>;
  /**
   * Deletes. Throws AccessDenied for a version under retention or legal hold. What does not exist is deleted without an
   * error, as S3 does.
   */
  remove(change: Change, bucket: BucketDocument, key: string, removal: Removal): Promise<Removed>;
  /** Forgets an upload under way and its parts. */
  abandonUpload(change: Change, bucket: string, upload: UploadDocument): Promise<void>;
  /** Forgets all uploads of a bucket that is being deleted. */
  abandonUploads(change: Change, bucket: string): Promise<void>;
  /** Says that the blobs of a content, or one of its parts, may have lost their last user by the commit to come. */
  suspect(content: string, part?: PartDocument): void;
  /**
   * Opens the bytes of a version, or of a range of them (both ends inclusive, within the object). The data key is
   * decrypted before it resolves, so that AccessDenied comes first. Bytes are authenticated as they flow: damage ends the
   * stream with an error. A version that is deleted meanwhile can be read to its end.
   */
  read(
    bucket: string,
    version: ObjectVersion,
    options: { readonly first: number; readonly last: number; readonly as: KeyCaller },
  ): Promise<AsyncIterable<Uint8Array>>;
  /** The parts of a composed content, in order; undefined for one that was put as a whole. */
  partsOf(version: ObjectVersion): Promise<readonly ContentPart[] | undefined>;
  /** Puts a whole object for a service, without a call: no record; the caller has checked that it may. */
  put(request: ServicePut): Promise<ObjectVersion>;
  /** Commits what `work` does, running it again after conflicts: for expiry and other work that no call asks for. */
  commit<T>(work: (change: Change) => Promise<T>): Promise<T>;
  /** Removes what nothing names and nothing is about to name; runs by itself at the start and every few hours. */
  sweep(): Promise<{ readonly removed: number }>;
}

/** What CompleteMultipartUpload makes: a content of several parts. */
export interface ComposedContent {
  readonly content: string;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly encryption: ObjectEncryption;
  readonly parts: readonly ContentPart[];
}
