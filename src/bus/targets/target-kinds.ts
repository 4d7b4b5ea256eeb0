import type { Target } from '@aws-sdk/client-eventbridge';
import { isAccountId, isRegion, parseArn } from '../../kernel/index.ts';
import type { BusPlace } from '../bus-documents.ts';
import { readJsonPath } from '../inputs/json-path.ts';

/** What a target's ARN names. */
export type TargetKind =
  | { readonly kind: 'event-bus'; readonly place: BusPlace; readonly name: string }
  | {
      readonly kind: 'api-destination';
      readonly place: BusPlace;
      readonly name: string;
      readonly id: string;
    };

const busResource = /^event-bus\/([.\-_A-Za-z0-9]{1,256})$/;
const apiDestinationResource = /^api-destination\/([.\-_A-Za-z0-9]{1,64})\/([-A-Za-z0-9]+)$/;

/** Undefined for what is no target that this Cairn can invoke. */
export function targetKindOf(arn: string): TargetKind | undefined {
  const parsed = parseArn(arn);
  if (parsed?.service !== 'events' || !isAccountId(parsed.accountId) || !isRegion(parsed.region)) {
    return undefined;
  }
  const place = { account: parsed.accountId, region: parsed.region };
  const [, bus] = busResource.exec(parsed.resource) ?? [];
  if (bus !== undefined) return { kind: 'event-bus', place, name: bus };
  const [, name, id] = apiDestinationResource.exec(parsed.resource) ?? [];
  return name === undefined || id === undefined ? undefined : { kind: 'api-destination', place, name, id };
}

/** Members of a target that say how one kind of it is invoked, by the names of AWS's services. */
const foreignMembers = {
  AppSyncParameters: 'AWS AppSync',
  BatchParameters: 'AWS Batch',
  EcsParameters: 'Amazon ECS',
  KinesisParameters: 'Amazon Kinesis',
  RedshiftDataParameters: 'Amazon Redshift',
  RunCommandParameters: 'Systems Manager Run Command',
  SageMakerPipelineParameters: 'Amazon SageMaker',
  SqsParameters: 'Amazon SQS',
} as const satisfies Partial<Record<keyof Target, string>>;

const transformMembers = ['Input', 'InputPath', 'InputTransformer'] as const;

function foreignMember(target: Target): string | undefined {
  const found = Object.entries(foreignMembers).find(
    ([member]) => target[member as keyof Target] !== undefined,
  );
  if (!found) return undefined;
  const [member, service] = found;
  return `Parameter ${member} is not valid for target ${target.Id}. Reason: it is for targets of ${service}, which are absent in Cairn.`;
}

function checkEventBus(target: Target): string | undefined {
  if (target.HttpParameters !== undefined) {
    return `Parameter HttpParameters is not valid for target ${target.Id}. Reason: it is for API destinations.`;
  }
  // "Input, InputPath, and InputTransformer are not available with PutTarget if the target is an event bus of a different
  // account" (PutTargets); what they do to events on their way to a bus of the same account is documented nowhere.
  const transform = transformMembers.find((member) => target[member] !== undefined);
  return transform === undefined
    ? undefined
    : `Parameter ${transform} is not valid for target ${target.Id}. Reason: it is not available if the target is an event bus.`;
}

/** Whether a value of a parameter is the path of what it takes from the event. */
export const isDynamic = (value: string): boolean => value.startsWith('$.');

function checkHttp({ Id, HttpParameters: http }: Target): string | undefined {
  const values = [...(http?.PathParameterValues ?? []), ...Object.values(http?.QueryStringParameters ?? {})];
  for (const value of values.filter(isDynamic)) {
    const read = readJsonPath(value);
    if (read.kind === 'refused')
      return `Parameter HttpParameters is not valid for target ${Id}. Reason: ${value}: ${read.reason}.`;
  }
  return undefined;
}

function checkApiDestination(target: Target, of: BusPlace, place: BusPlace): string | undefined {
  if (of.account !== place.account) {
    return `Access to the resource ${target.Arn} is denied. Reason: Adding cross-account target is not permitted.`;
  }
  if (of.region !== place.region) {
    return `Parameter ${target.Arn} is not valid. Reason: Provided Arn is not in correct region.`;
  }
  return checkHttp(target);
}

/**
 * Why a target cannot be put on a rule of a bus at `place`; undefined when it can. Targets that Cairn cannot invoke are refused,
 * never stored in silence ("PutTargets", "Event bus targets in Amazon EventBridge").
 */
export function checkTarget(target: Target, place: BusPlace): string | undefined {
  const arn = target.Arn ?? '';
  const kind = targetKindOf(arn);
  if (!kind) {
    return parseArn(arn)
      ? `Target ${arn} is not supported: the targets that Cairn invokes are event buses and API destinations.`
      : `Parameter ${arn} is not valid. Reason: Provided Arn is not in correct format.`;
  }
  if (target.DeadLetterConfig?.Arn !== undefined) {
    return `Parameter DeadLetterConfig is not valid for target ${target.Id}. Reason: dead-letter queues are of Amazon SQS, which is absent in Cairn.`;
  }
  const foreign = foreignMember(target);
  if (foreign !== undefined) return foreign;
  // "Using IAM roles for targets": buses and API destinations are invoked with a role.
  if (target.RoleArn === undefined) return `RoleArn is required for target ${arn}.`;
  return kind.kind === 'event-bus' ? checkEventBus(target) : checkApiDestination(target, kind.place, place);
}
