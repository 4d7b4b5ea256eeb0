/** The bounds of a statement, so that hostile text costs a refusal and not the process. */
export const bounds = {
  /** The wire's own limit for QueryStatement, in characters. */
  statementCharacters: 10_000,
  /** Parentheses, subqueries, calls, CASE and the like inside one another. */
  nesting: 60,
  /** Operators of one kind in a row, such as a + b + c: each is one level in the engine's tree. */
  operatorsInARow: 200,
  /** What is written for the engine; duplicated operands can make it longer than what was read. */
  writtenCharacters: 400_000,
  /** The repetition count of a regular expression, which RE2 bounds at 1,000. */
  regexpRepetition: 1_000,
  /** The parts of a regular expression once its repetitions are written out, within the memory that RE2 takes. */
  regexpSize: 10_000,
} as const;
