/** What the name of a digest file says ("CloudTrail digest file structure"). */
export interface DigestName {
  readonly accountId: string;
  readonly region: string;
  readonly trailName: string;
  readonly homeRegion: string;
  /** Epoch milliseconds. */
  readonly endTime: number;
  readonly isBackfill: boolean;
}

const digestForm =
  /(?:^|\/)(\d{12})_CloudTrail-Digest_([a-z0-9-]+)_(.+)_([a-z0-9-]+)_(\d{8}T\d{6}Z)(_backfill)?\.json\.gz$/;
const logForm = /(?:^|\/)\d{12}_CloudTrail_[a-z0-9-]+_(\d{8}T\d{4})Z_[A-Za-z0-9]+\.json\.gz$/;

/** `20261122T100000Z`, with or without seconds, as epoch milliseconds; NaN when there is no such time. */
function parseStamp(stamp: string): number {
  const [, year, month, day, hour, minute, second = '00'] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)?Z?$/.exec(stamp) ?? [];
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

/** Undefined when the key is not that of a digest file. */
export function parseDigestName(key: string): DigestName | undefined {
  const match = digestForm.exec(key);
  if (!match) return undefined;
  const [, accountId = '', region = '', trailName = '', homeRegion = '', stamp = '', backfill] = match;
  const endTime = parseStamp(stamp);
  if (Number.isNaN(endTime)) return undefined;
  return { accountId, region, trailName, homeRegion, endTime, isBackfill: backfill !== undefined };
}

/** The time in the name of a log file, epoch milliseconds; undefined when the key is not that of a log file. */
export function parseLogTime(key: string): number | undefined {
  const stamp = logForm.exec(key)?.[1];
  const time = stamp === undefined ? Number.NaN : parseStamp(stamp);
  return Number.isNaN(time) ? undefined : time;
}
