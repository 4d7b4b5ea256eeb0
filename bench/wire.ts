/**
 * What a request costs the server, in CPU microseconds, beside a bare `node:http` echo in the same run:
 *
 *   echo        reads the body, answers a constant
 *   identity    STS GetCallerIdentity, signed (awsQuery)
 *   lookup      CloudTrail LookupEvents, signed (awsJson 1.1), an empty answer
 *   metrics     CloudWatch PutMetricData of ten metrics, signed (awsJson 1.0)
 *
 * Each server runs in a process of its own, whose CPU time is read; nothing is stored, so that only the wire counts.
 *
 *   node bench/wire.ts [--requests 20000]
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { accountId, silentLog, systemClock, systemRandom } from '../src/kernel/index.ts';
import {
  openHttpServer,
  openPipeline,
  openServices,
  signRequest,
  type Operations,
} from '../src/wire/index.ts';
import { printFigures, round, type Figure } from './figures.ts';

const credentials = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCY',
};
const connections = 16;

const operations: Readonly<Record<string, Operations<undefined>>> = {
  sts: {
    GetCallerIdentity: { access: 'read', handle: async () => ({ Account: '0', Arn: 'arn', UserId: '0' }) },
  },
  cloudtrail: { LookupEvents: { access: 'read', handle: async () => ({ Events: [] }) } },
  cloudwatch: { PutMetricData: { access: 'write', handle: async () => ({}) } },
};

async function serveEcho(): Promise<number> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.end('{"Events":[]}'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function serveWire(): Promise<number> {
  const parts = { clock: systemClock, random: systemRandom, log: silentLog };
  const account = accountId('000000000000');
  const { accessKeyId } = credentials;
  const principal = {
    type: 'Root',
    accountId: account,
    arn: 'arn:aws:iam::000000000000:root',
    accessKeyId,
  } as const;
  const handle = openPipeline<undefined>({
    ...parts,
    services: openServices(),
    operations,
    routes: [],
    findCredential: async () => ({ ...credentials, principal }),
    perform: async ({ operation, input, call }) => operation?.handle(input, call, undefined) ?? {},
    recordRejected: async () => undefined,
  });
  const listen = { host: '127.0.0.1', port: 0 };
  return (await openHttpServer({ ...parts, listen, tls: undefined, trustedProxies: [], handle })).port;
}

/** The server's side: says its port, and its CPU time whenever it is asked. */
async function serve(kind: string): Promise<void> {
  const port = kind === 'echo' ? await serveEcho() : await serveWire();
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.({ cpuMicroseconds: user + system });
  });
  process.on('disconnect', () => process.exit(0));
  process.send?.({ port });
}

interface Load {
  readonly name: string;
  readonly service: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const metrics = Array.from({ length: 10 }, (_, index) => ({
  MetricName: `metric-${index}`,
  Value: index * 1.5,
  Unit: 'Count',
  Timestamp: 1_795_000_000 + index,
  Dimensions: [{ Name: 'Host', Value: `host-${index}` }],
}));

const loads: readonly Load[] = [
  {
    name: 'identity',
    service: 'sts',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'Action=GetCallerIdentity&Version=2011-06-15',
  },
  {
    name: 'lookup',
    service: 'cloudtrail',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'CloudTrail_20131101.LookupEvents',
    },
    body: JSON.stringify({
      LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: 'CreateUser' }],
      MaxResults: 10,
    }),
  },
  {
    name: 'metrics',
    service: 'monitoring',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'GraniteServiceVersion20100801.PutMetricData',
    },
    body: JSON.stringify({ Namespace: 'bench', MetricData: metrics }),
  },
];

function requestBytes(load: Load, port: number): Buffer {
  const headers = signRequest({
    method: 'POST',
    url: new URL(`http://127.0.0.1:${port}/`),
    headers: load.headers,
    body: load.body,
    service: load.service,
    region: 'us-east-1',
    credentials,
    time: systemClock.now(),
  });
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const length = Buffer.byteLength(load.body);
  return Buffer.from(`POST / HTTP/1.1\r\n${lines.join('')}content-length: ${length}\r\n\r\n${load.body}`);
}

/** Sends the request over and over on one connection, each once the answer before it has come. */
async function drive(port: number, bytes: Buffer, count: number): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let left = count;
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('data', (answer) => {
      if (answer.subarray(0, 12).toString('latin1') !== 'HTTP/1.1 200') reject(new Error(answer.toString()));
      left -= 1;
      if (left === 0) resolve();
      else socket.write(bytes);
    });
    socket.write(bytes);
  });
  socket.destroy();
}

/** CPU microseconds of the server for one request. */
async function measure(kind: string, load: Load, requests: number): Promise<number> {
  const child = fork(import.meta.filename, ['--serve', kind]);
  const said = async <T>(): Promise<T> => ((await once(child, 'message')) as [T])[0];
  const { port } = await said<{ port: number }>();
  const cpu = async (): Promise<number> => {
    const answer = said<{ cpuMicroseconds: number }>();
    child.send('cpu');
    return (await answer).cpuMicroseconds;
  };
  const bytes = requestBytes(load, port);
  const run = (count: number) =>
    Promise.all(
      Array.from({ length: connections }, () => drive(port, bytes, Math.ceil(count / connections))),
    );
  await run(Math.min(requests, 5_000));
  const before = await cpu();
  await run(requests);
  const spent = (await cpu()) - before;
  child.disconnect();
  await once(child, 'exit');
  return spent / requests;
}

const { values } = parseArgs({
  options: { requests: { type: 'string', default: '20000' }, serve: { type: 'string' } },
});
if (values.serve === undefined) {
  const requests = Number(values.requests);
  const figures: Figure[] = [];
  for (const load of loads) {
    const echo = await measure('echo', load, requests);
    const wire = await measure('wire', load, requests);
    figures.push({
      what: `${load.name}: CPU of the server, a signed request`,
      figure: `${round(wire)} µs; bare echo ${round(echo)} µs`,
    });
  }
  printFigures('The wire: signed requests beside a bare echo', figures);
} else {
  await serve(values.serve);
}
