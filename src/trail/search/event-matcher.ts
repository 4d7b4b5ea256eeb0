import {
  attributeValues,
  parseAddressRange,
  type EventFilter,
  type ScannedRecord,
} from '../history/index.ts';
import { isInRange } from '../history/address-range.ts';

/** Says whether one record matches; the same as a search with the filter would. */
export type EventMatcher = (record: ScannedRecord, raw: Uint8Array) => boolean;

/** Makes a filter ready to be asked of one record after the other. */
export function matcherOf(filter: EventFilter): EventMatcher {
  const conditions = (filter.attributes ?? []).map(({ name, values, not }) => ({
    name,
    values: new Set(values),
    wanted: not !== true,
  }));
  const { from = -Infinity, to = Infinity, text } = filter;
  const range = filter.sourceCidr === undefined ? undefined : parseAddressRange(filter.sourceCidr);
  return (record, raw) => {
    if (record.eventTime < from || record.eventTime > to) return false;
    for (const { name, values, wanted } of conditions) {
      if (attributeValues(record, name).some((value) => values.has(value)) !== wanted) return false;
    }
    if (range && !(record.sourceIpAddress !== undefined && isInRange(record.sourceIpAddress, range)))
      return false;
    return text === undefined || Buffer.from(raw.buffer, raw.byteOffset, raw.length).includes(text);
  };
}
