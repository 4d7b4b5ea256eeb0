import { accountId, isAccountId, isRegion, region, type AccountId, type Region } from './ids.ts';

/** How this Cairn runs: from options of `cairn start`, else from the environment, else the default. */
export interface Settings {
  /** `CAIRN_LISTEN`, --listen: HOST:PORT; port 0 picks a free one. Default 127.0.0.1:4747. */
  readonly listen: { readonly host: string; readonly port: number };
  /** `CAIRN_DATA`, --data: the data directory. Default ./data. */
  readonly data: string;
  /** `CAIRN_ACCOUNT_ID`: the first (management) account. Default 000000000000. */
  readonly accountId: AccountId;
  /** `CAIRN_REGION`: the region that `cairn env` prints. Default us-east-1. */
  readonly region: Region;
  /** `CAIRN_ROOT_ACCESS_KEY_ID` and `CAIRN_ROOT_SECRET_ACCESS_KEY`: the root key, instead of a generated one. */
  readonly rootKey: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
  /** `CAIRN_TLS_CERT`, `CAIRN_TLS_KEY`: PEM files; HTTPS instead of HTTP. Read again when they change. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  /** `CAIRN_TRUSTED_PROXIES`: comma-separated addresses or CIDRs whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
  /** `CAIRN_RETENTION_DAYS`: how long the event history keeps events; unset keeps them for good. */
  readonly retentionDays: number | undefined;
  /** `CAIRN_DELIVERY_SECONDS`: how often trails deliver log files, 1 to 900. Default 5. */
  readonly deliverySeconds: number;
  /** `CAIRN_DIGEST_SECONDS`: how often trails deliver digest files, 60 to 3600. Default 3600. */
  readonly digestSeconds: number;
  /** `CAIRN_LOG_ORIGIN`: the name of the log of proofs, which it keeps for good; by default made of account and key. */
  readonly logOrigin: string | undefined;
  /** `CAIRN_WITNESSES`: entries `VERIFIER-KEY URL` separated by commas, or a file with one a line. */
  readonly witnesses: string | undefined;
  /** `CAIRN_OUTSIDE_BUCKETS`: a JSON file that says which buckets live on which outside S3 endpoint. */
  readonly outsideBuckets?: string;
  /**
   * `CAIRN_HTTP_TARGETS`: comma-separated hosts, `HOST` or `HOST:PORT`, which events may be sent to although their address is
   * not public, and over plain HTTP.
   */
  readonly httpTargets?: readonly string[];
  /** `CAIRN_LOG_LEVEL`: trace, debug, info, warn, error, silent. Default info. */
  readonly logLevel: string;
}

/** A setting that cannot be understood; the message names it and says what it takes. */
export class SettingError extends Error {
  override name = 'SettingError';
}

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'];

function readListen(text: string): Settings['listen'] {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined || port > 65_535) {
    throw new SettingError(`CAIRN_LISTEN (--listen) takes HOST:PORT such as 127.0.0.1:4747, not "${text}"`);
  }
  return { host, port };
}

function readPair(
  env: NodeJS.ProcessEnv,
  first: string,
  second: string,
): readonly [string, string] | undefined {
  const [one, two] = [env[first], env[second]];
  if (one && two) return [one, two];
  if (one || two) throw new SettingError(`${first} and ${second} go together; only one of them is set`);
  return undefined;
}

export const settingNames: ReadonlySet<string> = new Set([
  'CAIRN_LISTEN',
  'CAIRN_DATA',
  'CAIRN_ACCOUNT_ID',
  'CAIRN_REGION',
  'CAIRN_ROOT_ACCESS_KEY_ID',
  'CAIRN_ROOT_SECRET_ACCESS_KEY',
  'CAIRN_TLS_CERT',
  'CAIRN_TLS_KEY',
  'CAIRN_TRUSTED_PROXIES',
  'CAIRN_RETENTION_DAYS',
  'CAIRN_DELIVERY_SECONDS',
  'CAIRN_DIGEST_SECONDS',
  'CAIRN_OUTSIDE_BUCKETS',
  'CAIRN_HTTP_TARGETS',
  'CAIRN_LOG_ORIGIN',
  'CAIRN_WITNESSES',
  'CAIRN_LOG_LEVEL',
]);

/**
 * Variables that look like settings and are none, such as one that is misspelt. Those that Kubernetes sets for a service of
 * the name cairn are left out.
 */
export function unknownSettings(env: NodeJS.ProcessEnv): readonly string[] {
  return Object.keys(env)
    .filter((name) => name.startsWith('CAIRN_') && !settingNames.has(name))
    .filter((name) => !/_(SERVICE|PORT)(_|$)/.test(name))
    .toSorted();
}

function readRootKey(env: NodeJS.ProcessEnv): Settings['rootKey'] {
  const pair = readPair(env, 'CAIRN_ROOT_ACCESS_KEY_ID', 'CAIRN_ROOT_SECRET_ACCESS_KEY');
  if (!pair) return undefined;
  const [accessKeyId, secretAccessKey] = pair;
  if (!/^\w{16,128}$/.test(accessKeyId)) {
    throw new SettingError('CAIRN_ROOT_ACCESS_KEY_ID takes 16 to 128 letters, digits or underscores');
  }
  if (secretAccessKey.length < 16) {
    throw new SettingError('CAIRN_ROOT_SECRET_ACCESS_KEY takes at least 16 characters');
  }
  return { accessKeyId, secretAccessKey };
}

function readTls(env: NodeJS.ProcessEnv): Settings['tls'] {
  const pair = readPair(env, 'CAIRN_TLS_CERT', 'CAIRN_TLS_KEY');
  return pair ? { certFile: pair[0], keyFile: pair[1] } : undefined;
}

function readDays(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  const days = Number(text);
  if (!Number.isInteger(days) || days < 1 || days > 36_500) {
    throw new SettingError(
      `CAIRN_RETENTION_DAYS takes a whole number of days from 1 to 36500, not "${text}"`,
    );
  }
  return days;
}

/** Hosts in lower case, as URLs have them; IPv6 addresses stand in brackets. */
function readHttpTargets(text: string | undefined): Pick<Settings, 'httpTargets'> {
  const targets = (text ?? '').split(',').flatMap((part) => part.trim().toLowerCase() || []);
  const wrong = targets.find((target) => !/^([a-z0-9_.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/.test(target));
  if (wrong !== undefined) {
    throw new SettingError(
      `CAIRN_HTTP_TARGETS takes hosts separated by commas, such as hooks.internal,10.0.0.7:8080, not "${wrong}"`,
    );
  }
  return targets.length > 0 ? { httpTargets: targets } : {};
}

function readOrigin(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  if (/[\s+\p{Z}\p{Cc}]/u.test(text) || text.length > 200) {
    throw new SettingError(
      `CAIRN_LOG_ORIGIN takes up to 200 characters without spaces and plus signs, such as example.com/log, not "${text}"`,
    );
  }
  return text;
}

function readSeconds(
  env: NodeJS.ProcessEnv,
  name: string,
  bounds: { readonly least: number; readonly most: number; readonly usual: number },
): number {
  const text = env[name];
  if (text === undefined || text === '') return bounds.usual;
  const seconds = Number(text);
  if (!Number.isInteger(seconds) || seconds < bounds.least || seconds > bounds.most) {
    throw new SettingError(
      `${name} takes a whole number of seconds from ${bounds.least} to ${bounds.most}, not "${text}"`,
    );
  }
  return seconds;
}

/**
 * Reads the settings. `options` are the command line's and win over `env`; an empty variable counts as unset, as files of
 * variables have them.
 * Throws SettingError for a value that cannot be understood.
 */
export function readSettings(
  env: NodeJS.ProcessEnv,
  options: { readonly listen?: string | undefined; readonly data?: string | undefined } = {},
): Settings {
  const account = env['CAIRN_ACCOUNT_ID'] || '000000000000';
  if (!isAccountId(account)) throw new SettingError(`CAIRN_ACCOUNT_ID takes twelve digits, not "${account}"`);
  const regionName = env['CAIRN_REGION'] || 'us-east-1';
  if (!isRegion(regionName))
    throw new SettingError(`CAIRN_REGION takes a region name such as us-east-1, not "${regionName}"`);
  const logLevel = env['CAIRN_LOG_LEVEL'] || 'info';
  if (!logLevels.includes(logLevel)) {
    throw new SettingError(`CAIRN_LOG_LEVEL takes one of ${logLevels.join(', ')}, not "${logLevel}"`);
  }
  return {
    listen: readListen(options.listen ?? (env['CAIRN_LISTEN'] || '127.0.0.1:4747')),
    data: options.data ?? (env['CAIRN_DATA'] || './data'),
    accountId: accountId(account),
    region: region(regionName),
    rootKey: readRootKey(env),
    tls: readTls(env),
    trustedProxies: (env['CAIRN_TRUSTED_PROXIES'] ?? '').split(',').flatMap((part) => part.trim() || []),
    retentionDays: readDays(env['CAIRN_RETENTION_DAYS']),
    deliverySeconds: readSeconds(env, 'CAIRN_DELIVERY_SECONDS', { least: 1, most: 900, usual: 5 }),
    digestSeconds: readSeconds(env, 'CAIRN_DIGEST_SECONDS', { least: 60, most: 3600, usual: 3600 }),
    logOrigin: readOrigin(env['CAIRN_LOG_ORIGIN']),
    witnesses: env['CAIRN_WITNESSES'] || undefined,
    ...(env['CAIRN_OUTSIDE_BUCKETS'] ? { outsideBuckets: env['CAIRN_OUTSIDE_BUCKETS'] } : {}),
    ...readHttpTargets(env['CAIRN_HTTP_TARGETS']),
    logLevel,
  };
}
