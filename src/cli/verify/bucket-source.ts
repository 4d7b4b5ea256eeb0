/** A file as a listing shows it. */
export interface StoredFile {
  readonly key: string;
  readonly sizeBytes: number;
  /** Changes whenever the file is written: ETag and time in S3, size and times in a directory. */
  readonly tag: string;
}

export interface OpenedFile {
  readonly body: AsyncIterable<Uint8Array>;
  readonly sizeBytes: number;
  readonly tag: string;
  /** The object's metadata, names in lower case; undefined where the place keeps none. */
  readonly metadata: Readonly<Record<string, string>> | undefined;
}

/** A place that holds CloudTrail's files under the keys of a bucket, or of a part of one. */
export interface BucketSource {
  /** The bucket's name; undefined for a directory, which does not know from where it was copied. */
  readonly bucket: string | undefined;
  /** For people: `s3://BUCKET/KEY` or a path. */
  show(key: string, bucket?: string): string;
  /** Names of the folders directly below a prefix that is empty or ends in a slash. */
  folders(prefix: string): Promise<readonly string[]>;
  /** Everything below a prefix that ends in a slash, page by page, in no special order; `after` skips keys up to it. */
  list(prefix: string, after?: string): AsyncIterable<readonly StoredFile[]>;
  /** Undefined when there is no such file. `bucket` is another one than the source's. */
  read(
    key: string,
    options?: { readonly bucket?: string; readonly withMetadata?: boolean },
  ): Promise<OpenedFile | undefined>;
  close(): void;
}

/** The part of a key from `AWSLogs/` on, by which copies of a part of a bucket are compared. */
export function tailOf(key: string): string {
  const at = key.lastIndexOf('AWSLogs/');
  return at < 0 ? key : key.slice(at);
}

/** The part of a key before `AWSLogs/`. */
export function rootOf(key: string): string {
  return key.slice(0, key.length - tailOf(key).length);
}
