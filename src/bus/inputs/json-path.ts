import { isRawNumber } from '../event-json.ts';

/**
 * JSON paths as EventBridge takes them ("Amazon EventBridge input transformation"): dots before names of letters, digits,
 * dashes, underscores and slashes, indices of arrays, and `*` for all that an object or an array holds. Nothing else of
 * JSONPath, above all no names in brackets, no filters and no `..`.
 */
export type JsonPath = readonly PathStep[];

type PathStep =
  | { readonly kind: 'member'; readonly name: string }
  | { readonly kind: 'item'; readonly index: number }
  | { readonly kind: 'all' };

const stepForm = /\.(?<name>[\p{L}\p{N}_/-]+)|\[(?<index>\d{1,9})\]|(?<all>\.\*|\[\*\])/uy;

/** The path, or why it is none. */
export type ReadPath =
  | { readonly kind: 'path'; readonly path: JsonPath }
  | { readonly kind: 'refused'; readonly reason: string };

export function readJsonPath(text: string): ReadPath {
  if (!text.startsWith('$')) return { kind: 'refused', reason: 'A path begins with $' };
  const path: PathStep[] = [];
  stepForm.lastIndex = 1;
  while (stepForm.lastIndex < text.length) {
    const at = stepForm.lastIndex;
    const groups = stepForm.exec(text)?.groups;
    if (!groups)
      return { kind: 'refused', reason: `Unsupported path syntax at character ${at + 1}: ${text.slice(at)}` };
    if (groups['name'] !== undefined) path.push({ kind: 'member', name: groups['name'] });
    else if (groups['index'] !== undefined) path.push({ kind: 'item', index: Number(groups['index']) });
    else path.push({ kind: 'all' });
  }
  return { kind: 'path', path };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawNumber(value);
}

function take(value: unknown, step: PathStep): readonly unknown[] {
  switch (step.kind) {
    case 'member':
      return isObject(value) && Object.hasOwn(value, step.name) ? [value[step.name]] : [];
    case 'item':
      return Array.isArray(value) && step.index < value.length ? [value[step.index]] : [];
    case 'all':
      if (Array.isArray(value)) return value;
      return isObject(value) ? Object.values(value) : [];
  }
}

/** What is at a path: undefined for nothing; for a path with `*` the list of all that there is. */
export function valueAt(event: unknown, path: JsonPath): unknown {
  const values = path.reduce<readonly unknown[]>(
    (found, step) => found.flatMap((value) => take(value, step)),
    [event],
  );
  return path.some(({ kind }) => kind === 'all') ? values : values[0];
}
