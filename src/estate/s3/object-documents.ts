import type { StateView } from '../../state/index.ts';

/** Names in S3's spelling; `api/` takes them as they are. */
export type ChecksumAlgorithm = 'CRC32' | 'CRC32C' | 'CRC64NVME' | 'SHA1' | 'SHA256';

export interface ObjectChecksum {
  readonly algorithm: ChecksumAlgorithm;
  /** Base 64 of the big-endian bytes; of a composite one with `-N` behind, N being the number of parts. */
  readonly value: string;
  /** Of the whole object, or of the checksums of its parts. */
  readonly type: 'FULL_OBJECT' | 'COMPOSITE';
}

/** What protects a version from being deleted or overwritten. */
export interface Retention {
  readonly mode: 'GOVERNANCE' | 'COMPLIANCE';
  /** Epoch milliseconds. */
  readonly until: number;
}

/** How the bytes are encrypted. `sealedKey` is the object's own data key, sealed, in base 64. */
export type ObjectEncryption =
  | { readonly algorithm: 'AES256'; readonly sealedKey: string }
  | {
      readonly algorithm: 'aws:kms';
      readonly sealedKey: string;
      readonly keyArn: string;
      readonly bucketKeyEnabled: boolean;
      /** What the encryption context holds beside the object. */
      readonly context?: Readonly<Record<string, string>>;
    };

/** What a GET gives back as headers, as it was put. */
export interface ObjectHeaders {
  readonly contentType?: string;
  readonly cacheControl?: string;
  readonly contentDisposition?: string;
  readonly contentEncoding?: string;
  readonly contentLanguage?: string;
  readonly expires?: string;
  readonly websiteRedirectLocation?: string;
}

export interface ObjectTag {
  readonly Key: string;
  readonly Value: string;
}

interface VersionFacts {
  readonly key: string;
  /** What clients see: `null` for what was put while versioning was not enabled, else the same as `place`. */
  readonly versionId: string;
  /** 32 characters; those of newer versions of a key come first. */
  readonly place: string;
  /** Epoch milliseconds. */
  readonly lastModified: number;
}

/** One version of an object. Its bytes are the content with the id `content`; see FORMAT.md. */
export interface ObjectVersion extends VersionFacts {
  readonly kind: 'object';
  readonly sizeBytes: number;
  /** Without quotes. */
  readonly etag: string;
  readonly content: string;
  /** Set for what a multipart upload made. */
  readonly partCount?: number;
  readonly headers: ObjectHeaders;
  /** Names in lower case, without the `x-amz-meta-` in front. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly checksum?: ObjectChecksum;
  readonly encryption: ObjectEncryption;
  readonly storageClass: string;
  readonly tags?: readonly ObjectTag[];
  readonly retention?: Retention;
  /** False: it was said to be off. */
  readonly legalHold?: boolean;
}

/** Stands for the object's absence since a delete that named no version. */
export interface DeleteMarker extends VersionFacts {
  readonly kind: 'marker';
}

export type StoredVersion = ObjectVersion | DeleteMarker;

/** One part of a composed content. Short names, because there may be 10,000 of them in one document. */
export interface ContentPart {
  /** Part number, 1 to 10,000. */
  readonly n: number;
  /** Bytes of plain text. */
  readonly s: number;
  /** The blob, without the prefix that all of the content have. */
  readonly b: string;
  /** The part's checksum, of the object's algorithm. */
  readonly c?: string;
}

/** That a content is in use, under `contentKey(id)`; of a multipart upload its parts in order. */
export interface ContentDocument {
  readonly parts?: readonly ContentPart[];
}

/** A multipart upload under way. Its id is that of the content which it will be. */
export interface UploadDocument {
  readonly id: string;
  readonly key: string;
  /** Epoch milliseconds. */
  readonly initiated: number;
  readonly initiator: { readonly arn: string; readonly name: string };
  readonly headers: ObjectHeaders;
  readonly metadata: Readonly<Record<string, string>>;
  readonly encryption: ObjectEncryption;
  readonly storageClass: string;
  /** What the headers asked for in so many words, because policies judge the upload's parts by it. */
  readonly asked?: {
    readonly acl?: string;
    readonly storageClass?: string;
    readonly encryption?: string;
    readonly kmsKeyId?: string;
  };
  readonly tags?: readonly ObjectTag[];
  readonly retention?: Retention;
  /** False: it was said to be off. */
  readonly legalHold?: boolean;
  readonly checksum: {
    readonly algorithm: ChecksumAlgorithm;
    readonly type: ObjectChecksum['type'];
    /** Whether the request named it, so that answers show it. */
    readonly asked: boolean;
  };
}

/** An uploaded part, under `partKey`. */
export interface PartDocument {
  readonly n: number;
  readonly s: number;
  readonly b: string;
  /** MD5 in hexadecimal. */
  readonly etag: string;
  /** Epoch milliseconds. */
  readonly lastModified: number;
  /** Base 64 by algorithm: the upload's own, and one that the request gave. */
  readonly checksums: Partial<Record<ChecksumAlgorithm, string>>;
}

/**
 * An S3 key as it stands in the keys of documents: U+0001 begins an escape, so that NUL, which no document key may hold,
 * has one, and so that a separator can stand behind the key that sorts before everything a longer key goes on with.
 */
const escaped = (key: string): string =>
  key.replaceAll('\u0001', '\u0001\u0003').replaceAll('\0', '\u0001\u0002');
const separator = '\u0001\u0001';

/**
 * Current versions that are objects, in the order of their keys. There is one exactly when the newest version of the key
 * is an object.
 */
export const objectPrefix = (bucket: string, keyPrefix = ''): string =>
  `s3/object/${bucket}/${escaped(keyPrefix)}`;
export const objectKey = (bucket: string, key: string): string => objectPrefix(bucket, key);

/** All other versions: older ones, and delete markers; by key, then newest first. */
export const versionPrefix = (bucket: string, keyPrefix = ''): string =>
  `s3/version/${bucket}/${escaped(keyPrefix)}`;
export const versionsOf = (bucket: string, key: string): string =>
  `${versionPrefix(bucket, key)}${separator}`;
export const versionKey = (bucket: string, key: string, place: string): string =>
  `${versionsOf(bucket, key)}${place}`;

/** The place, as `{"place": …}`, of the version `null` of a key while that is not the current object. */
export const nullPlaceKey = (bucket: string, key: string): string => `s3/null/${bucket}/${escaped(key)}`;

/** Uploads by key, then in the order in which they were begun. */
export const uploadPrefix = (bucket: string, keyPrefix = ''): string =>
  `s3/upload/${bucket}/${escaped(keyPrefix)}`;
export const uploadKey = (bucket: string, key: string, uploadId: string): string =>
  `${uploadPrefix(bucket, key)}${separator}${uploadId}`;

export const contentKey = (content: string): string => `s3/content/${content}`;
export const partPrefix = (uploadId: string): string => `s3/part/${uploadId}/`;
export const partKey = (uploadId: string, partNumber: number): string =>
  `${partPrefix(uploadId)}${String(partNumber).padStart(5, '0')}`;

/** The current object; undefined when there is none or a delete marker stands for it. */
export async function readCurrent(
  view: Pick<StateView, 'get'>,
  bucket: string,
  key: string,
): Promise<ObjectVersion | undefined> {
  return (await view.get<ObjectVersion>(objectKey(bucket, key)))?.value;
}

/** Whether a bucket holds no object, no older version and no delete marker. Unfinished uploads do not count. */
export async function isEmpty(view: Pick<StateView, 'list'>, bucket: string): Promise<boolean> {
  const one = { limit: 1 };
  const [object] = await view.list(objectPrefix(bucket), one);
  const [version] = await view.list(versionPrefix(bucket), one);
  return object === undefined && version === undefined;
}
