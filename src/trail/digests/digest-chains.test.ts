import { existsSync, readFileSync } from 'node:fs';
import { publicDecrypt } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketDown, hourMs, openDigestsFixture, trailNamed } from '../../../test/digests-fixture.ts';
import type { FileToPut } from '../buckets.ts';
import { fingerprintOf, sha256Hex } from './digest-format.ts';

interface DigestBody {
  readonly digestStartTime: string;
  readonly digestEndTime: string;
  readonly previousDigestS3Object: string | null;
  readonly previousDigestHashValue: string | null;
  readonly previousDigestSignature: string | null;
  readonly logFiles: readonly { readonly s3Object: string }[];
}

/** What may happen to a trail between two looks of the digests. */
type Happening =
  | { readonly kind: 'deliver'; readonly lateMs: number }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'fail'; readonly when: 'before' | 'after' | 'never' }
  | { readonly kind: 'crash' }
  | { readonly kind: 'stop' }
  | { readonly kind: 'start' };

const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({ kind: fc.constant('deliver' as const), lateMs: fc.constantFrom(0, 0, 0, 1000, 2 * hourMs) }),
  fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1000, max: 3 * hourMs }) }),
  fc.record({
    kind: fc.constant('fail' as const),
    when: fc.constantFrom('before', 'after', 'never', 'never'),
  }),
  fc.constant({ kind: 'crash' as const }),
  fc.constant({ kind: 'stop' as const }),
  fc.constant({ kind: 'start' as const }),
);

/** Fails unless every digest but the starting ones is chained to the one before it, by hash and by signature. */
function expectChained(files: readonly FileToPut[]): void {
  const digests = files.map(({ key, body, metadata = {} }) => {
    const inflated = gunzipSync(body);
    return {
      key,
      metadata,
      sha256: sha256Hex(inflated),
      body: JSON.parse(inflated.toString()) as DigestBody,
    };
  });
  digests.forEach(({ body }, at) => {
    if (body.previousDigestSignature === null) return;
    const before = digests[at - 1];
    expect(body.previousDigestS3Object).toBe(before?.key);
    expect(body.previousDigestHashValue).toBe(before?.sha256);
    expect(body.previousDigestSignature).toBe(before?.metadata['signature']);
    if (!before?.key.includes('_backfill')) expect(body.digestStartTime).toBe(before?.body.digestEndTime);
  });
}

describe('chains of digests', () => {
  it('list every log file once, stay whole and never change a digest, whatever happens in between', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { maxLength: 25 }), async (happenings) => {
        await using fixture = await openDigestsFixture();
        let trail = trailNamed('main');
        await fixture.setTrail(trail);
        await fixture.pass(0);
        const delivered: string[] = [];
        for (const one of happenings) {
          const now = fixture.clock.now();
          if (one.kind === 'deliver') {
            const { key } = await fixture.deliver(trail, { deliveredAt: now - one.lateMs });
            delivered.push(key);
          } else if (one.kind === 'pass') {
            await fixture.pass(one.ms, hourMs / 2);
          } else if (one.kind === 'fail') {
            fixture.failing = (_, when) => {
              if (when === one.when) bucketDown();
            };
          } else if (one.kind === 'crash') {
            await fixture.restart();
          } else if (one.kind === 'stop' && trail.isLogging) {
            trail = { ...trail, isLogging: false, stoppedAt: now };
            await fixture.setTrail(trail);
          } else if (one.kind === 'start' && !trail.isLogging) {
            trail = { ...trail, isLogging: true, startedAt: now };
            await fixture.setTrail(trail);
          }
        }
        fixture.failing = undefined;
        await fixture.pass(6 * hourMs, hourMs / 2);
        const bodies = new Map<string, Buffer>();
        for (const { key, body } of fixture.puts) {
          expect(bodies.get(key) ?? Buffer.from(body)).toEqual(Buffer.from(body));
          bodies.set(key, Buffer.from(body));
        }
        const files = [...fixture.files.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
        expectChained(files.filter(({ key }) => !key.includes('_backfill')));
        expectChained(files.filter(({ key }) => key.includes('_backfill')));
        const listed = files.flatMap(({ body }) =>
          (JSON.parse(gunzipSync(body).toString()) as DigestBody).logFiles.map(({ s3Object }) => s3Object),
        );
        expect(listed.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(
          delivered.toSorted((a, b) => (a < b ? -1 : 1)),
        );
        expect(await fixture.state.count('trail/delivered/')).toBe(0);
      }),
      { numRuns: 40 },
    );
  });
});

const documented = '../shared/data/cloudtrail-digest-keys.json';

describe.skipIf(!existsSync(documented))('the keys that the CloudTrail documentation prints', () => {
  const { keys, signatures_in_docs: signatures } = (
    existsSync(documented)
      ? JSON.parse(readFileSync(documented, 'utf8'))
      : { keys: [], signatures_in_docs: [] }
  ) as {
    readonly keys: readonly {
      readonly value_b64: string;
      readonly fingerprint: string;
      readonly encoding: string;
    }[];
    readonly signatures_in_docs: readonly string[];
  };

  it('have the fingerprints that it prints', () => {
    expect(keys.length).toBe(3);
    for (const { value_b64: value, fingerprint } of keys) {
      expect(fingerprintOf(Buffer.from(value, 'base64'))).toBe(fingerprint);
    }
  });

  it('open its signatures to a SHA-256 in PKCS#1 v1.5, as we sign', () => {
    const key = keys.find(({ fingerprint }) => fingerprint.startsWith('31e8b543'));
    const publicKey = {
      key: Buffer.from(key?.value_b64 ?? '', 'base64'),
      format: 'der',
      type: 'spki',
    } as const;
    for (const start of ['50887ccf', '82705525']) {
      const signature = signatures.find((one) => one.startsWith(start)) ?? '';
      const opened = publicDecrypt({ ...publicKey }, Buffer.from(signature, 'hex')).toString('hex');
      // DigestInfo of SHA-256 (RFC 8017, 9.2), and 32 bytes.
      expect(opened).toMatch(/^3031300d060960864801650304020105000420[0-9a-f]{64}$/);
    }
  });
});
