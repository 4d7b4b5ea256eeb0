/** What is known of a blob without reading it. */
export interface BlobInfo {
  readonly key: string;
  readonly sizeBytes: number;
}

/** Bytes of a blob, both ends inclusive, as in an HTTP range. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/**
 * The `blob` port: whole byte strings under keys. Keys are UTF-8 of 1 to 1,024 bytes, any characters, also `..`, `/`
 * and NUL: an adapter never lets a key reach outside its directory.
 */
export interface Blob extends AsyncDisposable {
  /** Streams `body` in; durable and visible as a whole once it resolves, replacing what was there; nothing before. */
  put(key: string, body: AsyncIterable<Uint8Array>): Promise<BlobInfo>;
  /** Streams the blob, or a range of it; undefined when there is none. A range outside the blob gives no bytes. */
  get(key: string, range?: ByteRange): Promise<AsyncIterable<Uint8Array> | undefined>;
  info(key: string): Promise<BlobInfo | undefined>;
  /** Keys that begin with `prefix`, in the order of their UTF-8 bytes, strictly after `after`. */
  list(
    prefix: string,
    options?: { readonly after?: string; readonly limit?: number },
  ): AsyncIterable<BlobInfo>;
  /** Deletes; no error when there is none. */
  delete(key: string): Promise<void>;
}
