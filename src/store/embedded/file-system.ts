/**
 * What the embedded adapters need of a file system, and no more, so that a simulation can stand in for the disk and
 * lose unsynced writes, tear them, fill up, flip bits and fail. Errors carry `code` as Node's do.
 */
export interface FileSystem {
  /**
   * - `read`: an existing file, to read
   * - `change`: an existing file, to read and write
   * - `create`: a new file (mode 0600), to read and write; EEXIST if there is one
   */
  open(path: string, how: 'read' | 'change' | 'create'): Promise<OpenFile>;
  /**
   * Reads on the calling thread: fills `into` from `position` and returns the bytes read, fewer only at the end of the
   * file. For small reads, and left out where nothing is gained by it. Throws as `open` rejects.
   */
  readNow?(path: string, into: Uint8Array, position: number): number;
  /** Names in a directory, in no order; none when the directory is missing. */
  names(directory: string): Promise<readonly string[]>;
  /** Size in bytes; undefined when there is no such file. */
  sizeOf(path: string): Promise<number | undefined>;
  /** Makes the directory (mode 0700) and those above it; no error when it is there. */
  makeDirectory(path: string): Promise<void>;
  /** Moves a file over whatever stands at `to`. */
  rename(from: string, to: string): Promise<void>;
  /** No error when there is no such file. */
  remove(path: string): Promise<void>;
  /** Makes created, renamed and removed names in a directory durable. */
  syncDirectory(directory: string): Promise<void>;
}

export interface OpenFile extends AsyncDisposable {
  /** Fills `into` from `position`; returns the bytes read, fewer only at the end of the file. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Writes all parts one after the other from `position`. When it rejects, any part of them may be written. */
  write(parts: readonly Uint8Array[], position: number): Promise<void>;
  /** Makes what was written durable (fdatasync). */
  datasync(): Promise<void>;
  truncate(sizeBytes: number): Promise<void>;
  size(): Promise<number>;
}

/** The `code` of a file system error, such as ENOENT; undefined when `error` is none. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
