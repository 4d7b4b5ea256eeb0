import { withOperands } from '../analyse/typed.ts';
import type { Typed } from '../analyse/typed.ts';

/** The texts of a list with a separator between, NULLs left out; NULL if the list or the separator is. */
export function joinList(list: string, separator: Typed): string {
  if (separator.text !== undefined)
    return withOperands(
      [list],
      (texts) =>
        `CASE WHEN ${texts} IS NULL THEN NULL ELSE coalesce(array_to_string(${texts}, ${separator.sql}), '') END`,
    );
  // The engine joins with a constant alone, so another separator is put in step by step.
  const kept = `list_filter(${list}, lambda "j": "j" IS NOT NULL)`;
  return withOperands(
    [kept, separator.sql],
    (texts, between) =>
      `CASE WHEN ${texts} IS NULL OR ${between} IS NULL THEN NULL WHEN len(${texts}) = 0 THEN '' ` +
      `ELSE list_reduce(${texts}, lambda "j", "k": "j" || ${between} || "k") END`,
  );
}
