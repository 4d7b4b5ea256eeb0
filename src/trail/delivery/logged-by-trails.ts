import type { Sequence } from '../../kernel/index.ts';
import type { JournalEntry, Stream } from '../../journal/index.ts';
import type { StateView } from '../../state/index.ts';
import { readTrails, trailKey, type TrailDocument } from '../trails/trail-documents.ts';
import { loggingOf } from './delivery-documents.ts';
import { openRecordView } from './record-view.ts';
import { openSelection, type Selection } from './selection.ts';
import { changedTrails } from './trail-changes.ts';

/** Which records are logged by a trail of their account, along the journal. */
export interface LoggedByTrails {
  /** Takes the next entry of the `audit` stream; every one, in order. */
  follow(entry: JournalEntry): void;
  /** Whether a trail logs the record of the entry that was followed last. */
  selects(entry: JournalEntry): boolean;
}

type Named = Pick<TrailDocument, 'accountId' | 'homeRegion' | 'name'>;

function namedBy(key: string): Named {
  const [accountId = '', homeRegion = '', name = ''] = key.split('/').slice(-3);
  return { accountId, homeRegion, name };
}

/**
 * Opens it at a place of the journal. What is kept of trails is how they are now; where the rest of the journal changes one,
 * how it was before is told by nothing. It is taken for one that logged all management events: whoever stops a trail, and the
 * server with it, hides nothing by that.
 */
export async function openLoggedByTrails(options: {
  readonly state: StateView;
  readonly stream: Pick<Stream, 'read'>;
  readonly from: Sequence;
}): Promise<LoggedByTrails> {
  const { state, stream, from } = options;
  const trails = new Map<string, Selection>();
  /** The keys of an account's trails. */
  const byAccount = new Map<string, Set<string>>();
  /** Deleted by the change before: the record of that has been met by the next one. */
  let ended: readonly string[] = [];
  const view = openRecordView();

  function add(key: string, trail: Named, logging: Parameters<typeof openSelection>[1]): Selection {
    const selection = openSelection(trail, logging);
    trails.set(key, selection);
    const keys = byAccount.get(trail.accountId) ?? new Set();
    byAccount.set(trail.accountId, keys.add(key));
    return selection;
  }

  function drop(key: string): void {
    trails.delete(key);
    byAccount.get(namedBy(key).accountId)?.delete(key);
  }

  const everything = { isLogging: true, isMultiRegion: true, includeGlobalServiceEvents: true };
  const nothing = { ...everything, isLogging: false };

  for (const trail of await readTrails(state))
    add(trailKey(trail.accountId, trail.homeRegion, trail.name), trail, loggingOf(trail));
  for await (const { entries } of stream.read(from)) {
    for (const entry of entries) {
      if (entry.kind !== 'change') continue;
      for (const key of changedTrails(entry).keys()) add(key, namedBy(key), everything);
    }
  }

  return {
    follow(entry) {
      if (entry.kind !== 'change') return;
      const changed = changedTrails(entry);
      if (changed.size === 0) return;
      for (const key of ended) drop(key);
      ended = [];
      for (const [key, trail] of changed) {
        const selection = trails.get(key) ?? add(key, namedBy(key), nothing);
        selection.change(entry.sequence, trail ? loggingOf(trail) : nothing);
        if (!trail) ended = [...ended, key];
      }
    },
    selects(entry) {
      if (trails.size === 0 || view.read(entry.payload) !== undefined) return false;
      const { accountId } = view.event.scanned;
      for (const key of byAccount.get(accountId) ?? []) {
        if (trails.get(key)?.classOf(entry.sequence, view.event) !== undefined) return true;
      }
      return false;
    },
  };
}
