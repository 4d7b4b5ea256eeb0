import { withOperands } from '../analyse/typed.ts';

/**
 * A map of all values of each key, from a list of entries in their order.
 * @param key how the engine reads the key of an entry, written behind it; `value` likewise
 */
export function multimap(entries: string, key: string, value: string): string {
  return withOperands([entries], (list) => {
    const keys = `list_transform(${list}, lambda "b": "b"${key})`;
    const first = `list_filter(${keys}, lambda "k", "i": "k" IS NULL OR list_position(${keys}, "k") = "i")`;
    const values = `list_transform(list_filter(${list}, lambda "b": "b"${key} = "k"), lambda "b": "b"${value})`;
    return `CASE WHEN ${list} IS NULL THEN NULL ELSE map(${first}, list_transform(${first}, lambda "k": ${values})) END`;
  });
}
