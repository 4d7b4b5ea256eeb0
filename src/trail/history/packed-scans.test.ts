import { describe, expect, it } from 'vitest';
import { openEventGenerator } from '../../../bench/events.ts';
import { noteScan, openScanPacker, scansOf, unpackScan } from './packed-scans.ts';
import { scanRecord } from './scan-record.ts';
import type { ScannedRecord } from './scanned-record.ts';
import { openTail } from './tail.ts';

describe('packed scans', () => {
  it('are what they were, also on the other side of a thread', () => {
    const generator = openEventGenerator({ seed: 7 });
    const packer = openScanPacker();
    const records: ScannedRecord[] = [];
    for (let count = 0; count < 500; count++) {
      const scan = scanRecord(Buffer.from(generator.next()));
      if (scan.kind !== 'record') throw new Error('the generator makes good records');
      records.push(scan.record);
      packer.add(scan.record);
    }
    const packed = structuredClone(packer.pack());
    expect(records.map((_, index) => unpackScan(packed, index))).toEqual(records);
    expect(scansOf(noteScan(packed, 3))).toEqual({ scans: packed, index: 3 });
    expect(new Set(packed.texts).size).toBe(packed.texts.length);
  });

  it('fill a tail as the scans themselves do', () => {
    const generator = openEventGenerator({ seed: 8 });
    const [plain, packed] = [openTail(600), openTail(600)];
    for (let file = 0; file < 3; file++) {
      const packer = openScanPacker();
      const raws = Array.from({ length: 200 }, () => Buffer.from(generator.next()));
      for (const raw of raws) {
        const scan = scanRecord(raw);
        if (scan.kind !== 'record') throw new Error('the generator makes good records');
        packer.add(scan.record);
        plain.add(raw, scan.record);
      }
      const scans = structuredClone(packer.pack());
      raws.forEach((raw, index) => packed.addPacked(raw, scans, index));
    }
    expect(packed.pack()).toEqual(plain.pack());
    expect(packed.count).toBe(600);
  });

  it('are not found in other notes', () => {
    expect([undefined, null, 1, {}, 'x'].map(scansOf)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});
