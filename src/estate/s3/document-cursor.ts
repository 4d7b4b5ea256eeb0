import type { StateDocument, StateView } from '../../state/index.ts';

/** Walks documents in key order, a page at a time, and leaps over stretches that nobody wants. */
export interface DocumentCursor<T> {
  /** The next document, without moving on; undefined at the end. */
  peek(): Promise<StateDocument<T> | undefined>;
  /** Moves behind what `peek` gave. */
  next(): void;
  /** Moves behind every document whose key begins with `prefix`. */
  leap(prefix: string): void;
}

/** What begins with a prefix and goes on with this sorts behind nearly everything else that begins with it. */
const last = '\u{10ffff}';

/** The key behind which a walk begins that leaves out what begins with `prefix`, as well as that can be said in one key. */
export const behind = (prefix: string): string => prefix + last;

const smallPage = 16;
const largePage = 1000;

/** Opens a cursor over the documents that begin with `prefix`, strictly behind `after`. */
export function openCursor<T>(
  view: Pick<StateView, 'list'>,
  prefix: string,
  after?: string,
): DocumentCursor<T> {
  let page: readonly StateDocument<T>[] = [];
  let at = 0;
  let from = after;
  let ended = false;
  let size = smallPage;

  async function fill(): Promise<void> {
    while (at >= page.length && !ended) {
      page = await view.list<T>(prefix, { limit: size, ...(from !== undefined && { after: from }) });
      at = 0;
      ended = page.length < size;
      from = page.at(-1)?.key ?? from;
      // A walk that leaps throws most of a page away, one that does not wants large ones.
      size = Math.min(largePage, size * 2);
    }
  }

  return {
    async peek() {
      await fill();
      return page[at];
    },
    next() {
      at += 1;
    },
    leap(over) {
      const left = page.slice(at).findIndex(({ key }) => !key.startsWith(over));
      at = left === -1 ? page.length : at + left;
      if (at < page.length || ended) return;
      // What sorts behind even that key is met one by one; there is next to nothing.
      if (!from?.startsWith(behind(over))) from = behind(over);
      size = smallPage;
    },
  };
}
