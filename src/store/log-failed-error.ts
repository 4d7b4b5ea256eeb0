/**
 * The disk failed while a log was being written, so that what is on it is not known for sure. Reading goes on;
 * writing needs a restart, which checks the file. Whether the group that got this error is in the log then is open.
 */
export class LogFailedError extends Error {
  override name = 'LogFailedError';
}
