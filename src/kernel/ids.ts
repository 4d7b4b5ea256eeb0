import type { Random } from './random.ts';

declare const brand: unique symbol;
type Branded<Base, Name extends string> = Base & { readonly [brand]: Name };

/** Twelve digits. */
export type AccountId = Branded<string, 'AccountId'>;
/** An AWS region name such as `eu-central-1`. */
export type Region = Branded<string, 'Region'>;
/** The place of an entry in its journal stream: 0, 1, 2, … without gaps. */
export type Sequence = Branded<number, 'Sequence'>;

export function isAccountId(text: string): text is AccountId {
  return /^\d{12}$/.test(text);
}

/** Parses an account id; throws on anything but twelve digits. */
export function accountId(text: string): AccountId {
  if (!isAccountId(text)) throw new TypeError(`not an account id (twelve digits): ${text}`);
  return text;
}

export function isRegion(text: string): text is Region {
  return /^[a-z]{2,8}(-[a-z0-9]{1,12}){1,4}$/.test(text);
}

/** Parses a region name; throws on anything that is not of a region's form. */
export function region(text: string): Region {
  if (!isRegion(text)) throw new TypeError(`not a region name: ${text}`);
  return text;
}

export function sequence(value: number): Sequence {
  return value as Sequence;
}

/**
 * The prefixes of IAM's unique ids ("IAM identifiers" in the IAM user guide).
 */
export type IdPrefix = 'AKIA' | 'ASIA' | 'AIDA' | 'AROA' | 'AGPA' | 'ANPA' | 'ANVA' | 'AIPA';

const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** A new unique id: the prefix and 16 (access keys) or 17 characters of base 32. */
export function uniqueId(prefix: IdPrefix, random: Random): string {
  return prefix + random.text(prefix === 'AKIA' || prefix === 'ASIA' ? 16 : 17, base32);
}

/** A new secret access key: 40 characters of base 64. */
export function secretAccessKey(random: Random): string {
  return Buffer.from(random.bytes(30)).toString('base64');
}
