import { accountId, type AccountId, type Random } from '../kernel/index.ts';

/**
 * Access key ids carry their account, as AWS's do: of the 80 bits that follow the prefix the first is set, the next
 * 40 are the account's number, and the rest is random. So GetAccessKeyInfo and incident tools that decode an id
 * without asking anybody find the right account.
 */
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const randomBits = 39n;

/** A new id. AKIA… for long-term keys, ASIA… for temporary credentials. */
export function newAccessKeyId(prefix: 'AKIA' | 'ASIA', account: AccountId, random: Random): string {
  const noise = BigInt(`0x${Buffer.from(random.bytes(5)).toString('hex')}`) & ((1n << randomBits) - 1n);
  let bits = (1n << 79n) | (BigInt(account) << randomBits) | noise;
  let text = '';
  for (let place = 0; place < 16; place++) {
    text = (alphabet[Number(bits & 31n)] ?? '') + text;
    bits >>= 5n;
  }
  return prefix + text;
}

/** The account that an id carries; undefined when it is not an id that carries one. */
export function accountOfAccessKeyId(accessKeyId: string): AccountId | undefined {
  const match = /^A[KS]IA([Q-Z2-7][A-Z2-7]{15})$/.exec(accessKeyId);
  if (!match?.[1]) return undefined;
  let bits = 0n;
  for (const character of match[1]) bits = (bits << 5n) | BigInt(alphabet.indexOf(character));
  const account = (bits >> randomBits) & ((1n << 40n) - 1n);
  return account < 1_000_000_000_000n ? accountId(account.toString().padStart(12, '0')) : undefined;
}
