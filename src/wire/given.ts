/** An SDK input after validation: the members that the model requires are there. */
export type Given<T> = {
  readonly [Member in keyof T]: object extends Pick<T, Member> ? T[Member] : Exclude<T[Member], undefined>;
};

/** The input or answer of an operation that has nothing to say. */
export type Nothing = Readonly<Record<string, never>>;
export const nothing: Nothing = {};
