import { assert, sequence, type Sequence } from '../kernel/index.ts';
import { checkDocumentKey, compareKeys } from './document-key.ts';
import type { NewEntry } from '../journal/index.ts';
import type { Documents, StoredDocument } from './documents.ts';
import type { Change, ListOptions, StateDocument } from './state-types.ts';

/** The version of a document that the change itself put: it has no place in the journal yet. */
const ownVersion = sequence(-1);

/** What a change read, as it was answered. */
export type RememberedRead =
  | { readonly kind: 'get'; readonly key: string; readonly version: Sequence | undefined }
  | {
      readonly kind: 'list';
      readonly prefix: string;
      readonly options: ListOptions;
      readonly found: readonly { readonly key: string; readonly version: Sequence }[];
    };

/** A change with what the commit needs to know of it. */
export interface PreparedChange extends Change {
  readonly reads: readonly RememberedRead[];
  /** JSON text by key. */
  readonly puts: ReadonlyMap<string, string>;
  readonly deletes: ReadonlySet<string>;
}

/** The caller's own copy of a document. */
export function copyOf<T>(document: StoredDocument): StateDocument<T> {
  return { key: document.key, version: document.version, value: JSON.parse(document.json) as T };
}

/** Whether `read` would now be answered as it was. */
export function readHolds(documents: Documents, read: RememberedRead): boolean {
  if (read.kind === 'get') return documents.get(read.key)?.version === read.version;
  const now = documents.list(read.prefix, read.options);
  return (
    now.length === read.found.length &&
    now.every(({ key, version }, at) => key === read.found[at]?.key && version === read.found[at].version)
  );
}

/** Whether a commit that touches `key` could change the answer of `read`. */
export function readCovers(read: RememberedRead, key: string): boolean {
  if (read.kind === 'get') return read.key === key;
  const { after } = read.options;
  return key.startsWith(read.prefix) && (after === undefined || compareKeys(key, after) > 0);
}

/** Begins a change over what is committed. */
export function beginChange(documents: Documents): PreparedChange {
  const reads: RememberedRead[] = [];
  const puts = new Map<string, string>();
  const deletes = new Set<string>();
  const entries: NewEntry[] = [];

  /** The committed documents under `prefix` with the change's own puts and deletes laid over them. */
  function overlay(prefix: string, options: ListOptions): readonly StoredDocument[] {
    const ownDeletes = [...deletes].filter((key) => key.startsWith(prefix)).length;
    const limit = options.limit === undefined ? {} : { limit: options.limit + ownDeletes };
    const asked = { ...options, ...limit };
    const committed = documents.list(prefix, asked);
    const found = committed.map(({ key, version }) => ({ key, version }));
    reads.push({ kind: 'list', prefix, options: asked, found });
    const merged = new Map(committed.map((document) => [document.key, document]));
    for (const key of deletes) merged.delete(key);
    for (const [key, json] of puts) {
      const wanted =
        key.startsWith(prefix) && (options.after === undefined || compareKeys(key, options.after) > 0);
      if (wanted) merged.set(key, { key, json, version: ownVersion });
    }
    return [...merged.values()].toSorted((a, b) => compareKeys(a.key, b.key)).slice(0, options.limit);
  }

  return {
    reads,
    puts,
    deletes,
    entries,
    async get<T>(key: string) {
      checkDocumentKey(key);
      const own = puts.get(key);
      if (own !== undefined) return copyOf<T>({ key, json: own, version: ownVersion });
      if (deletes.has(key)) return undefined;
      const document = documents.get(key);
      reads.push({ kind: 'get', key, version: document?.version });
      return document && copyOf<T>(document);
    },
    list: async <T>(prefix: string, options: ListOptions = {}) =>
      overlay(prefix, options).map((document) => copyOf<T>(document)),
    async count(prefix) {
      const own = [...puts.keys()].filter((key) => key.startsWith(prefix) && !documents.get(key)).length;
      const gone = [...deletes].filter((key) => key.startsWith(prefix) && documents.get(key)).length;
      return documents.count(prefix) + own - gone;
    },
    put(key, value) {
      checkDocumentKey(key);
      const json = JSON.stringify(value) as string | undefined;
      assert(json !== undefined, `the value put under ${key} is not JSON`);
      puts.set(key, json);
      deletes.delete(key);
    },
    delete(key) {
      checkDocumentKey(key);
      puts.delete(key);
      deletes.add(key);
    },
    append: (entry) => void entries.push(entry),
  };
}
