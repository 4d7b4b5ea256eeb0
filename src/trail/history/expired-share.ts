import { withinDocs } from './doc-cursor.ts';
import type { Cutoffs } from './event-query.ts';
import { firstAtMost, type EventSource } from './event-source.ts';

/** How many events of a source have expired. */
export function countExpired(source: EventSource, cutoffs: Cutoffs): number {
  let expired = 0;
  for (const [account, cutoff] of cutoffs) {
    if (source.oldest >= cutoff) continue;
    const first = firstAtMost(source, Math.ceil(cutoff) - 1);
    const { documents } = source;
    const cursor = withinDocs(source.withValues('AccountId', [account]), first, documents, documents);
    for (let doc = cursor.seek(first); doc < documents; doc = cursor.seek(doc + 1)) expired += 1;
  }
  return expired;
}
