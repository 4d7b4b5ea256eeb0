import { openAuthorisation } from '../src/identity/index.ts';
import { AwsFault, region, seededRandom, silentLog } from '../src/kernel/index.ts';
import { openTrails, type Trails, type TrailsOptions } from '../src/trail/trails/index.ts';
import type { Call } from '../src/wire/index.ts';
import { openMemoryBuckets, type MemoryBuckets } from './memory-buckets.ts';
import {
  callBy,
  managementAccount,
  openTrailFixture,
  rootOf,
  serviceNamed,
  type TrailFixture,
} from './trail-fixture.ts';

/** Parts for tests of trails and their delivery: a whole trail in memory, with buckets in memory. */

export interface TrailsFixture extends AsyncDisposable {
  readonly trail: TrailFixture;
  readonly trails: Trails;
  readonly buckets: MemoryBuckets;
  /** Calls an operation of CloudTrail, recorded like every call. */
  call(
    operationName: string,
    input?: Record<string, unknown>,
    over?: Partial<Call>,
  ): Promise<Record<string, unknown>>;
  /** The code of the fault that the call is answered with. */
  faultOf(operationName: string, input?: Record<string, unknown>, over?: Partial<Call>): Promise<string>;
  /** Makes a trail `main` in eu-central-1 that delivers into the bucket `logs`, and starts it. */
  startTrail(input?: Record<string, unknown>): Promise<void>;
  /** Ends delivery as a crash would, and starts it again on the same state and journal. */
  restart(over?: Partial<TrailsOptions>): Promise<void>;
}

export const mainArn = `arn:aws:cloudtrail:eu-central-1:${managementAccount}:trail/main`;

export async function openTrailsFixture(
  over: Partial<TrailsOptions> & { readonly seed?: number } = {},
): Promise<TrailsFixture> {
  const trail = await openTrailFixture();
  const buckets = openMemoryBuckets();
  const authorisation = openAuthorisation({ state: trail.state });
  const options: TrailsOptions = {
    state: trail.state,
    stream: trail.stream,
    buckets,
    authoriseService: authorisation.authoriseService,
    clock: trail.clock,
    random: seededRandom(over.seed ?? 1),
    log: silentLog,
    deliverySeconds: 5,
    ...over,
  };
  let trails = await openTrails(options);
  buckets.addBucket('logs');
  const call: TrailsFixture['call'] = async (operationName, input = {}, callOver = {}) => {
    const answer = await trail.perform(trails.operations[operationName], {
      service: serviceNamed('cloudtrail'),
      operationName,
      input,
      call: callBy(rootOf(managementAccount), {
        time: trail.clock.now(),
        region: region('eu-central-1'),
        ...callOver,
      }),
    });
    return { ...answer };
  };
  return {
    trail,
    get trails() {
      return trails;
    },
    buckets,
    call,
    async faultOf(...args) {
      try {
        await call(...args);
      } catch (error) {
        if (error instanceof AwsFault) return error.code;
        throw error;
      }
      throw new Error(`${args[0]} was answered`);
    },
    async startTrail(input = {}) {
      await call('CreateTrail', { Name: 'main', S3BucketName: 'logs', ...input });
      await call('StartLogging', { Name: 'main' });
    },
    async restart(again = {}) {
      await trails[Symbol.asyncDispose]();
      trails = await openTrails({ ...options, ...again });
    },
    async [Symbol.asyncDispose]() {
      await trails[Symbol.asyncDispose]();
      authorisation[Symbol.dispose]();
      await trail[Symbol.asyncDispose]();
    },
  };
}

/** A record of an account, as the journal has it. */
export function auditRecord(eventID: string, over: Record<string, unknown> = {}): Uint8Array {
  return Buffer.from(
    JSON.stringify({
      eventVersion: '1.11',
      userIdentity: {
        type: 'Root',
        arn: `arn:aws:iam::${managementAccount}:root`,
        accountId: managementAccount,
      },
      eventTime: '2026-11-22T10:00:01Z',
      eventSource: 'ec2.amazonaws.com',
      eventName: 'RunInstances',
      awsRegion: 'eu-central-1',
      sourceIPAddress: '192.0.2.1',
      userAgent: 'test',
      requestParameters: null,
      responseElements: null,
      eventID,
      readOnly: false,
      eventType: 'AwsApiCall',
      managementEvent: true,
      recipientAccountId: managementAccount,
      eventCategory: 'Management',
      ...over,
    }),
  );
}
