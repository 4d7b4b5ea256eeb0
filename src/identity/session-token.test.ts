import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accountId, seededRandom } from '../kernel/index.ts';
import { accountOfAccessKeyId, newAccessKeyId } from './access-key-id.ts';
import { deriveCipher } from './cipher.ts';
import { openSession, packedSize, sealSession, type SessionContent } from './session-token.ts';

const random = seededRandom(3);
const cipher = deriveCipher(random.bytes(32), 'sessions', random);
const session: SessionContent = {
  kind: 'key',
  accountId: accountId('123456789012'),
  secretAccessKey: 'hush',
  issuedAt: 1,
  expiresAt: 2,
  parentAccessKeyId: 'AKIAEXAMPLE000000000',
};

describe('session tokens', () => {
  it('open to what was sealed, with their own access key id alone', () => {
    const token = sealSession(cipher, 'ASIAONE', session);
    expect(openSession(cipher, 'ASIAONE', token)).toEqual(session);
    expect(openSession(cipher, 'ASIATWO', token)).toBeUndefined();
    expect(openSession(deriveCipher(random.bytes(32), 'sessions', random), 'ASIAONE', token)).toBeUndefined();
  });

  it('are filled up to the size that is asked for', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4096 }), (size) => {
        const token = sealSession(cipher, 'ASIAONE', session, size);
        expect(token.length).toBeGreaterThanOrEqual(size);
        expect(token.length).toBeLessThan(Math.max(size, 300) + 12);
        expect(openSession(cipher, 'ASIAONE', token)).toEqual(session);
      }),
    );
  });

  it('never open once a character has changed, was added or is missing', () => {
    const token = sealSession(cipher, 'ASIAONE', session);
    fc.assert(
      fc.property(
        fc.nat({ max: token.length - 1 }),
        fc.string({ minLength: 1, maxLength: 1 }),
        (at, other) => {
          fc.pre(token[at] !== other);
          const changed = token.slice(0, at) + other + token.slice(at + 1);
          expect(openSession(cipher, 'ASIAONE', changed)).toBeUndefined();
          expect(openSession(cipher, 'ASIAONE', token.slice(0, at))).toBeUndefined();
          expect(openSession(cipher, 'ASIAONE', token + other)).toBeUndefined();
        },
      ),
    );
  });

  it('are refused, not crashed upon, when they are anything else', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String()), (text) => {
        expect(openSession(cipher, 'ASIAONE', text)).toBeUndefined();
      }),
    );
  });

  it('say how much of the allotted space policies and tags take', () => {
    expect(packedSize({})).toBeLessThanOrEqual(1);
    const noise = Buffer.from(random.bytes(6000)).toString('base64');
    expect(packedSize({ tags: [['key', noise]] })).toBeGreaterThan(100);
  });
});

describe('access key ids', () => {
  it('carry their account', () => {
    const anyAccount = fc
      .bigInt(0n, 999_999_999_999n)
      .map((value) => accountId(value.toString().padStart(12, '0')));
    fc.assert(
      fc.property(anyAccount, fc.constantFrom('AKIA' as const, 'ASIA' as const), (account, prefix) => {
        const id = newAccessKeyId(prefix, account, random);
        expect(id).toMatch(/^A[KS]IA[A-Z2-7]{16}$/);
        expect(accountOfAccessKeyId(id)).toBe(account);
      }),
    );
  });

  it('of other forms carry none', () => {
    for (const id of ['', 'AKIAIOSFODNN7EXAMPLE', 'AIDAQAAAAAAAAAAAAAAA', 'AKIAZ7777777777777777', 'AKIAQ']) {
      expect(accountOfAccessKeyId(id)).toBeUndefined();
    }
  });
});
