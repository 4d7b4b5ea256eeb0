/** What the run-time schemas lack: how long, how many, how large, of which characters, one of which values. */
export interface Constraint {
  /** Characters of a text, or bytes of a blob; without the second number there is no upper bound. */
  readonly length?: readonly [number, number?];
  /** Members of a list, or entries of a map. */
  readonly items?: readonly [number, number?];
  /** A number. */
  readonly range?: readonly [number, number?];
  /** Matches the whole text; written as the API reference writes it. */
  readonly pattern?: string;
  readonly values?: readonly string[];
  /** Of each element of a list, or each key and value of a map. */
  readonly element?: Constraint;
  readonly key?: Constraint;
  readonly value?: Constraint;
}

/** The constraints of one service. */
export interface ServiceConstraints {
  /** Where they are documented: the API reference with a page for each operation and data type. */
  readonly source: string;
  /** By the name of the member, in whichever structure it stands. */
  readonly members: Readonly<Record<string, Constraint>>;
  /** By the name of the structure, then of the member: these win over `members`. */
  readonly structures: Readonly<Record<string, Readonly<Record<string, Constraint>>>>;
}
