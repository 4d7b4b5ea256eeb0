import type { AccountId, Region } from '../kernel/index.ts';
import type { EncodedInput } from './protocol/index.ts';

/** Who is calling, as authentication found out. Shapes follow CloudTrail's userIdentity element. */
export type Principal =
  | {
      readonly type: 'Root';
      readonly accountId: AccountId;
      readonly arn: string;
      /** The account's alias, where it has one. */
      readonly accountAlias?: string;
      readonly accessKeyId: string;
      readonly session?: Session;
    }
  | {
      readonly type: 'IAMUser';
      readonly accountId: AccountId;
      readonly arn: string;
      /** AIDA… */
      readonly principalId: string;
      readonly userName: string;
      readonly accessKeyId: string;
      /** Present for GetSessionToken credentials. */
      readonly session?: Session;
    }
  | {
      readonly type: 'AssumedRole';
      readonly accountId: AccountId;
      /** arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION */
      readonly arn: string;
      /** AROA…:SESSION */
      readonly principalId: string;
      readonly accessKeyId: string;
      readonly role: { readonly arn: string; readonly principalId: string; readonly name: string };
      readonly session: Session;
    };

/** What temporary credentials carry. */
export interface Session {
  /** Epoch milliseconds. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly mfaAuthenticated: boolean;
  readonly sourceIdentity?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly transitiveTagKeys?: readonly string[];
  /** Session policies, as JSON text; the session has at most what they allow. */
  readonly policies?: readonly string[];
}

/** The facts of one authenticated call, for handlers, authorisation and the record. */
export interface Call {
  readonly principal: Principal;
  readonly accountId: AccountId;
  /** From the signature's scope. */
  readonly region: Region;
  /** Epoch milliseconds at which the request was received. */
  readonly time: number;
  readonly requestId: string;
  readonly sourceIp: string;
  readonly userAgent: string;
  /** The Referer header, where the client sent one. */
  readonly referer?: string;
  readonly tls: { readonly version: string; readonly cipher: string } | undefined;
  /** The Host header as the client sent it. */
  readonly host: string;
  /** Where the signature stood, in CloudTrail's words; in the header unless said. */
  readonly authenticationMethod?: 'AuthHeader' | 'QueryString';
  readonly signature?: CallSignature;
}

/** What the conditions and records of S3 know of a request's signature. */
export interface CallSignature {
  readonly version: 'SigV2' | 'SigV4';
  /** Epoch milliseconds at which it was made; Version 2 does not say. */
  readonly madeAt?: number;
  /** What the header x-amz-content-sha256 says. */
  readonly payload?: string;
}

/** One permission that a call needs. All needs of a call must be allowed. */
export interface Need {
  /** Such as `iam:CreateUser`. */
  readonly action: string;
  /** ARN, or `*` where the action has no resource. */
  readonly resource: string;
  /** The resource's own policy (JSON text), such as a role's trust policy. */
  readonly resourcePolicy?: string;
  /** Set for sts:AssumeRole and for KMS keys: within one account the resource policy alone may allow, and without it nothing does. */
  readonly resourcePolicyRequired?: boolean;
  /** Service condition keys, such as `iam:PolicyARN`, with their values. */
  readonly conditions?: Readonly<Record<string, readonly string[]>>;
  /** Tags on the resource, for aws:ResourceTag/… */
  readonly resourceTags?: Readonly<Record<string, string>>;
  /** Tags that the request sets, for aws:RequestTag/… and aws:TagKeys. */
  readonly requestTags?: Readonly<Record<string, string>>;
  /** The account that owns the resource, where its ARN does not say (buckets). Default: the ARN's, else the caller's. */
  readonly resourceAccountId?: string;
}

/**
 * An AWS resource that a call touched, for the record's `resources` element. `ARNPrefix` stands for many whose ARNs begin
 * with it, such as the objects that ListObjects looks at.
 */
export type AuditResource = { readonly accountId?: string; readonly type?: string } & (
  | { readonly ARN: string }
  | { readonly ARNPrefix: string }
);

/** What the record of a call shows, with member names as CloudTrail writes them. */
export interface Recorded {
  readonly requestParameters: unknown;
  /** Left out of the records of reads and of calls that failed, whatever stands here. */
  readonly responseElements: unknown;
  readonly additionalEventData?: unknown;
}

/** An input or an output as records show it unless an operation says otherwise: by the model, without sensitive members. */
export type Show = (side: 'input' | 'output', value: unknown) => Promise<unknown>;

/** A part of a call that has a record of its own beside the call's, such as the delete of each object of DeleteObjects. */
export interface RecordedPart extends Recorded {
  readonly eventName: string;
  /** Set where this part failed. */
  readonly error?: { readonly code: string; readonly message: string };
  readonly resources: readonly AuditResource[];
}

/**
 * A read of another service that a service made with its caller's permissions ("Forward access sessions"), such as S3's of
 * KMS. It has a record of its own: that of a management event.
 */
export interface ForwardedCall {
  readonly eventSource: string;
  readonly eventName: string;
  readonly region: string;
  /** The service that made it, as records of real accounts name it, such as `fas.s3.amazonaws.com`. */
  readonly invokedBy: string;
  /** Set where it failed. */
  readonly error?: { readonly code: string; readonly message: string };
  readonly requestParameters: unknown;
  readonly additionalEventData?: unknown;
  readonly resources: readonly AuditResource[];
}

/** The input of a call, of which nothing has been read yet. */
export interface Undecoded {
  readonly encoded: EncodedInput;
  /** Decodes and validates it on this thread; the SDK's own types. Throws AwsFault. */
  readonly decode: () => unknown;
  /** Claims memory for what is made of it, until the call has been answered. Throws OverloadError when there is none. */
  readonly claim: (bytes: number) => void;
}

/**
 * One operation of a service, as its feature declares it. `Input` and `Output` are the SDK's own types;
 * `Change` is the transaction that a write gets (see `state`). The registry holds operations of many input types side by
 * side, hence `any` here; each is checked where it is declared.
 */
export interface Operation<Change> {
  /** `write` operations are answered only once their record is durable. CloudTrail's `readOnly` is `access === 'read'`. */
  readonly access: 'read' | 'write';
  /**
   * A read whose answer holds new credentials: as in CloudTrail its record has responseElements all the same, and as for
   * writes it is answered only once that record is durable. For AssumeRole and GetSessionToken.
   */
  readonly issuesCredentials?: true;
  /** CloudTrail's eventCategory; `management` unless said. */
  readonly category?: 'management' | 'data';
  /**
   * Decodes and validates the input in its own way, so that large inputs can be taken apart in other threads (see
   * `openInputDecoder`); what it resolves with is the `input` of the other members. It rejects with what
   * `undecoded.decode()` throws. Nobody else reads the body afterwards, so it may be moved.
   */
  decode?(undecoded: Undecoded, call: Call): Promise<any>;
  /** Permissions that the call needs. Default: the action `<iamPrefix>:<operation>` on `*`. */
  needs?(input: any, call: Call): readonly Need[] | Promise<readonly Need[]>;
  /** The record's `resources` element; none by default. `output` is undefined when the call failed. */
  resources?(input: any, output: any, call: Call): readonly AuditResource[];
  /**
   * What the record shows, where it is not what `show` makes of the input and the output (a body that is a stream, say, or
   * members beside those of the request). `output` is undefined when the call failed.
   */
  recorded?(input: any, output: any, call: Call, show: Show): Recorded | Promise<Recorded>;
  /** The parts of a call that succeeded which are recorded on their own, in the same append as the call's record. */
  recordedParts?(input: any, call: Call): readonly RecordedPart[];
  /** The calls of other services that were made for this one, recorded with it however it ended. */
  forwardedCalls?(call: Call): readonly ForwardedCall[];
  /**
   * Set where the record of a call that was denied names its resources and shows its parameters as well. S3 does that, and
   * without resources no selector of data events would ever choose the record.
   */
  readonly shownWhenDenied?: true;
  /**
   * Set where the work may take longer than clients wait for the first byte of an answer: theirs begins after ten seconds,
   * with white space, as S3 does it. For answers in XML.
   */
  readonly takesLong?: true;
  /** Does the work. Throws `AwsFault` for what the caller did wrong. Run again from the start after a conflict. */
  handle(input: any, call: Call, change: Change): Promise<any>;
}

/** The operations that are present, by their names in the model. All others of the service are absent and say so. */
export type Operations<Change> = Readonly<Record<string, Operation<Change>>>;

export type ProtocolName = 'awsJson1_0' | 'awsJson1_1' | 'awsQuery' | 'restJson1' | 'restXml' | 'rpcv2Cbor';

/** A service that the server answers for, present or not. Its schema is loaded at the first call. */
export interface ServiceDescription {
  /** Name in the SDK and in docs/coverage.md, such as `cloudtrail`. */
  readonly name: string;
  /** CloudTrail's eventSource, such as `cloudtrail.amazonaws.com`. */
  readonly eventSource: string;
  /** Service name in the signature's credential scope, such as `cloudtrail`. */
  readonly signingName: string;
  /** Prefix of its IAM actions, such as `cloudtrail`. */
  readonly iamPrefix: string;
  /** API version, such as `2013-11-01`. */
  readonly apiVersion: string;
  /** The last segment of X-Amz-Target before the dot, for JSON protocols, such as `CloudTrail_20131101`. */
  readonly target?: string;
  /** XML namespace of its answers, for awsQuery and restXml. */
  readonly xmlNamespace?: string;
  /** Protocols accepted, the one of today's clients first. */
  readonly protocols: readonly ProtocolName[];
  /** The module whose exports ending in `$` are the schemas. */
  load(): Promise<Readonly<Record<string, unknown>>>;
}
