import { AwsFault } from '../../kernel/index.ts';
import type { ProtocolName, ServiceDescription } from '../service.ts';
import type { LoadedService, Services } from '../services.ts';
import { formValue, parseForm, parseFormText, type FormNode } from './form-body.ts';
import type { RoutedOperation, UnroutedRequest, WireRequest } from './protocol-types.ts';
import { routeRest } from './rest-router.ts';

/** Operations that AWS takes without a signature ("Requests that you must not sign" in the STS and S3 guides). */
const unsignedActions: Readonly<Record<string, string>> = {
  AssumeRoleWithWebIdentity: 'sts',
  AssumeRoleWithSAML: 'sts',
};

/** Whether AWS takes this operation without a signature. */
export function takesUnsigned(serviceName: string, operationName: string): boolean {
  return Object.hasOwn(unsignedActions, operationName) && unsignedActions[operationName] === serviceName;
}

/**
 * Finds the operation that a request asks for. `signingName` is the service in the credential scope, undefined for a
 * request without a signature; `readBody` gives the whole body and is called only for forms. Throws AwsFault:
 * UnknownOperationException, InvalidAction, MissingAction, MalformedQueryString, InvalidParameterCombination,
 * MethodNotAllowed, InvalidURI.
 */
export async function route(
  services: Services,
  request: WireRequest,
  signingName: string | undefined,
  readBody: () => Promise<Uint8Array>,
): Promise<RoutedOperation> {
  const style = styleOf(request);
  const form = style === 'form' ? await readForm(request, readBody) : undefined;
  const description = findService(services, request, signingName, form);
  if (!description) throw unknownService(signingName, form);
  const service = await services.load(description.name);
  switch (style) {
    case 'cbor':
      if (description.protocols.includes('rpcv2Cbor')) return routeCbor(service, request);
      break;
    case 'target':
      if (jsonProtocol(description, request)) return routeTarget(service, request);
      break;
    case 'form':
      if (form && description.protocols.includes('awsQuery')) return routeForm(service, request, form);
      break;
    case 'path':
      break;
  }
  const rest = description.protocols.find((protocol) => protocol === 'restJson1' || protocol === 'restXml');
  if (!rest) throw noOperation(service, request);
  const { operation, labels } = routeRest(service, request);
  return routed(service, rest, operation.name, request, labels);
}

/** What is known of a request that could not be routed or authenticated, so that its error has the right form. */
export async function unrouted(
  services: Services,
  request: WireRequest,
  signingName: string | undefined,
): Promise<UnroutedRequest> {
  const description = findService(services, request, signingName, queryForm(request));
  const service = description && (await services.load(description.name));
  return {
    service,
    protocol: guessProtocol(request, description),
    queryMode: request.headers['x-amzn-query-mode'] === 'true',
    method: request.method,
  };
}

/** `target`: X-Amz-Target; `form`: Action in a form or query; `cbor`: rpcv2Cbor; `path`: REST. */
type Style = 'cbor' | 'target' | 'form' | 'path';

function styleOf(request: WireRequest): Style {
  if (request.headers['smithy-protocol'] === 'rpc-v2-cbor') return 'cbor';
  if (request.headers['x-amz-target'] !== undefined) return 'target';
  if (hasFormInBody(request)) return 'form';
  return hasFormInQuery(request) ? 'form' : 'path';
}

function guessProtocol(request: WireRequest, description: ServiceDescription | undefined): ProtocolName {
  switch (styleOf(request)) {
    case 'cbor':
      return 'rpcv2Cbor';
    case 'target':
      return (description && jsonProtocol(description, request)) ?? jsonVersion(request);
    case 'form':
      return description?.protocols.includes('awsQuery') === false
        ? (description.protocols[0] ?? 'awsQuery')
        : 'awsQuery';
    case 'path':
      return description?.protocols[0] ?? 'restJson1';
  }
}

function jsonVersion(request: WireRequest): 'awsJson1_0' | 'awsJson1_1' {
  return (request.headers['content-type'] ?? '').includes('json-1.0') ? 'awsJson1_0' : 'awsJson1_1';
}

function jsonProtocol(description: ServiceDescription, request: WireRequest): ProtocolName | undefined {
  const asked = jsonVersion(request);
  if (description.protocols.includes(asked)) return asked;
  return description.protocols.find((protocol) => protocol === 'awsJson1_0' || protocol === 'awsJson1_1');
}

function hasFormInBody({ method, headers }: WireRequest): boolean {
  const type = (headers['content-type'] ?? '').toLowerCase();
  return method === 'POST' && type.startsWith('application/x-www-form-urlencoded');
}

const hasFormInQuery = ({ query }: WireRequest): boolean => /(?:^|&)Action=/.test(query);

/** A request has its parameters in the query or in the body. In both, it would depend on the reader what is asked for. */
async function readForm(request: WireRequest, readBody: () => Promise<Uint8Array>): Promise<FormNode> {
  if (!hasFormInQuery(request)) return parseForm(await readBody());
  if (!hasFormInBody(request) || (await readBody()).length === 0) return parseFormText(request.query);
  const message = 'The parameters of a request stand in its query string or in its body, not in both.';
  throw new AwsFault('InvalidParameterCombination', message, { status: 400 });
}

/** The form of a request that carries it in its query string, as presigned STS calls do. */
function queryForm(request: WireRequest): FormNode | undefined {
  if (!hasFormInQuery(request)) return undefined;
  try {
    return parseFormText(request.query);
  } catch {
    return undefined;
  }
}

function findService(
  services: Services,
  request: WireRequest,
  signingName: string | undefined,
  form: FormNode | undefined,
): ServiceDescription | undefined {
  const candidates = signingName === undefined ? services.descriptions : services.signedAs(signingName);
  const target = targetParts(request)?.prefix ?? cborParts(request)?.target;
  const named = target === undefined ? undefined : candidates.find((one) => one.target === target);
  if (named) return named;
  const control = candidates.find(({ name }) => name === 's3control');
  if (control && isS3Control(request)) return control;
  if (signingName !== undefined)
    return target === undefined || candidates.length === 1 ? candidates[0] : undefined;
  const action = form && formValue(form, 'Action');
  if (action !== undefined && Object.hasOwn(unsignedActions, action)) {
    return candidates.find((one) => one.name === unsignedActions[action]);
  }
  if (form || target !== undefined || styleOf(request) === 'form') return undefined;
  return candidates.find((one) => one.protocols.includes('restXml'));
}

/**
 * Whether a request is for S3 Control, which shares S3's signing name: its paths begin with its API version, and the account
 * stands in a header that S3 itself does not have.
 */
const isS3Control = ({ path, headers }: WireRequest): boolean =>
  path.startsWith('/v20180820/') && headers['x-amz-account-id'] !== undefined;

/** Older clients write the whole namespace before the service's name, so the last part before the dot counts. */
function targetParts(request: WireRequest): { prefix: string; operationName: string } | undefined {
  const parts = request.headers['x-amz-target']?.split('.');
  const operationName = parts?.at(-1);
  const prefix = parts?.at(-2);
  return prefix === undefined || operationName === undefined ? undefined : { prefix, operationName };
}

/** `…/service/TARGET/operation/NAME` ("Smithy RPC v2 CBOR protocol"); a prefix before it is allowed. */
function cborParts(request: WireRequest): { target: string; operationName: string } | undefined {
  const match = /\/service\/([^/]{1,200})\/operation\/([^/]{1,200})\/?$/.exec(request.path.slice(-600));
  const [, target, operationName] = match ?? [];
  return target === undefined || operationName === undefined
    ? undefined
    : { target: target.split('.').at(-1) ?? target, operationName };
}

function routeTarget(service: LoadedService, request: WireRequest): RoutedOperation {
  const { description } = service;
  const target = targetParts(request);
  const protocol = jsonProtocol(description, request);
  if (!target || !protocol || request.method !== 'POST' || target.prefix !== description.target) {
    throw noOperation(service, request);
  }
  return routed(service, protocol, target.operationName, request);
}

function routeCbor(service: LoadedService, request: WireRequest): RoutedOperation {
  const parts = cborParts(request);
  if (!parts || request.method !== 'POST' || parts.target !== service.description.target) {
    throw new AwsFault('UnknownOperationException', 'The request names no operation of this service.', {
      status: 404,
    });
  }
  return routed(service, 'rpcv2Cbor', parts.operationName, request);
}

function routeForm(service: LoadedService, request: WireRequest, form: FormNode): RoutedOperation {
  const { description } = service;
  const action = formValue(form, 'Action');
  if (action === undefined || action === '') {
    throw new AwsFault('MissingAction', 'The request is missing an action or a required parameter.', {
      status: 400,
    });
  }
  const version = formValue(form, 'Version') ?? 'NO_VERSION_SPECIFIED';
  if (!service.schema.operations.has(action) || version !== description.apiVersion) {
    const message = `Could not find operation ${action.slice(0, 200)} for version ${version.slice(0, 50)}`;
    throw new AwsFault('InvalidAction', message, { status: 400 });
  }
  return { ...routed(service, 'awsQuery', action, request), form };
}

function routed(
  service: LoadedService,
  protocol: ProtocolName,
  operationName: string,
  request: WireRequest,
  labels: Readonly<Record<string, string>> = {},
): RoutedOperation {
  const operation = service.schema.operations.get(operationName);
  if (!operation) {
    const message = `${service.description.name} has no operation ${operationName.slice(0, 200)}.`;
    throw new AwsFault('UnknownOperationException', message, {
      status: protocol === 'rpcv2Cbor' ? 404 : 400,
    });
  }
  return {
    service,
    protocol,
    operation,
    operationName,
    streamingInput: operation.streamingInput,
    streamingOutput: operation.streamingOutput,
    labels,
    queryMode: request.headers['x-amzn-query-mode'] === 'true',
    method: request.method,
  };
}

function noOperation(service: LoadedService, request: WireRequest): AwsFault {
  const { description } = service;
  if (description.protocols[0] === 'awsQuery') {
    return new AwsFault('MissingAction', 'The request is missing an action or a required parameter.', {
      status: 400,
    });
  }
  const asked = request.headers['x-amz-target'] ?? `${request.method} ${request.path}`;
  const message = `${description.name} has no operation ${asked.slice(0, 200)}.`;
  return new AwsFault('UnknownOperationException', message, { status: 400 });
}

function unknownService(signingName: string | undefined, form: FormNode | undefined): AwsFault {
  const message =
    signingName === undefined
      ? 'The request is not signed and names no operation that is taken without a signature.'
      : `No service is served here under the signing name ${signingName.slice(0, 100)}.`;
  return new AwsFault(form ? 'InvalidAction' : 'UnknownOperationException', message, { status: 400 });
}
