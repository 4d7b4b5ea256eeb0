import { openServices, type HttpRoute } from '../../../src/wire/index.ts';
import type { CairnServer } from '../../../src/server.ts';
import type { TestServer } from '../harness.ts';
import { signedFetch } from '../signed-fetch.ts';
import { management, openMaker, type Keys, type RootClients, type Shared } from './furniture.ts';
import { inputOf, type SdkModule } from './inputs.ts';

/** What became of a call. */
export interface Outcome {
  /** Code of the refusal; undefined when the call got past authentication and authorisation, whatever became of it then. */
  readonly code: string | undefined;
  readonly message: string;
  readonly requestId: string;
}

/** Who sends a call; `unsigned` is nobody at all. */
export type Sender = Keys | 'unsigned';

/** One row of the matrix. */
export interface Row {
  /** Such as `s3:GetObject`. */
  readonly name: string;
  readonly service: string;
  readonly operation: string;
  /** Makes what the call acts on; the members of the request. */
  prepare(root: RootClients, shared: Shared): Promise<Record<string, unknown>>;
  send(server: TestServer, sender: Sender, input: Record<string, unknown>): Promise<Outcome>;
}

const refusals =
  /^(AccessDenied|MissingAuthenticationToken|SignatureDoesNotMatch|InvalidSignature|InvalidClientTokenId|InvalidAccessKeyId|UnrecognizedClient|IncompleteSignature)(Exception)?$/;

const refusal = (code: string | undefined, status: number): string | undefined =>
  code !== undefined && refusals.test(code) ? code : status === 403 ? '403' : undefined;

interface SdkError extends Error {
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
}

interface SdkAnswer {
  readonly $metadata: { readonly requestId?: string };
  readonly Body?: { destroy?(): void };
  /** DeleteObjects answers for each object on its own. */
  readonly Errors?: readonly { readonly Code?: string; readonly Message?: string }[];
}

type Client = { send(command: unknown): Promise<SdkAnswer> };
type ClientClass = new (options: unknown) => Client;

const clients = new Map<string, Client>();

function clientOf(module: SdkModule, service: string, server: TestServer, sender: Sender): Client {
  const credentials = sender === 'unsigned' ? { accessKeyId: 'x', secretAccessKey: 'x' } : sender;
  const key = [server.endpoint, service, ...(sender === 'unsigned' ? [sender] : Object.values(sender))].join(
    ' ',
  );
  const known = clients.get(key);
  if (known) return known;
  const name = Object.keys(module).find((one) => /^[A-Z]\w+Client$/.test(one));
  const client = new (module[name!] as ClientClass)({
    ...server.clientOptions,
    credentials,
    forcePathStyle: true,
    ...(sender === 'unsigned' && { signer: { sign: (request: unknown) => Promise.resolve(request) } }),
  });
  clients.set(key, client);
  return client;
}

async function sendCommand(client: Client, command: unknown): Promise<Outcome> {
  try {
    const answer = await client.send(command);
    answer.Body?.destroy?.();
    const [error] = answer.Errors ?? [];
    const requestId = answer.$metadata.requestId ?? '';
    return { code: refusal(error?.Code, 200), message: error?.Message ?? '', requestId };
  } catch (error) {
    const { name, message, $metadata } = error as SdkError;
    const code = refusal(name, $metadata?.httpStatusCode ?? 0);
    return { code, message, requestId: $metadata?.requestId ?? '' };
  }
}

function sdkRow(module: SdkModule, service: string, operation: string): Row {
  const Command = module[`${operation}Command`] as new (input: unknown) => unknown;
  const id = `${service}-${operation}`.toLowerCase();
  return {
    name: `${service}:${operation}`,
    service,
    operation,
    prepare: (root, shared) => inputOf(module, service, operation, openMaker(id, root, shared)),
    send: (server, sender, input) =>
      sendCommand(clientOf(module, service, server, sender), new Command(input)),
  };
}

async function outcomeOf(answer: Response): Promise<Outcome> {
  const requestId = answer.headers.get('x-amzn-requestid') ?? answer.headers.get('x-amz-request-id') ?? '';
  if (answer.ok) return { code: undefined, message: '', requestId };
  const body = await answer.text();
  const code =
    answer.headers.get('x-amzn-errortype') ??
    /<Code>([^<]+)<\/Code>/.exec(body)?.[1] ??
    /"(?:__type|code)":"([^"]+)"/.exec(body)?.[1];
  const plain = code?.split('#').at(-1)?.split(':')[0];
  return { code: refusal(plain, answer.status), message: body, requestId };
}

interface HttpCall {
  readonly service: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly query?: Record<string, string>;
  readonly body?: string;
}

/** A row of what no SDK client calls: PutAuditEvents and the paths of our own. */
function httpRow(operation: string, request: HttpCall): Row {
  const { service, method, path, body } = request;
  return {
    name: `${service}:${operation}`,
    service,
    operation,
    prepare: () => Promise.resolve({}),
    async send(server, sender) {
      const abort = new AbortController();
      const { signal } = abort;
      const query = new URLSearchParams(request.query).toString();
      const plain = { method, signal, ...(body === undefined ? {} : { body }) };
      const answer =
        sender === 'unsigned'
          ? await fetch(`${server.endpoint}${path}?${query}`, plain)
          : await signedFetch({ endpoint: server.endpoint, credentials: sender }, path, {
              ...request,
              signal,
            });
      const outcome = await outcomeOf(answer);
      // An answer that goes on for good, such as the live tail, has said all that matters with its head.
      abort.abort();
      return outcome;
    },
  };
}

const putAuditEvents = httpRow('PutAuditEvents', {
  service: 'cloudtrail-data',
  method: 'POST',
  path: '/PutAuditEvents',
  query: { channelArn: `arn:aws:cloudtrail:us-east-1:${management}:channel/default` },
  body: JSON.stringify({ auditEvents: [{ id: '1', eventData: '{}' }] }),
});

const routeRow = ({
  method,
  path,
  operationName,
}: Pick<HttpRoute, 'method' | 'path' | 'operationName'>): Row =>
  httpRow(operationName, {
    service: 'cairn',
    method,
    path: path.replace(/\/\*$/, '/x'),
    ...(method === 'POST' ? { body: '{"name":"matrix"}' } : {}),
  });

const tagRequests: Readonly<Record<string, Pick<HttpCall, 'query' | 'body'> & { readonly method: string }>> =
  {
    ListTagsForResource: { method: 'GET' },
    TagResource: {
      method: 'POST',
      body: '<TagResourceRequest xmlns="http://awss3control.amazonaws.com/doc/2018-08-20/"><Tags><Tag><Key>matrix</Key><Value>x</Value></Tag></Tags></TagResourceRequest>',
    },
    UntagResource: { method: 'DELETE', query: { tagKeys: 'matrix' } },
  };

/** A row of S3 Control, which no client here knows. */
function controlRow(operation: string): Row {
  const request = tagRequests[operation];
  if (!request) throw new Error(`the matrix cannot send ${operation}`);
  const headers = { 'x-amz-account-id': management };
  return {
    name: `s3control:${operation}`,
    // Its actions are S3's.
    service: 's3',
    operation,
    prepare: (_, { trailBucket }) => Promise.resolve({ ResourceArn: `arn:aws:s3:::${trailBucket}` }),
    async send(server, sender, { ResourceArn }) {
      const path = `/v20180820/tags/${encodeURIComponent(String(ResourceArn))}`;
      const query = new URLSearchParams(request.query).toString();
      const answer =
        sender === 'unsigned'
          ? await fetch(`${server.endpoint}${path}?${query}`, { ...request, headers })
          : await signedFetch({ endpoint: server.endpoint, credentials: sender }, path, {
              ...request,
              service: 's3',
              headers,
            });
      return outcomeOf(answer);
    },
  };
}

/** A row for everything that is present. */
export async function allRows(present: Pick<CairnServer, 'operations' | 'routes'>): Promise<readonly Row[]> {
  const { descriptions } = openServices();
  const rows: Row[] = [];
  for (const [service, names] of Object.entries(present.operations)) {
    if (service === 'cloudtrail-data') {
      // No npm client knows it; its one operation is sent by hand.
      if (names.join() !== 'PutAuditEvents') throw new Error(`the matrix cannot send ${names.join()}`);
      rows.push(putAuditEvents);
      continue;
    }
    if (service === 's3control') {
      rows.push(...names.map(controlRow));
      continue;
    }
    const module = await descriptions.find(({ name }) => name === service)!.load();
    rows.push(...names.map((name) => sdkRow(module, service, name)));
  }
  const signed = present.routes.filter(({ unsigned }) => !unsigned);
  return [...rows, ...signed.map(routeRow)];
}
