import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { draws, type Draws } from './draws.ts';
import { apiCalls, agents, regions, type ApiCall } from './event-vocabulary.ts';

/** What the generated events look like; the same options give the same events. */
export interface EventOptions {
  readonly seed: number;
  /** Epoch milliseconds of the first event. */
  readonly startTime: number;
  /** Events per second of event time; the events come in the order of their times, as of one busy organisation. */
  readonly perSecond: number;
  readonly accounts: number;
  readonly principals: number;
}

export const defaultEvents: EventOptions = {
  seed: 1,
  startTime: Date.UTC(2026, 0, 1),
  perSecond: 10,
  accounts: 5,
  principals: 2000,
};

export interface EventGenerator {
  /** The next record as JSON text, about 1.7 KB. */
  next(): string;
  /** eventTime of the last record, epoch milliseconds. */
  readonly time: number;
  /** Account and region of the last record. */
  readonly account: string;
  readonly region: string;
}

interface GeneratedPrincipal {
  readonly account: string;
  readonly region: string;
  readonly addresses: readonly string[];
  readonly agent: string;
  /** The calls this principal mostly makes. */
  readonly habits: readonly ApiCall[];
  /** The userIdentity element up to the access key. */
  readonly head: string;
  readonly tail: string;
  /** The calling AWS service, where it is one. */
  readonly service: string | undefined;
  readonly arn: string;
  accessKey: string;
  session: string;
  /** Event time at which the session ends. */
  expiresAt: number;
}

const upper = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const roleWords = [
  'platform',
  'data',
  'billing',
  'web',
  'mobile',
  'search',
  'ml',
  'security',
  'ops',
  'payments',
];
const roleKinds = ['deployer', 'reader', 'admin', 'pipeline', 'lambda-exec', 'eks-node', 'backup', 'scanner'];

function principalOf(random: Draws, index: number, account: string): GeneratedPrincipal {
  const kind = random.unit();
  const region = random.pick(regions);
  const name = `${random.pick(roleWords)}-${random.pick(roleKinds)}-${index}`;
  const id = random.text(17, upper);
  const address = () =>
    `${3 + random.below(200)}.${random.below(256)}.${random.below(256)}.${random.below(256)}`;
  const calls = random.below(apiCalls.length - 40);
  const service =
    kind > 0.9 ? `${random.pick(['autoscaling', 'ec2', 'lambda', 'config'])}.amazonaws.com` : undefined;
  const common = {
    account,
    region,
    addresses: [address(), address(), address()],
    agent: random.pick(agents),
    habits: apiCalls.slice(calls, calls + 40),
    service,
    arn: `arn:aws:iam::${account}:${kind < 0.7 ? 'role' : 'user'}/${name}`,
    accessKey: `AKIA${random.text(16, upper)}`,
    session: '',
    expiresAt: kind < 0.7 ? 0 : Infinity,
  };
  if (kind < 0.7) {
    const issuer = `"sessionIssuer":{"type":"Role","principalId":"AROA${id}","arn":"arn:aws:iam::${account}:role/${name}","accountId":"${account}","userName":"${name}"}`;
    const head = `{"type":"AssumedRole","principalId":"AROA${id}:@","arn":"arn:aws:sts::${account}:assumed-role/${name}/@","accountId":"${account}","accessKeyId":"`;
    return {
      ...common,
      head,
      tail: `","sessionContext":{${issuer},"webIdFederationData":{},"attributes":{"creationDate":"#","mfaAuthenticated":"false"}}}`,
    };
  }
  if (service !== undefined)
    return { ...common, head: `{"type":"AWSService","invokedBy":"${service}`, tail: '"}' };
  const head = `{"type":"IAMUser","principalId":"AIDA${id}","arn":"arn:aws:iam::${account}:user/${name}","accountId":"${account}","accessKeyId":"`;
  return {
    ...common,
    head,
    tail: `","userName":"${name}","sessionContext":{"attributes":{"creationDate":"2025-11-03T08:12:44Z","mfaAuthenticated":"true"}}}`,
  };
}

/** `2026-01-01T00:00:00Z`; the last answer is kept, because many events share a second. */
function secondTexts(): (time: number) => string {
  let last = Number.NaN;
  let text = '';
  return (time) => {
    const second = Math.floor(time / 1000);
    if (second !== last) {
      last = second;
      text = `${new Date(second * 1000).toISOString().slice(0, 19)}Z`;
    }
    return text;
  };
}

/** Opens a generator of CloudTrail-like events: Zipf-distributed principals, about 600 event names, many ARNs. */
export function openEventGenerator(options: Partial<EventOptions> = {}): EventGenerator {
  const { seed, startTime, perSecond, accounts, principals } = { ...defaultEvents, ...options };
  const random = draws(seed);
  const textOf = secondTexts();
  const accountIds = Array.from({ length: accounts }, () =>
    String(100_000_000_000 + random.below(900_000_000) * 999),
  );
  const all = Array.from({ length: principals }, (_, index) =>
    principalOf(random, index, accountIds[Math.min(accounts - 1, random.zipf(accounts))] ?? ''),
  );
  const state = { time: startTime, account: '', region: '' };
  let elapsed = 0;

  const identity = (who: GeneratedPrincipal): string => {
    if (who.service !== undefined) return who.head + who.tail;
    if (state.time >= who.expiresAt) {
      who.expiresAt = state.time + 3_600_000;
      who.accessKey = `ASIA${random.text(16, upper)}`;
      who.session =
        random.unit() < 0.5 ? `i-0${random.hex(16)}` : `session-${1_767_225_600 + random.below(9_000_000)}`;
    }
    if (who.session === '') return who.head + who.accessKey + who.tail;
    const start = textOf(who.expiresAt - 3_600_000);
    return who.head.replaceAll('@', who.session) + who.accessKey + who.tail.replace('#', start);
  };

  const next = (): string => {
    elapsed += random.unit() * 2;
    state.time = startTime + Math.floor((elapsed * 1000) / perSecond);
    const who = all[random.zipf(principals)] as GeneratedPrincipal;
    const call =
      random.unit() < 0.8
        ? (who.habits[random.zipf(40)] as ApiCall)
        : (apiCalls[random.zipf(apiCalls.length)] as ApiCall);
    const region = random.unit() < 0.9 ? who.region : random.pick(regions);
    const denied = random.unit() < 0.04;
    const bodies = call.bodies(random, who.account, region, denied);
    state.account = who.account;
    state.region = region;
    const error = denied
      ? `"errorCode":"${call.error}","errorMessage":"User: ${who.arn} is not authorized to perform: ${call.service}:${call.name} because no identity-based policy allows the action",`
      : '';
    const source = who.service ?? who.addresses[random.zipf(3)];
    return (
      `{"eventVersion":"1.11","userIdentity":${identity(who)},"eventTime":"${textOf(state.time)}",` +
      `"eventSource":"${call.service}.amazonaws.com","eventName":"${call.name}","awsRegion":"${region}",` +
      `"sourceIPAddress":"${source}","userAgent":"${who.agent}",${error}${bodies}` +
      `"requestID":"${random.uuid()}","eventID":"${random.uuid()}","readOnly":${call.readOnly},${call.resources(random)}` +
      `"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"${who.account}","eventCategory":"Management",` +
      `"tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"${call.service}.${region}.amazonaws.com"}}`
    );
  };
  return {
    next,
    get time() {
      return state.time;
    },
    get account() {
      return state.account;
    },
    get region() {
      return state.region;
    },
  };
}

const packed = promisify(gzip);

/**
 * Writes `count` events as CloudTrail log files (`….json.gz`, gzip level 6) of `perFile` events under
 * `directory/AWSLogs/…`, and says what they take, in bytes.
 */
export async function writeLogFiles(
  directory: string,
  count: number,
  options: Partial<EventOptions> & { readonly perFile?: number } = {},
): Promise<{ readonly files: number; readonly sizeBytes: number; readonly rawBytes: number }> {
  const perFile = options.perFile ?? 2000;
  const generator = openEventGenerator(options);
  const made = new Set<string>();
  let [files, sizeBytes, rawBytes] = [0, 0, 0];
  for (let written = 0; written < count; files += 1) {
    const records: string[] = [];
    for (; records.length < perFile && written < count; written += 1) records.push(generator.next());
    const text = Buffer.from(`{"Records":[${records.join(',')}]}`);
    const bytes = await packed(text, { level: 6 });
    const iso = new Date(generator.time).toISOString();
    const { account, region } = generator;
    const folder = join(directory, 'AWSLogs', account, 'CloudTrail', region, ...iso.slice(0, 10).split('-'));
    if (!made.has(folder)) await mkdir(folder, { recursive: true });
    made.add(folder);
    const stamp = `${iso.slice(0, 16).replaceAll(/[-:]/g, '')}Z`;
    const name = `${account}_CloudTrail_${region}_${stamp}_${String(files).padStart(16, '0')}.json.gz`;
    const file = createWriteStream(join(folder, name));
    file.end(bytes);
    await once(file, 'close');
    sizeBytes += bytes.length;
    rawBytes += text.length;
  }
  return { files, sizeBytes, rawBytes };
}
