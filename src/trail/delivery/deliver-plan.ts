import type { Clock, Logger, Random } from '../../kernel/index.ts';
import type { Stream } from '../../journal/index.ts';
import type { State } from '../../state/index.ts';
import type { ActingFor, Buckets } from '../buckets.ts';
import type { DeliveryTopics } from '../trails/trail-needs.ts';
import type { TrailDocument } from '../trails/trail-documents.ts';
import type { DeliveryStatus } from '../trails/trail-status.ts';
import { collectFiles } from './collect-files.ts';
import type { Collecting } from './collect-in-place.ts';
import type { Collected } from './collect-pass.ts';
import { deliveredKey, type DeliveredFile } from './delivered-file.ts';
import { commitDelivery, currentTrail, deliveryTime } from './delivery-commits.ts';
import type { DeliveryPlan, PlannedFile } from './delivery-documents.ts';
import { logFileKey } from './log-file-key.ts';
import { putFiles } from './put-files.ts';
import { restoreFiles, type RestoredFiles } from './restore-files.ts';
import type { TrailRunner } from './trail-runner.ts';

export interface DeliverParts {
  readonly state: State;
  readonly stream: Pick<Stream, 'read' | 'start' | 'end'>;
  readonly collecting: Collecting;
  readonly buckets: Pick<Buckets, 'put'>;
  readonly topics?: DeliveryTopics | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** How an attempt ended; `gone`: somebody else has delivered it, or given it up. */
export type Attempt =
  | { readonly kind: 'delivered' | 'gone' }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

const actingFor = ({ arn, accountId, homeRegion }: TrailDocument): ActingFor => ({
  arn,
  accountId,
  region: homeRegion,
});

type Destination = Pick<DeliveryPlan, 'bucket' | 'prefix' | 'kmsKeyArn'>;

function destinationOf({ bucket, prefix, kmsKeyArn }: Destination): Destination {
  return { bucket, ...(prefix !== undefined && { prefix }), ...(kmsKeyArn !== undefined && { kmsKeyArn }) };
}

/** Commits what is going to be delivered where. False when the trail is gone. */
export async function commitPlan(
  { state, clock, random }: DeliverParts,
  runner: TrailRunner,
  { to, logging, files }: Collected,
): Promise<boolean> {
  return commitDelivery(state, runner, ({ trail, document }) => {
    const time = deliveryTime(clock, document);
    const { accountId, prefix } = trail;
    const planned = files.map((file): PlannedFile => {
      const { region, eventClass, first, records, sha256, oldestEventTime, newestEventTime } = file;
      const key = logFileKey({ prefix, accountId, region, eventClass, time }, random);
      return { key, region, eventClass, first, records, sha256, oldestEventTime, newestEventTime };
    });
    const plan = { to, logging, ...destinationOf(trail), files: planned };
    return { ...document, position: runner.position, logging: runner.logging, plan };
  });
}

/**
 * When the trail delivers elsewhere by now, what could not be put at the old place goes to the new one, under new keys; the
 * old place is asked first, because files may be there whose answer was lost. Undefined when there is no other place.
 */
async function followDestination(
  { state, clock, random }: DeliverParts,
  runner: TrailRunner,
  plan: DeliveryPlan,
  trail: TrailDocument,
): Promise<DeliveryPlan | undefined> {
  const wanted = destinationOf(trail);
  if (JSON.stringify(wanted) === JSON.stringify(destinationOf(plan))) return undefined;
  const { to, logging, files } = plan;
  const { accountId } = trail;
  const isCommitted = await commitDelivery(state, runner, ({ document }) => {
    const time = deliveryTime(clock, document);
    const moved = files.map((file) => {
      const { region, eventClass } = file;
      if (file.done) return { ...file, bucket: file.bucket ?? plan.bucket };
      return {
        ...file,
        key: logFileKey({ prefix: trail.prefix, accountId, region, eventClass, time }, random),
      };
    });
    return { ...document, plan: { to, logging, ...wanted, files: moved } };
  });
  return isCommitted ? runner.document.value.plan : undefined;
}

/** Tells the trail's topic, as CloudTrail does; what goes wrong is shown in the trail's status and holds nothing up. */
async function notify(
  { topics, clock, log }: DeliverParts,
  trail: TrailDocument,
  plan: DeliveryPlan,
): Promise<DeliveryStatus> {
  if (!topics || trail.snsTopicArn === undefined) return {};
  const at = clock.now();
  try {
    for (const [s3Bucket, files] of Map.groupBy(plan.files, ({ bucket = plan.bucket }) => bucket)) {
      const message = JSON.stringify({ s3Bucket, s3ObjectKey: files.map(({ key }) => key) });
      await topics.publishDelivery(trail.snsTopicArn, message, actingFor(trail));
    }
    return { latestNotificationAt: at, latestNotificationAttemptAt: at };
  } catch (error) {
    const code = (error as { readonly code?: unknown }).code;
    const said = typeof code === 'string' ? code : 'InternalError';
    log.error({ trail: trail.arn, topic: trail.snsTopicArn, err: error }, 'a delivery cannot be notified');
    return { latestNotificationError: said, latestNotificationAttemptAt: at };
  }
}

function deliveredFile(
  plan: DeliveryPlan,
  trail: TrailDocument,
  file: PlannedFile,
  deliveredAt: number,
): DeliveredFile {
  const { region, bucket = plan.bucket, key, sha256, oldestEventTime, newestEventTime } = file;
  return {
    trailArn: trail.arn,
    region,
    bucket,
    key,
    sha256,
    oldestEventTime,
    newestEventTime,
    deliveredAt,
  };
}

/** What is known of notifications: of the last attempt when it was made, and of the last success. */
function notificationStatus(known: DeliveryStatus, latest: DeliveryStatus): DeliveryStatus {
  const { latestNotificationAt, latestNotificationAttemptAt, latestNotificationError } = known;
  const at = latest.latestNotificationAt ?? latestNotificationAt;
  const tried = latest.latestNotificationAttemptAt;
  const attemptAt = tried ?? latestNotificationAttemptAt;
  const error = tried === undefined ? latestNotificationError : latest.latestNotificationError;
  return {
    ...(at !== undefined && { latestNotificationAt: at }),
    ...(attemptAt !== undefined && { latestNotificationAttemptAt: attemptAt }),
    ...(error !== undefined && { latestNotificationError: error }),
  };
}

/** Ends a delivery in one commit: the position moves on, digests learn of the files, the status tells. */
function endDelivery(
  { state, clock }: DeliverParts,
  runner: TrailRunner,
  plan: DeliveryPlan,
  notified: DeliveryStatus,
): Promise<boolean> {
  return commitDelivery(state, runner, (current) => {
    const { change, trail, document, status } = current;
    const { plan: _, ...rest } = document;
    const deliveredAt = deliveryTime(clock, document);
    for (const [part, file] of plan.files.entries()) {
      if (!trail.logFileValidation) break;
      const delivered = deliveredFile(plan, trail, file, deliveredAt);
      change.put(deliveredKey(runner.id, delivered, file.first, part), delivered);
    }
    current.putStatus({
      ...notificationStatus(status, notified),
      latestAt: deliveredAt,
      latestAttemptAt: deliveredAt,
    });
    const { to: position, logging } = plan;
    return { ...rest, position, logging, deliveredAt };
  });
}

function failDelivery(
  { state, clock }: DeliverParts,
  runner: TrailRunner,
  code: string,
  done: ReadonlySet<string>,
): Promise<boolean> {
  return commitDelivery(state, runner, (current) => {
    const { document, status } = current;
    current.putStatus({ ...status, latestError: code, latestAttemptAt: deliveryTime(clock, document) });
    const { plan } = document;
    if (!plan) return document;
    const files = plan.files.map((file) => (done.has(file.key) ? { ...file, done: true as const } : file));
    return { ...document, plan: { ...plan, files } };
  });
}

/** The plan's files once more, for an attempt that comes after a crash or when there was no room to keep them. */
async function collectAgain(parts: DeliverParts, runner: TrailRunner, plan: DeliveryPlan) {
  const { position, logging } = runner;
  const [collected] = await collectFiles([{ ...runner.document.value, position, logging }], {
    ...parts,
    until: plan.to,
    mostBytes: Infinity,
    mostFiles: Infinity,
  });
  return collected?.files ?? [];
}

/** The files of the runner's plan with their bytes. */
async function filesToPut(
  parts: DeliverParts,
  runner: TrailRunner,
  plan: DeliveryPlan,
  { accountId, prefix }: TrailDocument,
): Promise<RestoredFiles> {
  if (runner.bodies) return { files: plan.files, bodies: runner.bodies };
  const newKey = ({ region, eventClass }: PlannedFile) =>
    logFileKey({ prefix, accountId, region, eventClass, time: parts.clock.now() }, parts.random);
  return restoreFiles(parts.log, plan, await collectAgain(parts, runner, plan), newKey);
}

/**
 * Tries to deliver the plan of a trail: puts its files, then commits that they are there. Whatever happens in between, the
 * next attempt puts the same bytes under the same keys.
 */
export async function deliverPlan(parts: DeliverParts, runner: TrailRunner): Promise<Attempt> {
  const trail = await currentTrail(parts.state, runner);
  const { plan } = runner.document.value;
  if (!trail || !plan) return { kind: 'gone' };
  const { files, bodies } = await filesToPut(parts, runner, plan, trail);
  const whole = { ...plan, files };
  const outcome = await putFiles(parts, whole, (place) => bodies[place], actingFor(trail));
  if (outcome.kind === 'failed') {
    const { code, message } = outcome;
    runner.bodies = bodies.every((body) => body !== undefined) ? bodies : undefined;
    if (!(await failDelivery(parts, runner, code, outcome.done))) return { kind: 'gone' };
    const failed = runner.document.value.plan;
    const moved = failed && (await followDestination(parts, runner, failed, trail));
    return moved ? deliverPlan(parts, runner) : { kind: 'failed', code, message };
  }
  const notified = await notify(parts, trail, whole);
  if (!(await endDelivery(parts, runner, whole, notified))) return { kind: 'gone' };
  runner.position = runner.document.value.position as TrailRunner['position'];
  runner.logging = plan.logging;
  return { kind: 'delivered' };
}
