import type { Random } from '../../kernel/index.ts';
import type { EventClass } from './delivery-documents.ts';

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/**
 * The key of a log file ("CloudTrail log file name format" and "Finding your CloudTrail log files"): the folder by kind,
 * region and day, the file named after account, region and minute of its delivery, and 16 letters of its own.
 */
export function logFileKey(
  file: {
    readonly prefix: string | undefined;
    readonly accountId: string;
    readonly region: string;
    readonly eventClass: EventClass;
    /** Epoch milliseconds. */
    readonly time: number;
  },
  random: Random,
): string {
  const { prefix, accountId, region, eventClass, time } = file;
  const [day = '', clock = ''] = new Date(time).toISOString().split('T');
  const minute = `${day.replaceAll('-', '')}T${clock.slice(0, 5).replace(':', '')}Z`;
  const folder = `AWSLogs/${accountId}/${eventClass}/${region}/${day.replaceAll('-', '/')}`;
  const name = `${accountId}_${eventClass}_${region}_${minute}_${random.text(16, letters)}.json.gz`;
  return `${prefix === undefined ? '' : `${prefix}/`}${folder}/${name}`;
}
