import { describe, expect, it } from 'vitest';
import { cosignatureKey, openCheckpoint, parseCheckpoint } from './checkpoint.ts';
import {
  ed25519Verifies,
  formatVerifierKey,
  NoteError,
  openNoteSigner,
  parseNote,
  parseVerifierKey,
  signaturesOf,
} from './signed-note.ts';

/** Key, text and signature of golang.org/x/mod/sumdb/note (note_test.go). */
const known = {
  verifierKey: 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
  /** `PRIVATE+KEY+PeterNeumann+c74f20a3+` and this. */
  privateKey: 'AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz',
  text: "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n",
  signature:
    '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n',
};
const note = `${known.text}\n${known.signature}`;

describe('signed notes', () => {
  it('are signed as the reference implementation signs them, byte for byte', () => {
    const signer = openNoteSigner('PeterNeumann', Buffer.from(known.privateKey, 'base64').subarray(1));
    expect(signer.sign(known.text)).toBe(note);
    expect(formatVerifierKey(signer.key)).toBe(known.verifierKey);
  });

  it('are verified', () => {
    const key = parseVerifierKey(known.verifierKey);
    const parsed = parseNote(note);
    const [signature] = signaturesOf(parsed, key);
    expect(parsed.text).toBe(known.text);
    expect(signature && ed25519Verifies(key.publicKey, Buffer.from(parsed.text), signature.bytes)).toBe(true);
    expect(signature && ed25519Verifies(key.publicKey, Buffer.from(`${parsed.text} `), signature.bytes)).toBe(
      false,
    );
  });

  it('no part and no mangling of a verifier key is one', () => {
    const text = known.verifierKey;
    for (let from = 0; from <= text.length; from += 1) {
      for (let to = from + 1; to <= text.length; to += 1) {
        if (from !== 0 || to !== text.length) {
          expect(() => parseVerifierKey(text.slice(from, to))).toThrow(NoteError);
        }
      }
    }
    for (let at = 0; at < text.length; at += 1) {
      const mangled = text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) + 1) + text.slice(at + 1);
      expect(() => parseVerifierKey(mangled)).toThrow(NoteError);
    }
    // Of another length and of an unknown type, with the ids that belong to them.
    for (const bad of [
      'PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==',
      'PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
    ]) {
      expect(() => parseVerifierKey(bad)).toThrow(NoteError);
    }
  });

  it.each([
    ['no empty line', known.text + known.signature],
    ['no signature', `${known.text}\n`],
    ['no newline at the end', note.slice(0, -1)],
    ['a hyphen for the dash', note.replace('— ', '- ')],
    ['two spaces', note.replace('— ', '—  ')],
    ['a plus in the name', note.replace('— Peter', '— Peter+')],
    ['a control character', note.replace('think', 'thi\u0007nk')],
    ['a carriage return', note.replaceAll('\n', '\r\n')],
    ['a signature that is too short', `${known.text}\n— PeterNeumann x08go\n`],
    ['base 64 in another form', note.replace('JnAM=', 'JnAN=')],
    ['too many signatures', `${known.text}\n${known.signature.repeat(101)}`],
  ])('%s: not a note', (_what, text) => {
    expect(() => parseNote(text)).toThrow(NoteError);
  });

  it('take as many signatures as the specification asks for, and ignore those of unknown keys', () => {
    const parsed = parseNote(
      `${known.text}\n${known.signature.replace('Peter', 'Paul').repeat(16)}${known.signature}`,
    );
    expect(signaturesOf(parsed, parseVerifierKey(known.verifierKey))).toHaveLength(1);
  });
});

/** The example of the specifications tlog-checkpoint and tlog-cosignature. */
const example = `example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
`;

describe('checkpoints', () => {
  it('are read as the specification shows them', () => {
    const { origin, size, root, note: parsed } = parseCheckpoint(example);
    expect([origin, size, root.length]).toEqual(['example.com/behind-the-sofa', 20_852_163, 32]);
    const [log, witness] = parsed.signatures;
    expect([log?.bytes.length, witness?.bytes.length]).toEqual([64, 72]);
    expect(Buffer.from(witness?.bytes ?? []).readBigUInt64BE()).toBe(1_679_315_147n);
  });

  it.each([
    ['a size with a zero before it', example.replace('\n2085', '\n02085')],
    ['a size that is none', example.replace('20852163', 'many')],
    ['a size beyond all numbers', example.replace('20852163', '99999999999999999999')],
    [
      'a root that is too short',
      example.replace('CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=', 'CsUYapGGPo4='),
    ],
    ['no origin', example.slice(example.indexOf('\n'))],
    ['two lines only', example.replace(/\nCsU.*=\n\n/, '\n\n')],
  ])('%s: not a checkpoint', (_what, text) => {
    expect(() => parseCheckpoint(text)).toThrow(NoteError);
  });

  it('are believed with the signature of the key that is trusted alone, under the name of the log', () => {
    const signer = openNoteSigner('example.com/log', Buffer.alloc(32, 7));
    const other = openNoteSigner('example.com/log', Buffer.alloc(32, 8));
    const root = 'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=';
    const good = signer.sign(`example.com/log\n5\n${root}\n`);
    expect(openCheckpoint(good, signer.key).size).toBe(5);
    expect(() => openCheckpoint(good, other.key)).toThrow(/is not signed by/);
    expect(() => openCheckpoint(good.replace('\n5\n', '\n6\n'), signer.key)).toThrow(/was changed/);
    expect(() => openCheckpoint(signer.sign(`example.com/other\n5\n${root}\n`), signer.key)).toThrow(
      /is of the log/,
    );
  });

  it("a witness's key has the id of cosignatures, given as either type", () => {
    const { key } = openNoteSigner('witness.example/w1', Buffer.alloc(32, 9));
    const cosigner = cosignatureKey(key);
    expect(formatVerifierKey(cosigner)).not.toBe(formatVerifierKey(key));
    expect(cosignatureKey(parseVerifierKey(formatVerifierKey(cosigner)))).toEqual(cosigner);
  });
});
