import { sep } from 'node:path';

type WhyLost = () => Error | undefined;

/** The directories that this process has to itself. */
const held = new Map<string, WhyLost>();

/** Notes that this process has a directory to itself, until it is `lost`. */
export function holdDirectory(directory: string, lost: WhyLost): Disposable {
  held.set(directory, lost);
  return { [Symbol.dispose]: () => void held.delete(directory) };
}

/**
 * Throws where a file lies in a directory that this process has lost. Files that are open go with the directory that was deleted; one
 * that is replaced by its name would be put into the directory that another process has made in its place.
 */
export function refuseLost(path: string): void {
  for (const [directory, lost] of held) {
    const error = path.startsWith(directory + sep) ? lost() : undefined;
    if (error) throw error;
  }
}
