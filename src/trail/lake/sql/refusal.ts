/** A statement is refused: what, and where in its text. Thrown inside this folder, returned by `translate`. */
export class RefusedError extends Error {
  /** Offset into the statement, in UTF-16 code units. */
  readonly at: number;
  /** The event data store that there is not, where that is why. */
  readonly unknownStore: string | undefined;
  constructor(at: number, message: string, unknownStore?: string) {
    super(message);
    this.name = 'RefusedError';
    this.at = at;
    this.unknownStore = unknownStore;
  }
}

/** Refuses the statement at an offset of its text. */
export function refuse(at: number, message: string): never {
  throw new RefusedError(at, message);
}

/** Line and column, both from 1, of an offset. */
export function placeOf(text: string, at: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, at);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: at - lineStart + 1 };
}
