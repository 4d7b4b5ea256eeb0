import { describe, expect, it } from 'vitest';
import { noteScan, openScanPacker, scanRecord } from '../history/index.ts';
import { countedRecord, isNotedAsNothing } from './counted-record.ts';

const record = {
  eventID: 'one',
  eventTime: '2026-11-22T10:00:00Z',
  eventName: 'CreateUser',
  eventSource: 'iam.amazonaws.com',
  awsRegion: 'us-east-1',
  recipientAccountId: '000000000000',
  readOnly: false,
};

describe('what is noted as nothing that insights look at', () => {
  it.each([
    ['a call that wrote', {}, false],
    ['one that read', { readOnly: true }, true],
    ['one that read and failed', { readOnly: true, errorCode: 'AccessDenied' }, false],
    ['an older record that read', { readOnly: true, managementEvent: true }, true],
    ['an object that was read', { readOnly: true, eventCategory: 'Data', managementEvent: false }, false],
    ["another system's event", { eventCategory: 'ActivityAuditLog', eventData: { eventName: 'x' } }, true],
    ['an insight', { eventCategory: 'Insight' }, false],
  ])('%s', (_, over, isNothing) => {
    const raw = Buffer.from(JSON.stringify({ ...record, ...over }));
    const scan = scanRecord(raw);
    if (scan.kind !== 'record') throw new Error(scan.problem);
    const packer = openScanPacker();
    packer.add(scan.record);
    expect(isNotedAsNothing(noteScan(packer.pack(), 0))).toBe(isNothing);
    if (isNothing) expect(countedRecord(raw)).toBeUndefined();
  });
});
