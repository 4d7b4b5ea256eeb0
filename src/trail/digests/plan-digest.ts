import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { limits } from '../../kernel/index.ts';
import type { Change, StateView } from '../../state/index.ts';
import type { FileToPut } from '../buckets.ts';
import { deliveredPrefix, type DeliveredFile } from '../delivery/delivered-file.ts';
import { trailId } from '../trails/trail-documents.ts';
import type { ChainDocument, PlannedDigest } from './digest-documents.ts';
import {
  digestBody,
  digestKey,
  digestTime,
  sha256Hex,
  signatureAlgorithm,
  stringToSign,
  type DigestLink,
} from './digest-format.ts';
import type { SigningKey } from './digest-keys.ts';
import { floorSecond } from './digest-schedule.ts';

/** A log file that waits for its digest, with its document. */
export interface WaitingFile {
  readonly key: string;
  readonly version: number;
  readonly file: DeliveredFile;
}

/** Delivery times of log files, epoch milliseconds. */
export interface DeliveryTimes {
  readonly from: number;
  readonly before: number;
}

const pageFiles = 1000;
const inPool = promisify(gzip);

/** The log files of a trail and region that wait for a digest, in the order of their delivery, at most `most`. */
export async function waitingFiles(
  view: StateView,
  { trail, region }: Pick<ChainDocument, 'trail' | 'region'>,
  { from, before }: DeliveryTimes,
  most: number = Number.MAX_SAFE_INTEGER,
): Promise<readonly WaitingFile[]> {
  const prefix = deliveredPrefix(trailId(trail), region);
  const found: WaitingFile[] = [];
  // Keys begin with the time of delivery, padded, so nothing before it is read.
  let after = `${prefix}${String(Math.max(0, from)).padStart(16, '0')}`;
  for (;;) {
    const limit = Math.min(pageFiles, most - found.length);
    const page = await view.list<DeliveredFile>(prefix, { after, limit });
    for (const { key, value, version } of page) {
      if (value.deliveredAt >= before) return found;
      found.push({ key, version, file: value });
    }
    const last = page.at(-1);
    if (!last || page.length < limit || found.length >= most) return found;
    after = last.key;
  }
}

/** The log files that a plan lists: those that were there when it was committed, in a document of `version`. */
export async function filesOfPlan(
  view: StateView,
  chain: ChainDocument,
  plan: PlannedDigest,
  version: number,
): Promise<readonly WaitingFile[]> {
  const files = await waitingFiles(view, chain, { from: plan.filesFrom, before: plan.filesBefore });
  return files.filter((file) => file.version < version);
}

function bodyOf(
  chain: ChainDocument,
  plan: Omit<PlannedDigest, 'sha256' | 'signature'>,
  files: readonly WaitingFile[],
) {
  const { startTime, endTime, bucket, key, fingerprint, previous } = plan;
  return digestBody({
    accountId: chain.trail.accountId,
    startTime,
    endTime,
    bucket,
    key,
    fingerprint,
    previous,
    logFiles: files.map(({ file }) => file),
  });
}

/** What is to be planned. Times are epoch milliseconds. */
export interface DigestToPlan {
  readonly kind: 'regular' | 'backfill';
  readonly startTime: number;
  readonly endTime: number;
  readonly files: DeliveryTimes;
  readonly previous: DigestLink | undefined;
  readonly isFinal: boolean;
  readonly generatedAt: number;
}

/**
 * Plans a digest within a change, which fails as a conflict if a log file is delivered meanwhile: reads the files, ends the
 * digest earlier where there are more than one digest may list, and signs.
 */
export async function planDigest(
  change: Change,
  chain: ChainDocument,
  wanted: DigestToPlan,
  signingKey: SigningKey,
): Promise<PlannedDigest> {
  const most = limits.digestLogFiles;
  const waiting = await waitingFiles(change, chain, wanted.files, most + 1);
  let { endTime, isFinal } = wanted;
  let { before } = wanted.files;
  const over = waiting[most];
  if (over && wanted.kind === 'backfill') {
    before = over.file.deliveredAt;
  } else if (over) {
    const earlier = floorSecond(over.file.deliveredAt);
    // What a deleted trail delivered after its end cannot be parted by time.
    if (earlier > wanted.startTime && earlier < wanted.endTime) {
      before = endTime = earlier;
      isFinal = false;
    }
  }
  const listed = over ? await waitingFiles(change, chain, { from: wanted.files.from, before }) : waiting;
  const { trail, region } = chain;
  const key = digestKey({ ...trail, trailName: trail.name, region }, endTime, wanted.kind === 'backfill');
  const unsigned = {
    kind: wanted.kind,
    startTime: wanted.startTime,
    endTime,
    bucket: trail.bucket,
    key,
    filesFrom: wanted.files.from,
    filesBefore: before,
    fingerprint: signingKey.fingerprint,
    generatedAt: wanted.generatedAt,
    ...(wanted.previous && { previous: linkOf(wanted.previous) }),
    isFinal,
  };
  return signPlan(chain, unsigned, listed, signingKey);
}

/** The members that make a link, of whatever holds more. */
function linkOf({ bucket, key, sha256, signature }: DigestLink): DigestLink {
  return { bucket, key, sha256, signature };
}

async function signPlan(
  chain: ChainDocument,
  unsigned: Omit<PlannedDigest, 'sha256' | 'signature'>,
  files: readonly WaitingFile[],
  signingKey: SigningKey,
): Promise<PlannedDigest> {
  const sha256 = sha256Hex(bodyOf(chain, unsigned, files));
  const signature = await signingKey.sign(
    stringToSign({
      endTime: digestTime(unsigned.endTime),
      bucket: unsigned.bucket,
      key: unsigned.key,
      sha256,
      previousSignature: unsigned.previous?.signature ?? null,
    }),
  );
  return { ...unsigned, sha256, signature };
}

/**
 * The file of a plan, the same bytes each time; undefined when they do not come out as planned, which can only be after a
 * program of another version planned it.
 */
export async function fileOfPlan(
  chain: ChainDocument,
  plan: PlannedDigest,
  files: readonly WaitingFile[],
): Promise<FileToPut | undefined> {
  const body = bodyOf(chain, plan, files);
  if (sha256Hex(body) !== plan.sha256) return undefined;
  return {
    bucket: plan.bucket,
    key: plan.key,
    body: await inPool(body),
    contentType: 'application/json',
    contentEncoding: 'gzip',
    metadata: {
      signature: plan.signature,
      'signature-algorithm': signatureAlgorithm,
      ...(plan.kind === 'backfill' && { 'backfill-generation-timestamp': digestTime(plan.generatedAt) }),
    },
    ...(chain.trail.kmsKeyArn !== undefined && { kmsKeyArn: chain.trail.kmsKeyArn }),
  };
}
