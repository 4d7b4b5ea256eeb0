import { AwsFault } from '../kernel/index.ts';

/**
 * Waits for work on behalf of a client. When the client has gone and the work was given up for that, it is recorded as
 * `RequestAborted`, not as a mistake of the program.
 */
export async function unlessGone<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!signal.aborted || error instanceof AwsFault) throw error;
    throw new AwsFault('RequestAborted', 'The client went away before the answer was ready.', {
      status: 400,
      cause: error,
    });
  }
}
