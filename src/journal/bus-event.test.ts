import { describe, expect, it } from 'vitest';
import { sequence } from '../kernel/index.ts';
import { busEventText, decodeBusEvent, encodeBusEvent } from './bus-event.ts';
import { decodeEntry, encodeEntries } from './entry-codec.ts';

const bus = 'arn:aws:events:eu-central-1:000000000000:event-bus/default';

describe('an event in the journal', () => {
  it('comes back byte for byte, with the bus it is for and without a hash', () => {
    const text = busEventText({
      id: '17793124-05d4-b198-2fde-7ededc63b103',
      detailType: 'Object Created',
      source: 'aws.s3',
      account: '000000000000',
      region: 'eu-central-1',
      time: Date.UTC(2026, 10, 30, 2, 30, 0, 999),
      resources: ['arn:aws:s3:::logs'],
      detail: '{"bucket": {"name":"logs\\u00e9"},\n"n":1.0}',
    });
    const [bytes] = encodeEntries([encodeBusEvent(bus, text)], 1);
    const entry = decodeEntry(sequence(7), bytes as Buffer);
    expect(entry).toMatchObject({ kind: 'event', hash: undefined, sequence: 7 });
    const { head, raw } = decodeBusEvent(entry.payload);
    expect(head).toEqual({ version: 1, bus });
    expect(Buffer.from(raw).toString()).toBe(
      '{"version":"0","id":"17793124-05d4-b198-2fde-7ededc63b103","detail-type":"Object Created","source":"aws.s3",' +
        '"account":"000000000000","time":"2026-11-30T02:30:00Z","region":"eu-central-1","resources":["arn:aws:s3:::logs"],' +
        '"detail":{"bucket": {"name":"logs\\u00e9"},\n"n":1.0}}',
    );
  });

  it('is refused when a later version wrote it', () => {
    expect(() => decodeBusEvent(Buffer.from('{"version":2}\n{}'))).toThrow(/version 2/);
  });
});
