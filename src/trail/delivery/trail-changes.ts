import type { JournalEntry } from '../../journal/index.ts';
import { decodeChange } from '../../state/index.ts';
import { trailKey, trailsPrefix, type TrailDocument } from '../trails/trail-documents.ts';
import type { CollectingTrail } from './collect-pass.ts';
import { loggingOf, type LoggingSettings } from './delivery-documents.ts';

/** A change of what a trail logs, at its place in the journal. */
export interface TrailChange {
  readonly sequence: number;
  /** Which of the trails. */
  readonly trail: number;
  readonly logging: LoggingSettings;
}

/** Follows the settings of trails along the journal. */
export interface TrailChanges {
  /** Of each trail, as they are behind the last entry. */
  readonly logging: readonly LoggingSettings[];
  /** What the next entry, which is a change of the control state, changes for these trails. */
  of(entry: JournalEntry): readonly TrailChange[];
}

const isTrail = (key: string) => key.startsWith(trailsPrefix);
const trailsMark = Buffer.from(`"${trailsPrefix}`);

/** The trails that a change of the control state puts, by key; undefined for those that it deletes. */
export function changedTrails({
  sequence: at,
  payload,
}: JournalEntry): ReadonlyMap<string, TrailDocument | undefined> {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  if (!bytes.includes(trailsMark)) return new Map();
  const { puts, deletes } = decodeChange(at, payload);
  return new Map([
    ...deletes.filter(isTrail).map((key) => [key, undefined] as const),
    ...puts
      .filter(({ key }) => isTrail(key))
      .map(({ key, json }) => [key, JSON.parse(json) as TrailDocument] as const),
  ]);
}

export function openTrailChanges(trails: readonly CollectingTrail[]): TrailChanges {
  const logging = trails.map((trail) => trail.logging);
  // Several stand under one key when a trail was deleted and another one made under its name.
  const byKey = Map.groupBy(trails.keys(), (place) => {
    const { accountId, homeRegion, name } = trails[place] as CollectingTrail;
    return trailKey(accountId, homeRegion, name);
  });

  function after(place: number, changed: TrailDocument | undefined): LoggingSettings | undefined {
    const known = logging[place];
    // The last record that a trail logs is that of its deletion.
    if (!changed) return known && { ...known, isLogging: false };
    return changed.incarnation === trails[place]?.incarnation ? loggingOf(changed) : undefined;
  }

  return {
    logging,
    of(entry) {
      const changes: TrailChange[] = [];
      for (const [key, changed] of changedTrails(entry)) {
        for (const trail of byKey.get(key) ?? []) {
          if (entry.sequence < (trails[trail]?.position ?? 0)) continue;
          const next = after(trail, changed);
          if (!next) continue;
          logging[trail] = next;
          changes.push({ sequence: entry.sequence, trail, logging: next });
        }
      }
      return changes;
    },
  };
}
