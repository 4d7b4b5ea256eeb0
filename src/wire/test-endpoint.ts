import { accountId, AwsFault, openLog, systemClock, systemRandom, type Clock } from '../kernel/index.ts';
import type { Credential, DecodedCall, HttpRoute, RejectedCall } from './endpoint.ts';
import { openHttpServer, type HttpServerOptions, type ReceivedRequest } from './http/index.ts';
import { openPipeline } from './pipeline.ts';
import type { PipelineOptions, RequestReport } from './pipeline/progress.ts';
import type { Operations } from './service.ts';
import { openServices } from './services.ts';

/** For tests: a server with a few operations and routes, which keeps what it was asked. */
export interface TestEndpoint extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly clock: Clock;
  readonly received: ReceivedRequest[];
  readonly performed: DecodedCall<undefined>[];
  readonly rejected: RejectedCall[];
  readonly reports: RequestReport[];
  readonly objects: Map<string, Buffer>;
  /** Everything that was logged. */
  logged(): string;
  close(): Promise<void>;
}

const credentials = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCY',
};

async function findCredential(accessKeyId: string, sessionToken: string | undefined): Promise<Credential> {
  if (accessKeyId === 'ASIAEXPIRED') throw new AwsFault('ExpiredToken', 'expired');
  const token = accessKeyId === 'ASIASESSION' ? 'the-token' : undefined;
  if ((accessKeyId !== credentials.accessKeyId && token === undefined) || sessionToken !== token) {
    throw new AwsFault('InvalidClientTokenId', 'unknown');
  }
  const account = accountId('000000000000');
  return {
    accessKeyId,
    secretAccessKey: credentials.secretAccessKey,
    principal: { type: 'Root', accountId: account, arn: 'arn:aws:iam::000000000000:root', accessKeyId },
  };
}

function keyOf(input: { readonly Bucket: string; readonly Key: string }): string {
  return `${input.Bucket}/${input.Key}`;
}

function operationsOver(objects: Map<string, Buffer>): Readonly<Record<string, Operations<undefined>>> {
  const read = (input: { Bucket: string; Key: string }) => {
    const found = objects.get(keyOf(input));
    if (!found) throw new AwsFault('NotFound', 'Not Found', { status: 404 });
    return found;
  };
  return {
    sts: {
      GetCallerIdentity: {
        access: 'read',
        handle: async (_, call) => ({
          Account: call.accountId,
          Arn: call.principal.arn,
          UserId: call.accountId,
        }),
      },
    },
    iam: {
      CreateUser: {
        access: 'write',
        handle: async (input, call) => ({
          User: { ...input, Path: '/', UserId: 'AIDA', Arn: 'arn', CreateDate: new Date(call.time) },
        }),
      },
      ListUsers: {
        access: 'read',
        handle: async () => {
          throw new TypeError('secret cause');
        },
      },
    },
    cloudwatch: { PutMetricData: { access: 'write', handle: async () => ({}) } },
    s3: {
      PutObject: {
        access: 'write',
        category: 'data',
        async handle(input) {
          const pieces: Uint8Array[] = [];
          if (input.Body instanceof Uint8Array) pieces.push(input.Body);
          else for await (const piece of input.Body ?? []) pieces.push(piece as Uint8Array);
          objects.set(keyOf(input), Buffer.concat(pieces));
          return {};
        },
      },
      GetObject: {
        access: 'read',
        category: 'data',
        async handle(input) {
          const body = read(input);
          return { ContentLength: body.length, Body: pieces(body) };
        },
      },
      HeadObject: {
        access: 'read',
        category: 'data',
        handle: async (input) => ({ ContentLength: read(input).length }),
      },
      DeleteObject: {
        access: 'write',
        category: 'data',
        async handle(input) {
          objects.delete(keyOf(input));
          return {};
        },
      },
    },
  };
}

async function* pieces(body: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < body.length; at += 65_536) yield body.subarray(at, at + 65_536);
}

/** Opens the endpoint on a free port. */
export async function openTestEndpoint(
  edit: {
    readonly server?: Partial<HttpServerOptions>;
    readonly pipeline?: Partial<PipelineOptions<undefined>>;
    readonly routes?: readonly HttpRoute<undefined>[];
  } = {},
): Promise<TestEndpoint> {
  const clock = edit.server?.clock ?? systemClock;
  const lines: string[] = [];
  const log = openLog('info', { write: (line: string) => void lines.push(line) });
  const received: ReceivedRequest[] = [];
  const performed: DecodedCall<undefined>[] = [];
  const rejected: RejectedCall[] = [];
  const reports: RequestReport[] = [];
  const objects = new Map<string, Buffer>();
  const handle = openPipeline<undefined>({
    services: openServices(),
    operations: operationsOver(objects),
    routes: edit.routes ?? [],
    findCredential,
    async perform(decoded) {
      performed.push(decoded);
      if (!decoded.operation) throw new AwsFault('NotImplemented', `${decoded.operationName} is absent.`);
      return (await decoded.operation.handle(decoded.input, decoded.call, undefined)) as Record<
        string,
        unknown
      >;
    },
    recordRejected: async (call) => void rejected.push(call),
    clock,
    log,
    onRequest: (report) => void reports.push(report),
    ...edit.pipeline,
  });
  const server = await openHttpServer({
    listen: { host: '127.0.0.1', port: 0 },
    tls: undefined,
    trustedProxies: [],
    clock,
    random: systemRandom,
    log,
    handle(request) {
      received.push(request);
      return handle(request);
    },
    ...edit.server,
  });
  const scheme = edit.server?.tls ? 'https' : 'http';
  return {
    url: `${scheme}://${server.address}:${server.port}`,
    port: server.port,
    credentials,
    clock,
    received,
    performed,
    rejected,
    reports,
    objects,
    logged: () => lines.join(''),
    close: () => server.close(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
