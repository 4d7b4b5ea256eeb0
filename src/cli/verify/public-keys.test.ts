import { generateKeyPairSync } from 'node:crypto';
import { expect, it } from 'vitest';
import { askForKeys } from './public-keys.ts';

it('keys are asked for once, and again for a digest of a clock that was ahead', async () => {
  const now = Date.UTC(2026, 10, 30);
  const yearMs = 365 * 86_400_000;
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const Value = publicKey.export({ format: 'der', type: 'pkcs1' });
  const asked: number[] = [];
  const keys = askForKeys(async (_region, untilMs) => {
    asked.push(untilMs);
    return untilMs > now + 5 * yearMs ? [{ Fingerprint: 'ahead', Value }] : [{ Fingerprint: 'usual', Value }];
  }, now);
  expect(await keys.find('eu-west-1', 'usual', now - yearMs)).toBeDefined();
  expect(await keys.find('eu-west-1', 'none', now)).toBeUndefined();
  expect(asked).toEqual([now + 86_400_000]);
  expect(await keys.find('eu-west-1', 'ahead', now + 5 * yearMs)).toBeDefined();
  expect(await keys.find('eu-west-1', 'ahead', now + 5 * yearMs + 1)).toBeDefined();
  expect(asked).toHaveLength(2);
});
