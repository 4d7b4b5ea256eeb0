import { readFileSync } from 'node:fs';
import { systemClock, systemRandom } from '../kernel/index.ts';
import { CommandError, exitCodes, type ExitCode } from './exit-codes.ts';
import { runProgram } from './program.ts';
import { openOutput } from './terminal/output.ts';

/**
 * A second signal this soon after the first is the same Ctrl-C, passed on once by the terminal and once by npm; only a
 * later one is impatience.
 */
const sameSignalMs = 1000;

/** Aborts at the first SIGINT, SIGTERM or SIGHUP, and ends the process at a later one. */
function watchSignals(): AbortController {
  const stop = new AbortController();
  let firstMs: number | undefined;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      const nowMs = systemClock.monotonic();
      if (firstMs === undefined) {
        firstMs = nowMs;
        stop.abort(new CommandError('interrupted', exitCodes.interrupted));
      } else if (nowMs - firstMs >= sameSignalMs) {
        process.exit(exitCodes.interrupted);
      }
    });
  }
  return stop;
}

function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

const fileCodes = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'ENOTDIR', 'EISDIR', 'EEXIST', 'ENOENT']);

/** A file that cannot be read or written where the person named it: the message says all there is to say. */
function plainly(error: unknown): unknown {
  const { code, path, message } = error as NodeJS.ErrnoException;
  if (code === undefined || path === undefined || !fileCodes.has(code)) return error;
  return new CommandError(message, exitCodes.problems, { cause: error });
}

/** Runs the command that the process was started with; returns its exit code. Throws what nobody foresaw. */
export async function run(): Promise<ExitCode> {
  const output = openOutput(process.stdout, process.stderr, process.env);
  const stop = watchSignals();
  output.closed.addEventListener('abort', () => stop.abort(output.closed.reason), { once: true });
  try {
    return await runProgram(
      {
        env: process.env,
        output,
        clock: systemClock,
        random: systemRandom,
        signal: stop.signal,
        version: readVersion(),
      },
      process.argv.slice(2),
    );
  } catch (error) {
    // The reader of the results had enough; that is no failure (`cairn lookup --all | head`).
    if (output.closed.aborted) return exitCodes.ok;
    // A command may say more of what its interruption means than that there was one.
    const isTold = error instanceof CommandError && error.exitCode === exitCodes.interrupted;
    const told = stop.signal.aborted && !isTold ? (stop.signal.reason as unknown) : plainly(error);
    if (!(told instanceof CommandError)) throw error;
    output.note(`cairn: ${told.message}`);
    return told.exitCode;
  }
}
