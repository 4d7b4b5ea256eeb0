/**
 * What the exit code of `cairn` says. The table in README.md shows the same.
 */
export const exitCodes = {
  ok: 0,
  /** The work was done, but something that it looked at is wrong: a broken log file, a failed check. */
  problems: 1,
  /** An option, an argument or a setting that cannot be understood. */
  usage: 2,
  /** The server cannot be reached, does not know the credentials, or does not allow the call. */
  noAccess: 3,
  /** The server failed, or could not take the work now. */
  serverFailed: 4,
  /** Stopped by Ctrl-C before the work was done. */
  interrupted: 130,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Ends a command with a message for the person and an exit code for the script. */
export class CommandError extends Error {
  override name = 'CommandError';
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** An option or argument that cannot be understood. */
export function usageError(message: string): CommandError {
  return new CommandError(message, exitCodes.usage);
}
