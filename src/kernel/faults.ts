/** What a caller did wrong (or what we cannot do for them now), as AWS models it. `wire` turns it into bytes. */
export interface FaultOptions {
  /** HTTP status; by default what the service's schema says for this error, else 400. */
  readonly status?: number;
  /** Further modelled members of the error shape. */
  readonly members?: Readonly<Record<string, unknown>>;
  /** Further headers of the answer (names in lower case), for services that say something of a failure in headers. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The program's own cause, for the log; never sent to the caller. */
  readonly cause?: unknown;
}

/**
 * A modelled AWS error. `code` is the name of the error's shape in the service model (such as
 * `NoSuchEntityException`), or, for errors common to all services, the code itself (`AccessDenied`).
 */
export class AwsFault extends Error {
  readonly code: string;
  readonly status: number | undefined;
  readonly members: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: string, message: string, options: FaultOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AwsFault';
    this.code = code;
    this.status = options.status;
    this.members = options.members ?? {};
    this.headers = options.headers ?? {};
  }
}

/** A bound was reached; nothing was taken. The caller may try again after a pause. */
export class OverloadError extends Error {
  override name = 'OverloadError';
}

/** The disk has no room; nothing was taken. Writing resumes by itself when there is room. */
export class DiskFullError extends Error {
  override name = 'DiskFullError';
}

/** Of a disk without room, of this user's quota of it, and of a file that reached the size that the process may give it. */
const noRoomCodes = new Set<unknown>(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** Whether a system's error says that there is no room to write. */
export function saysNoRoom(error: unknown): boolean {
  return error instanceof Error && 'code' in error && noRoomCodes.has(error.code);
}

/** A broken promise inside the program. Crashes loudly; never answered as the caller's mistake. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`);
}
