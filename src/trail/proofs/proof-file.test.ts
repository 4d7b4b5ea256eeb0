import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { leafHash, rootOver } from './merkle-tree.ts';
import { checkProof, formatProof } from './proof-file.ts';
import { NoteError, openNoteSigner, readText } from './signed-note.ts';
import { openTileProofs } from './tile-proofs.ts';

const records = Array.from({ length: 13 }, (_, index) => Buffer.from(`{"eventID":"${index}"}`));
const entries = records.map((record) => hash('sha256', record, 'buffer'));
const leaves = Buffer.concat(entries.map(leafHash));
const signer = openNoteSigner('example.com/log', Buffer.alloc(32, 7));
const checkpoint = signer.sign(`example.com/log\n13\n${rootOver(leaves, 13).toString('base64')}\n`);
const { key } = signer;

async function proofOf(index: number): Promise<string> {
  const hashes = await openTileProofs(() => Promise.resolve(leaves), 13).inclusion(index);
  return formatProof({ entry: entries[index] ?? Buffer.alloc(32), index, hashes, checkpoint });
}

describe('a proof', () => {
  it('has the form of the specification', async () => {
    const text = await proofOf(12);
    const lines = text.split('\n');
    expect(lines.slice(0, 3)).toEqual([
      'c2sp.org/tlog-proof@v1',
      `extra ${entries[12]?.toString('base64')}`,
      'index 12',
    ]);
    // The path of the last of 13: over 8 and over 4.
    expect(lines.slice(3, 6).map((line) => line.length)).toEqual([44, 44, 0]);
    expect(text.endsWith(`\n\n${checkpoint}`)).toBe(true);
  });

  it('holds for its record, with or without a newline behind it', async () => {
    for (const [index, record] of records.entries()) {
      const text = await proofOf(index);
      expect(checkProof(text, { key }).index).toBe(index);
      expect(checkProof(text, { key, record }).checkpoint.size).toBe(13);
      expect(checkProof(text, { key, record: Buffer.concat([record, Buffer.from('\n')]) }).index).toBe(index);
    }
  });

  it('says so when any bit of it is another', async () => {
    const proof = Buffer.from(await proofOf(5));
    for (let bit = 0; bit < proof.length * 8; bit += 1) {
      const changed = Buffer.from(proof);
      const at = Math.floor(bit / 8);
      changed[at] = (changed[at] ?? 0) ^ (1 << (bit % 8));
      expect(() => checkProof(readText(changed), { key }), `bit ${bit}`).toThrow(NoteError);
    }
  });

  it('says so when any bit of the record is another', async () => {
    const proof = await proofOf(5);
    const record = records[5] ?? Buffer.alloc(0);
    for (let bit = 0; bit < record.length * 8; bit += 1) {
      const changed = Buffer.from(record);
      const at = Math.floor(bit / 8);
      changed[at] = (changed[at] ?? 0) ^ (1 << (bit % 8));
      expect(() => checkProof(proof, { key, record: changed }), `bit ${bit}`).toThrow(
        /the record is not the one/,
      );
    }
  });

  it('cut off anywhere is none', async () => {
    const proof = await proofOf(5);
    for (let length = 0; length < proof.length; length += 1) {
      expect(() => checkProof(proof.slice(0, length), { key })).toThrow(NoteError);
    }
  });

  it.each([
    [/index 5/, 'index 4', /does not lead to the checkpoint's root/],
    [/index 5/, 'index 13', /the checkpoint has 13 entries only/],
    [/index 5/, 'index 05', /third line/],
    [/extra .*\n/, '', /second line/],
    [/(index 5\n).*\n/, '$1', /the path has 3 hashes/],
    [/tlog-proof@v1/, 'tlog-proof@v2', /first line/],
    [/example.com\/log\n13/, 'example.com/log\n14', /is not over this checkpoint/],
  ])('with %s as %j: the words say what is wrong', async (from, to, words) => {
    expect(() => checkProof('', { key })).toThrow(NoteError);
    const changed = (await proofOf(5)).replace(from, to);
    expect(() => checkProof(changed, { key })).toThrow(words);
  });

  it('needs the cosignatures of the witnesses that are asked for', async () => {
    const witness = openNoteSigner('witness.example', Buffer.alloc(32, 3)).key;
    const text = await proofOf(5);
    expect(() => checkProof(text, { key, witnesses: [witness] })).toThrow(
      /not cosigned by the witness witness.example/,
    );
  });
});
