import { createHash } from 'node:crypto';
import { createGzip } from 'node:zlib';
import { AwsFault } from '../../kernel/index.ts';
import type { Buckets } from '../buckets.ts';
import type { LakeParts } from './lake-parts.ts';
import type { QueryDocument } from './query-documents.ts';
import type { ResultFiles, ResultRow } from './result-pages.ts';
import { storeArn } from './store-documents.ts';

/** A result file holds at most so many bytes before it is compressed; a longer result becomes several. */
const fileBytes = 128 * 1024 * 1024;

/** A value as a field of CSV (RFC 4180). What SQL has no value for stays empty. */
function csvField(value: string | null): string {
  if (value === null) return '';
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

const csvLine = (values: ResultRow): string => `${values.map(csvField).join(',')}\n`;

/** A result as gzip-compressed CSV files, each with the names of the columns on top. */
async function* csvFiles(
  names: ResultRow,
  pages: AsyncIterable<readonly ResultRow[]>,
): AsyncIterable<Buffer> {
  let gzip = createGzip();
  let parts: Buffer[] = [];
  let size = 0;
  const begin = () => {
    gzip = createGzip();
    parts = [];
    size = 0;
    gzip.on('data', (part: Buffer) => void parts.push(part));
    gzip.write(csvLine(names));
  };
  const finish = async (): Promise<Buffer> => {
    const ended = Promise.withResolvers<void>();
    gzip.once('end', ended.resolve).once('error', ended.reject);
    gzip.end();
    await ended.promise;
    return Buffer.concat(parts);
  };
  begin();
  for await (const rows of pages) {
    const text = rows.map(csvLine).join('');
    size += text.length;
    if (!gzip.write(text)) {
      await new Promise((resolve) => {
        gzip.once('drain', resolve);
      });
    }
    if (size < fileBytes) continue;
    yield await finish();
    begin();
  }
  yield await finish();
}

interface DeliveryPlace {
  readonly bucket: string;
  readonly prefix: string;
}

function placeOf(query: QueryDocument): DeliveryPlace {
  const [, bucket = '', path = ''] = /^s3:\/\/([^/]+)\/?(.*)$/.exec(query.deliveryUri ?? '') ?? [];
  const [day = ''] = new Date(query.completedAt ?? query.createdAt).toISOString().split('T');
  const root = path === '' ? '' : `${path.replace(/\/$/, '')}/`;
  return {
    bucket,
    prefix: `${root}AWSLogs/${query.accountId}/CloudTrail-Lake/Query/${day.replaceAll('-', '/')}/${query.queryId}/`,
  };
}

const deliveryStatuses: Readonly<Record<string, QueryDocument['deliveryStatus']>> = {
  NoSuchBucket: 'RESOURCE_NOT_FOUND',
  AccessDenied: 'ACCESS_DENIED',
};

async function putResults(
  parts: LakeParts & { readonly buckets: Buckets },
  results: ResultFiles,
  query: QueryDocument,
): Promise<readonly { readonly fileHashValue: string; readonly fileName: string }[]> {
  const { bucket, prefix } = placeOf(query);
  const [storeId = ''] = query.storeIds;
  const as = {
    arn: storeArn(query.accountId, query.region, storeId),
    accountId: query.accountId,
    region: query.region,
  };
  const files: { fileHashValue: string; fileName: string }[] = [];
  for await (const body of csvFiles(query.columns ?? [], results.pages(query.queryId))) {
    const fileName = `result_${files.length + 1}.csv.gz`;
    await parts.buckets.put({ bucket, key: prefix + fileName, body, contentType: 'application/x-gzip' }, as);
    files.push({ fileHashValue: createHash('sha256').update(body).digest('hex'), fileName });
  }
  return files;
}

/** The sign file ("CloudTrail sign file structure"): the hashes of the result files, signed in their order. */
async function putSignFile(
  parts: LakeParts & { readonly buckets: Buckets },
  query: QueryDocument,
  files: readonly { readonly fileHashValue: string; readonly fileName: string }[],
): Promise<void> {
  if (!parts.signingKeyFor) throw new Error('there is no key to sign query results with');
  const { bucket, prefix } = placeOf(query);
  const completed = query.completedAt ?? query.createdAt;
  const key = await parts.signingKeyFor(query.region, completed);
  const content = {
    version: '1.0',
    region: query.region,
    files,
    hashAlgorithm: 'SHA-256',
    signatureAlgorithm: 'SHA256withRSA',
    queryCompleteTime: `${new Date(completed).toISOString().slice(0, 19)}Z`,
    hashSignature: await key.sign(files.map(({ fileHashValue }) => fileHashValue).join(' ')),
    publicKeyFingerprint: key.fingerprint,
  };
  const [storeId = ''] = query.storeIds;
  const as = {
    arn: storeArn(query.accountId, query.region, storeId),
    accountId: query.accountId,
    region: query.region,
  };
  const body = Buffer.from(JSON.stringify(content));
  await parts.buckets.put(
    { bucket, key: `${prefix}result_sign.json`, body, contentType: 'application/json' },
    as,
  );
}

/**
 * Delivers the rows of a finished query to its bucket ("Download your CloudTrail Lake saved query results"):
 * `result_N.csv.gz` and `result_sign.json`. Says how it went; delivering again writes the same files.
 */
export async function deliverResults(
  parts: LakeParts,
  results: ResultFiles,
  query: QueryDocument,
): Promise<QueryDocument['deliveryStatus']> {
  const { buckets } = parts;
  if (!buckets) return 'FAILED';
  const log = parts.log.child({ part: 'lake' });
  try {
    const files = await putResults({ ...parts, buckets }, results, query);
    try {
      await putSignFile({ ...parts, buckets }, query, files);
    } catch (error) {
      log.error({ err: error, queryId: query.queryId }, 'the sign file of a query could not be delivered');
      return 'FAILED_SIGNING_FILE';
    }
    return 'SUCCESS';
  } catch (error) {
    log.error({ err: error, queryId: query.queryId }, 'the result of a query could not be delivered');
    return error instanceof AwsFault ? (deliveryStatuses[error.code] ?? 'FAILED') : 'UNKNOWN';
  }
}
