import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { awsCli, eventually, hasAwsCli, startServer, type TestServer } from './harness.ts';

/**
 * The results of a query that were delivered to S3, fetched and judged by programs that this project did not write. The
 * command `verify-query-results` is in version 2.12 of the aws CLI and later; where only others are installed, openssl
 * does what "Custom implementations of CloudTrail query result integrity validation" says.
 */

const account = '000000000000';
const bucket = 'query-results';
const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
/** The aws CLI that has the command, if there is one. */
const verifier = ['aws', awsCli].find((program) => {
  const answer = spawnSync(program, ['cloudtrail', 'verify-query-results', 'help'], {
    env: { ...process.env, AWS_PAGER: '' },
  });
  return answer.status === 0;
});

/** The policy that the documentation gives ("Amazon S3 bucket policy for CloudTrail Lake query results"). */
const policy = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    {
      Sid: 'AWSCloudTrailLake1',
      Effect: 'Allow',
      Principal: { Service: 'cloudtrail.amazonaws.com' },
      Action: ['s3:PutObject*', 's3:Abort*'],
      Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`],
      Condition: {
        StringLike: { 'aws:sourceArn': `arn:aws:cloudtrail:us-east-1:${account}:eventdatastore/*` },
        StringEquals: { 'aws:sourceAccount': account },
      },
    },
    {
      Sid: 'AWSCloudTrailLake2',
      Effect: 'Allow',
      Principal: { Service: 'cloudtrail.amazonaws.com' },
      Action: 's3:GetBucketAcl',
      Resource: `arn:aws:s3:::${bucket}`,
      Condition: {
        StringLike: { 'aws:sourceArn': `arn:aws:cloudtrail:us-east-1:${account}:eventdatastore/*` },
        StringEquals: { 'aws:sourceAccount': account },
      },
    },
  ],
});

interface SignFile {
  readonly files: readonly { readonly fileHashValue: string; readonly fileName: string }[];
  readonly queryCompleteTime: string;
  readonly hashSignature: string;
  readonly publicKeyFingerprint: string;
}

let server: TestServer;
let folder: string;
let prefix: string;

function aws(...args: string[]): Record<string, unknown> {
  const options = ['--endpoint-url', server.endpoint, '--output', 'json'];
  const { stdout, stderr, status } = spawnSync(awsCli, [...args, ...options], { env: server.env });
  if (status !== 0) throw new Error(stderr.toString());
  const text = stdout.toString();
  return text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {};
}

beforeAll(async () => {
  if (!hasAwsCli) return;
  server = await startServer();
  folder = mkdtempSync(join(tmpdir(), 'cairn-results-'));
  aws('s3api', 'create-bucket', '--bucket', bucket);
  aws('s3api', 'put-bucket-policy', '--bucket', bucket, '--policy', policy);
  aws('iam', 'create-user', '--user-name', 'alice');
  const { QueryId } = aws(
    'cloudtrail',
    'start-query',
    '--query-statement',
    "SELECT eventName, requestParameters FROM events WHERE eventName = 'CreateUser'",
    '--delivery-s3-uri',
    `s3://${bucket}/saved/`,
  );
  const done = await eventually(async () => {
    const query = aws('cloudtrail', 'describe-query', '--query-id', String(QueryId));
    return query['DeliveryStatus'] === 'PENDING' || query['DeliveryStatus'] === undefined ? undefined : query;
  });
  expect(done).toMatchObject({ DeliveryStatus: 'SUCCESS', QueryStatus: 'FINISHED' });
  aws('s3', 'cp', '--recursive', `s3://${bucket}/`, folder);
  const found = spawnSync('find', [folder, '-name', 'result_sign.json']).stdout.toString().trim();
  prefix = found.slice(folder.length + 1).replace(/result_sign\.json$/, '');
  expect(prefix).toMatch(
    new RegExp(
      String.raw`^saved/AWSLogs/${account}/CloudTrail-Lake/Query/\d{4}/\d\d/\d\d/${String(QueryId)}/$`,
    ),
  );
}, 60_000);
afterAll(async () => {
  if (!hasAwsCli) return;
  rmSync(folder, { recursive: true, force: true });
  await server[Symbol.asyncDispose]();
});

const fileAt = (name: string) => join(folder, prefix, name);
const signFile = () => JSON.parse(readFileSync(fileAt('result_sign.json'), 'utf8')) as SignFile;

/** What openssl says of the hashes in the sign file, and the files whose hash is another. */
function judge(): { readonly signature: string; readonly changed: readonly string[] } {
  const { files, queryCompleteTime, hashSignature, publicKeyFingerprint } = signFile();
  const range = ['--start-time', queryCompleteTime, '--end-time', queryCompleteTime];
  const { PublicKeyList } = aws('cloudtrail', 'list-public-keys', ...range);
  const keys = PublicKeyList as readonly { readonly Fingerprint: string; readonly Value: string }[];
  const { Value = '' } = keys.find(({ Fingerprint }) => Fingerprint === publicKeyFingerprint) ?? {};
  const [key, signed, signature] = ['key', 'signed', 'signature'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(`${key}.der`, Buffer.from(Value, 'base64'));
  const pem = ['rsa', '-RSAPublicKey_in', '-pubout', '-inform', 'DER', '-in', `${key}.der`, '-out', key];
  expect(spawnSync('openssl', pem).status).toBe(0);
  writeFileSync(signed, files.map(({ fileHashValue }) => fileHashValue).join(' '));
  writeFileSync(signature, Buffer.from(hashSignature, 'hex'));
  const check = ['dgst', '-sha256', '-verify', key, '-signature', signature, signed];
  const changed = files.filter(
    ({ fileName, fileHashValue }) =>
      createHash('sha256')
        .update(readFileSync(fileAt(fileName)))
        .digest('hex') !== fileHashValue,
  );
  return {
    signature: spawnSync('openssl', check).stdout.toString().trim(),
    changed: changed.map(({ fileName }) => fileName),
  };
}

const verify = (...from: string[]) =>
  spawnSync(verifier ?? '', ['cloudtrail', 'verify-query-results', ...from], { env: server.env });

describe.skipIf(!hasAwsCli)('query results in S3 (skipped where /usr/bin/aws is absent)', () => {
  it('are the rows of the query as CSV', () => {
    const [names, row = ''] = gunzipSync(readFileSync(fileAt('result_1.csv.gz')))
      .toString()
      .split('\n');
    expect(names).toBe('eventName,requestParameters');
    expect(row).toMatch(/^CreateUser,".*alice.*"$/);
  });

  it.skipIf(!hasOpenssl)('are proved by their sign file, and changes of either are found', () => {
    expect(judge()).toEqual({ signature: 'Verified OK', changed: [] });
    const sign = readFileSync(fileAt('result_sign.json'), 'utf8');
    const [first = { fileHashValue: '' }] = signFile().files;
    const results = readFileSync(fileAt('result_1.csv.gz'));
    try {
      appendFileSync(fileAt('result_1.csv.gz'), 'x');
      expect(judge()).toEqual({ signature: 'Verified OK', changed: ['result_1.csv.gz'] });
      const other = createHash('sha256')
        .update(readFileSync(fileAt('result_1.csv.gz')))
        .digest('hex');
      writeFileSync(fileAt('result_sign.json'), sign.replace(first.fileHashValue, other));
      expect(judge()).toMatchObject({ signature: 'Verification failure', changed: [] });
    } finally {
      writeFileSync(fileAt('result_sign.json'), sign);
      writeFileSync(fileAt('result_1.csv.gz'), results);
    }
  });

  it.skipIf(verifier === undefined)('are valid to aws cloudtrail verify-query-results', () => {
    const valid = 'Successfully validated sign and query result files';
    expect(verify('--s3-bucket', bucket, '--s3-prefix', prefix).stdout.toString()).toContain(valid);
    expect(verify('--local-export-path', join(folder, prefix)).stdout.toString()).toContain(valid);
  });
});
