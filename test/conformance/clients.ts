import { AwsQueryProtocol, AwsSmithyRpcV2CborProtocol } from '@aws-sdk/core/protocols';
import { makeBuilder } from '@smithy/core/client';
import { getEndpointPlugin } from '@smithy/core/endpoints';
import type { ProtocolName, ServiceDescription } from '../../src/wire/service.ts';
import { cloudTrailDataExports } from '../../src/wire/services/cloudtrail-data-schema.ts';
import { s3ControlExports } from '../../src/wire/services/s3-control-schema.ts';
import type { capturing, inProcess } from './in-process.ts';

/** A client of the SDK, of any service. */
export interface AnyClient {
  send(command: unknown): Promise<Record<string, unknown>>;
  destroy(): void;
}

type Exports = Readonly<Record<string, unknown>>;
type Constructor = new (argument: unknown) => unknown;

const clientNames: Readonly<Record<string, string>> = {
  cloudtrail: 'CloudTrailClient',
  'cloudtrail-data': 'PipesClient',
  iam: 'IAMClient',
  sts: 'STSClient',
  cloudwatch: 'CloudWatchClient',
  logs: 'CloudWatchLogsClient',
  events: 'EventBridgeClient',
  config: 'ConfigServiceClient',
  s3: 'S3Client',
  s3control: 'S3Client',
  sns: 'SNSClient',
  sqs: 'SQSClient',
  lambda: 'LambdaClient',
  ssm: 'SSMClient',
  kms: 'KMSClient',
  scheduler: 'SchedulerClient',
  pipes: 'PipesClient',
};

const protocols: Partial<Record<ProtocolName, unknown>> = {
  awsQuery: AwsQueryProtocol,
  rpcv2Cbor: AwsSmithyRpcV2CborProtocol,
};

const endpointParameters = {
  UseFIPS: { type: 'builtInParams', name: 'useFipsEndpoint' },
  Endpoint: { type: 'builtInParams', name: 'endpoint' },
  Region: { type: 'builtInParams', name: 'region' },
  UseDualStack: { type: 'builtInParams', name: 'useDualstackEndpoint' },
};

/** Makes commands of a REST service from a schema, as the SDK's packages make theirs. */
const restCommand = makeBuilder(endpointParameters as never, 'Pipes', 'PipesClient', getEndpointPlugin) as (
  ...rest: unknown[]
) => Constructor;

/** Services whose schemas are our own. */
const ownSchemas: Readonly<Record<string, Exports>> = {
  'cloudtrail-data': cloudTrailDataExports,
  s3control: s3ControlExports,
};

/** What the SDK's package of a service exports; what no package carries borrows the client of another REST service. */
export async function clientExports(description: ServiceDescription): Promise<Exports> {
  if (description.name === 'cloudtrail-data') return import('@aws-sdk/client-pipes');
  if (description.name === 's3control') return import('@aws-sdk/client-s3');
  return description.load();
}

/** A client that speaks `protocol`, which need not be the one that it would choose, to `handler`. */
export function makeClient(
  serviceName: string,
  exports: Exports,
  protocol: ProtocolName | undefined,
  handler: ReturnType<typeof inProcess | typeof capturing>,
): AnyClient {
  const Client = exports[clientNames[serviceName] ?? ''] as Constructor;
  const other = protocol && protocols[protocol];
  const client = new Client({
    region: 'eu-central-1',
    endpoint: 'http://127.0.0.1:4747',
    credentials: { accessKeyId: 'AKIAEXAMPLEEXAMPLE01', secretAccessKey: 'an-example' },
    maxAttempts: 1,
    requestHandler: handler,
    ...(other ? { protocol: other } : {}),
    ...(serviceName === 's3' ? { forcePathStyle: true, responseChecksumValidation: 'WHEN_REQUIRED' } : {}),
    ...(serviceName === 'sqs' ? { md5: false } : {}),
  });
  return client as AnyClient;
}

/** The client's command for an operation. */
export function makeCommand(
  serviceName: string,
  exports: Exports,
  operationName: string,
  input: Readonly<Record<string, unknown>>,
): unknown {
  const own = ownSchemas[serviceName];
  if (own) {
    const Built = restCommand({}, () => [], operationName, own[`${operationName}$`]);
    return new Built(input);
  }
  const Made = exports[`${operationName}Command`] as Constructor;
  return new Made(input);
}
