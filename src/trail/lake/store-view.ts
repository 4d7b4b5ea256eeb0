import type { ColumnsView } from '../../store/index.ts';
import { everythingId, type EventDataStoreDocument } from './store-documents.ts';
import { selectorsCondition } from './selector-sql.ts';

/** The rows of the columns that an event data store shows. */

const dayMs = 86_400_000;

function spansCondition(store: EventDataStoreDocument): string {
  const inRegion = ({ isMultiRegion = store.isMultiRegion }: { readonly isMultiRegion?: boolean }): string =>
    isMultiRegion ? '' : ` AND "awsRegion" = '${store.region}'`;
  const live = store.spans.map((span) => {
    const end = span.to === undefined ? '' : ` AND "_sequence" < ${span.to}`;
    return `("_sequence" >= ${span.from}${end}${inRegion(span)} AND ${selectorsCondition(span.selectors)})`;
  });
  const brought = store.imported.map((span) => {
    const times = `"eventTime" BETWEEN epoch_ms(${span.from}) AND epoch_ms(${span.to})`;
    return `(${times}${inRegion(span)} AND ${selectorsCondition(span.selectors)})`;
  });
  const all = [...live, ...brought];
  return all.length === 0 ? 'false' : `(${all.join(' OR ')})`;
}

/** Of the events from outside AWS, those that came through a channel while it wrote to this event data store. */
function channelsCondition({ channels }: EventDataStoreDocument): string {
  const spans = channels.map(({ channelArn, from, to }) => {
    const end = to === undefined ? '' : ` AND "_sequence" < ${to}`;
    return `("metadata".channelARN = '${channelArn}' AND "_sequence" >= ${from}${end})`;
  });
  const wanted = spans.length === 0 ? 'false' : spans.join(' OR ');
  return `("eventCategory" IS DISTINCT FROM 'ActivityAuditLog' OR coalesce(${wanted}, false))`;
}

/** Of the Insights events, those of event data stores whose insights went to this one. */
function insightsCondition({ insightSources = [] }: EventDataStoreDocument): string {
  const spans = insightSources.map(({ sourceArn, from, to }) => {
    const end = to === undefined ? '' : ` AND "_sequence" < ${to}`;
    return `("insightSource" = '${sourceArn}' AND "_sequence" >= ${from}${end})`;
  });
  const wanted = spans.length === 0 ? 'false' : spans.join(' OR ');
  return `("eventCategory" IS DISTINCT FROM 'Insight' OR coalesce(${wanted}, false))`;
}

/** The view of an event data store at `now` (epoch milliseconds). What is past its retention is not in it. */
export function viewOfStore(store: EventDataStoreDocument, now: number): ColumnsView {
  const conditions = [
    `"eventTime" >= epoch_ms(${now - store.retentionDays * dayMs})`,
    spansCondition(store),
    channelsCondition(store),
    insightsCondition(store),
  ];
  return { name: store.id, owner: store.accountId, where: conditions.join(' AND ') };
}

/** The view of everything of an account, as far back as its history goes. */
export function viewOfEverything(
  accountId: string,
  now: number,
  retentionDays: number | undefined,
): ColumnsView {
  return {
    name: everythingId,
    owner: accountId,
    ...(retentionDays !== undefined && { where: `"eventTime" >= epoch_ms(${now - retentionDays * dayMs})` }),
  };
}
