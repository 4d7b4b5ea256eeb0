import type {
  ConnectionAuthorizationType,
  ConnectionAuthResponseParameters,
  ConnectionHttpParameters,
} from '@aws-sdk/client-eventbridge';
import { invalid } from '../faults.ts';
import { namedValues, type ConnectionSecret, type Egress } from '../targets/index.ts';

/** The member of the parameters that each type of authorization has. */
const memberOf = {
  API_KEY: 'ApiKeyAuthParameters',
  BASIC: 'BasicAuthParameters',
  OAUTH_CLIENT_CREDENTIALS: 'OAuthParameters',
} as const satisfies Record<ConnectionAuthorizationType, keyof ConnectionSecret>;

const complete = (...values: readonly (string | undefined)[]): boolean =>
  values.every((value) => value !== undefined && value !== '');

function isComplete({
  ApiKeyAuthParameters: key,
  BasicAuthParameters: basic,
  OAuthParameters: oauth,
}: ConnectionSecret) {
  if (key) return complete(key.ApiKeyName, key.ApiKeyValue);
  if (basic) return complete(basic.Username, basic.Password);
  const client = oauth?.ClientParameters;
  return complete(client?.ClientID, client?.ClientSecret, oauth?.AuthorizationEndpoint, oauth?.HttpMethod);
}

function checkHttp(parameters: ConnectionHttpParameters | undefined): void {
  for (const kind of ['HeaderParameters', 'QueryStringParameters', 'BodyParameters'] as const) {
    if (namedValues(parameters, kind).some(([key]) => key === ''))
      throw invalid(`Parameter ${kind} is not valid. Reason: a parameter has no Key.`);
  }
}

/**
 * "You must include only authorization parameters for the AuthorizationType you specify." Throws ValidationException, also
 * where the authorization server is one that must not be asked.
 */
export function checkSecret(
  type: ConnectionAuthorizationType,
  secret: ConnectionSecret | undefined,
  egress: Egress,
): void {
  const wanted = memberOf[type];
  const other = Object.values(memberOf).find((member) => member !== wanted && secret?.[member] !== undefined);
  if (other !== undefined)
    throw invalid(`Parameter ${other} is not valid. Reason: the AuthorizationType is ${type}.`);
  if (!secret?.[wanted] || !isComplete(secret))
    throw invalid(`Parameter AuthParameters is not valid. Reason: ${type} needs all of ${wanted}.`);
  const { OAuthParameters: oauth } = secret;
  checkHttp(secret.InvocationHttpParameters);
  checkHttp(oauth?.OAuthHttpParameters);
  if (oauth) checkEndpoint('AuthorizationEndpoint', oauth.AuthorizationEndpoint ?? '', egress);
}

/** Throws ValidationException for an endpoint that requests are never sent to. */
export function checkEndpoint(name: string, text: string, egress: Egress): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url) throw invalid(`Parameter ${name} is not valid. Reason: Must be a valid HTTPS URL.`);
  if (url.host.includes('*'))
    throw invalid(`Parameter ${name} is not valid. Reason: * stands in paths alone.`);
  const refused = egress.refuse(url);
  if (refused !== undefined) throw invalid(`Parameter ${name} is not valid. Reason: ${refused}.`);
}

/** What is given takes the place of what is kept; within the authorization's own parameters, member by member. */
export function mergeSecret(
  kept: ConnectionSecret | undefined,
  given: Partial<ConnectionSecret> = {},
): ConnectionSecret {
  const { ApiKeyAuthParameters: key, BasicAuthParameters: basic, OAuthParameters: oauth } = given;
  return {
    ...kept,
    ...given,
    ...(key && { ApiKeyAuthParameters: { ...kept?.ApiKeyAuthParameters, ...key } }),
    ...(basic && { BasicAuthParameters: { ...kept?.BasicAuthParameters, ...basic } }),
    ...(oauth && {
      OAuthParameters: {
        ...kept?.OAuthParameters,
        ...oauth,
        ClientParameters: { ...kept?.OAuthParameters?.ClientParameters, ...oauth.ClientParameters },
      },
    }),
  } as ConnectionSecret;
}

type Named = {
  readonly Key?: string | undefined;
  readonly Value?: string | undefined;
  readonly IsValueSecret?: boolean | undefined;
};

const shownValues = (values: readonly Named[] | undefined) =>
  values?.map(({ Key, Value, IsValueSecret = false }) => ({
    Key,
    ...(!IsValueSecret && { Value }),
    IsValueSecret,
  }));

const shownHttp = (parameters: ConnectionHttpParameters | undefined): ConnectionHttpParameters | undefined =>
  parameters && {
    HeaderParameters: shownValues(parameters.HeaderParameters),
    QueryStringParameters: shownValues(parameters.QueryStringParameters),
    BodyParameters: shownValues(parameters.BodyParameters),
  };

/** The parameters as they are shown: without secrets ("ConnectionAuthResponseParameters"). */
export function shownSecret(secret: ConnectionSecret): ConnectionAuthResponseParameters {
  const { ApiKeyAuthParameters: key, BasicAuthParameters: basic, OAuthParameters: oauth } = secret;
  const invocation = shownHttp(secret.InvocationHttpParameters);
  const oauthHttp = shownHttp(oauth?.OAuthHttpParameters);
  return {
    ...(key && { ApiKeyAuthParameters: { ApiKeyName: key.ApiKeyName } }),
    ...(basic && { BasicAuthParameters: { Username: basic.Username } }),
    ...(oauth && {
      OAuthParameters: {
        ClientParameters: { ClientID: oauth.ClientParameters?.ClientID },
        AuthorizationEndpoint: oauth.AuthorizationEndpoint,
        HttpMethod: oauth.HttpMethod,
        ...(oauthHttp && { OAuthHttpParameters: oauthHttp }),
      },
    }),
    ...(invocation && { InvocationHttpParameters: invocation }),
  };
}
