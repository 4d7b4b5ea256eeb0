import { open } from 'node:fs/promises';
import { isRegion, SettingError } from '../../kernel/index.ts';

/** Where buckets are that live elsewhere, and with whose credentials they are used. */
export interface OutsideEndpoint {
  /** Such as `https://s3.eu-central-1.amazonaws.com`. */
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** The bucket stands in the path, which most servers but AWS want; true unless told otherwise. */
  readonly forcePathStyle: boolean;
  /** Accounts beside the management account for which it is used; `*` stands for all. */
  readonly accounts: readonly string[];
}

/** By the name of the bucket; `*` stands for all others. */
export type OutsideSettings = ReadonlyMap<string, OutsideEndpoint>;

const variable = 'CAIRN_OUTSIDE_BUCKETS';
const mostBytes = 1024 * 1024;
const members = ['endpoint', 'region', 'accessKeyId', 'secretAccessKey', 'forcePathStyle', 'accounts'];

async function readSecretFile(path: string): Promise<string> {
  try {
    await using file = await open(path, 'r');
    const { mode, size } = await file.stat();
    if ((mode & 0o077) !== 0) {
      throw new SettingError(
        `the file ${path} of ${variable} can be read by others (mode ${(mode & 0o777).toString(8)}): run "chmod 600 ${path}", and if others may have read it, replace the keys in it`,
      );
    }
    if (size > mostBytes) throw new SettingError(`the file ${path} of ${variable} is larger than a megabyte`);
    return await file.readFile('utf8');
  } catch (error) {
    if (error instanceof SettingError) throw error;
    throw new SettingError(`the file ${path} of ${variable} cannot be read: ${(error as Error).message}`);
  }
}

function readUrl(value: unknown, refuse: (why: string) => never): string {
  if (typeof value !== 'string' || !URL.canParse(value)) return refuse('endpoint takes a URL');
  const url = new URL(value);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    return refuse('endpoint begins with http or https');
  // It is shown in the log.
  if (url.username !== '' || url.password !== '') return refuse('endpoint holds no user name and password');
  return value;
}

const isAccount = (one: unknown): one is string => typeof one === 'string' && /^(?:\*|\d{12})$/.test(one);

function readAccounts(value: unknown, refuse: (why: string) => never): readonly string[] {
  return Array.isArray(value) && value.every(isAccount)
    ? value
    : refuse('accounts takes a list of account ids of 12 digits, or of "*"');
}

function readEndpoint(bucket: string, value: unknown, path: string): OutsideEndpoint {
  const refuse = (why: string): never => {
    throw new SettingError(`the file ${path} of ${variable}, bucket "${bucket}": ${why}`);
  };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return refuse(`takes an object with ${members.join(', ')}`);
  }
  const unknown = Object.keys(value).find((name) => !members.includes(name));
  if (unknown !== undefined) refuse(`the member "${unknown}" is not known; there are ${members.join(', ')}`);
  const {
    endpoint,
    region,
    accessKeyId,
    secretAccessKey,
    forcePathStyle = true,
    accounts = [],
  } = value as Record<string, unknown>;
  const text = (name: string, given: unknown): string =>
    typeof given === 'string' && given !== '' ? given : refuse(`${name} takes a text`);
  if (typeof forcePathStyle !== 'boolean') return refuse('forcePathStyle takes true or false');
  const regionName = text('region', region);
  if (!isRegion(regionName)) refuse('region takes a region name such as us-east-1');
  return {
    endpoint: readUrl(endpoint, refuse),
    region: regionName,
    accessKeyId: text('accessKeyId', accessKeyId),
    secretAccessKey: text('secretAccessKey', secretAccessKey),
    forcePathStyle,
    accounts: readAccounts(accounts, refuse),
  };
}

/**
 * Reads the JSON file of CAIRN_OUTSIDE_BUCKETS. Throws SettingError when it can be read by others or is not wholly
 * understood; what it says of keys is never in the message.
 */
export async function readOutsideSettings(path: string): Promise<OutsideSettings> {
  const text = await readSecretFile(path);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text.
    throw new SettingError(`the file ${path} of ${variable} is not JSON`);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new SettingError(
      `the file ${path} of ${variable} takes an object with bucket names, or *, as members`,
    );
  }
  return new Map(
    Object.entries(parsed).map(([bucket, value]) => [bucket, readEndpoint(bucket, value, path)]),
  );
}
