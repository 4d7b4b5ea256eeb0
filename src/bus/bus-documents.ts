import type {
  ConnectionAuthorizationType,
  ApiDestinationHttpMethod,
  RuleState,
  Tag,
  Target,
} from '@aws-sdk/client-eventbridge';
import type { NamedPrincipal } from '../identity/index.ts';

/** What the bus keeps in control state. Times are epoch milliseconds. FORMAT.md lists the keys. */

/** Of the bus that every account has in every region; its document is written once something of it is changed. */
export const defaultBusName = 'default';

export interface BusDocument {
  readonly name: string;
  readonly description?: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** JSON text of the resource policy. `busPolicyInForce` is what is evaluated. */
  readonly policy?: string;
  /** The users and roles that the policy names, as they were when it was put. */
  readonly policyPrincipals?: readonly NamedPrincipal[];
  readonly tags: readonly Tag[];
}

export interface RuleDocument {
  readonly name: string;
  readonly bus: string;
  /** JSON text, as it was put. */
  readonly eventPattern: string;
  readonly state: RuleState;
  readonly description?: string;
  readonly roleArn?: string;
  /** ARN of the principal that made it. */
  readonly createdBy: string;
  readonly tags: readonly Tag[];
}

/** A target of a rule, checked when it was put. */
export interface TargetDocument {
  readonly rule: string;
  readonly bus: string;
  readonly target: Target;
}

export interface ConnectionDocument {
  readonly name: string;
  /** The last part of its ARN. */
  readonly id: string;
  readonly description?: string;
  readonly authorizationType: ConnectionAuthorizationType;
  readonly state: 'AUTHORIZED' | 'AUTHORIZING' | 'DEAUTHORIZED';
  readonly stateReason?: string;
  /** When it was authorized last. */
  readonly authorizedAt?: number;
  /** ConnectionAuthResponseParameters: without secrets. */
  readonly shown: unknown;
  /** The CreateConnectionAuthRequestParameters as JSON, sealed by the master key's cipher `bus/v1`; base 64. Absent once deauthorized. */
  readonly sealed?: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface ApiDestinationDocument {
  readonly name: string;
  /** The last part of its ARN. */
  readonly id: string;
  readonly description?: string;
  readonly connectionArn: string;
  readonly invocationEndpoint: string;
  readonly httpMethod: ApiDestinationHttpMethod;
  readonly invocationRateLimitPerSecond: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** Account and region that the things of a bus are kept under. */
export interface BusPlace {
  readonly account: string;
  readonly region: string;
}

const under = ({ account, region }: BusPlace, kind: string) => `bus/${account}/${region}/${kind}/`;

export const busPrefix = (place: BusPlace) => under(place, 'bus');
export const busKey = (place: BusPlace, name: string) => `${busPrefix(place)}${name}`;
/** Of the rules of one bus. */
export const rulePrefix = (place: BusPlace, bus: string) => `${under(place, 'rule')}${bus}/`;
export const ruleKey = (place: BusPlace, bus: string, name: string) => `${rulePrefix(place, bus)}${name}`;
/** Of the targets of one bus; with `rule`, of one rule. */
export const targetPrefix = (place: BusPlace, bus: string, rule?: string) =>
  `${under(place, 'target')}${bus}/${rule === undefined ? '' : `${rule}/`}`;
export const targetKey = (place: BusPlace, bus: string, rule: string, id: string) =>
  `${targetPrefix(place, bus, rule)}${id}`;
export const connectionPrefix = (place: BusPlace) => under(place, 'connection');
export const connectionKey = (place: BusPlace, name: string) => `${connectionPrefix(place)}${name}`;
export const apiDestinationPrefix = (place: BusPlace) => under(place, 'api-destination');
export const apiDestinationKey = (place: BusPlace, name: string) => `${apiDestinationPrefix(place)}${name}`;

export const busArn = ({ account, region }: BusPlace, name: string) =>
  `arn:aws:events:${region}:${account}:event-bus/${name}`;
/** Rules of the default bus have no bus in their ARN. */
export const ruleArn = ({ account, region }: BusPlace, bus: string, name: string) =>
  `arn:aws:events:${region}:${account}:rule/${bus === defaultBusName ? '' : `${bus}/`}${name}`;
export const connectionArn = ({ account, region }: BusPlace, { name, id }: ConnectionDocument) =>
  `arn:aws:events:${region}:${account}:connection/${name}/${id}`;
export const apiDestinationArn = ({ account, region }: BusPlace, { name, id }: ApiDestinationDocument) =>
  `arn:aws:events:${region}:${account}:api-destination/${name}/${id}`;

const busArns = /^arn:aws:events:([^:]+):(\d{12}):event-bus\/(.+)$/;

/** Takes the ARN of a bus apart; undefined when it is none. */
export function placeOfBus(arn: string): { readonly place: BusPlace; readonly name: string } | undefined {
  const [, region, account, name] = busArns.exec(arn) ?? [];
  return region === undefined || account === undefined || name === undefined
    ? undefined
    : { place: { account, region }, name };
}
