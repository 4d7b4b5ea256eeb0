/** What a call does not know itself and its service or account does, for the condition keys that depend on it. */
export interface ContextFacts {
  /** Tags of the IAM user or role that is calling. A session's own tags come from the call and win. */
  readonly principalTags?: Readonly<Record<string, string>>;
  /** Tags that the request sets, for aws:RequestTag/… and aws:TagKeys. */
  readonly requestTags?: Readonly<Record<string, string>>;
  /** Tag keys that the request names without values, as an untagging does. */
  readonly tagKeys?: readonly string[];
  /** Tags on the resource, for aws:ResourceTag/… */
  readonly resourceTags?: Readonly<Record<string, string>>;
  /** The account that owns the resource, for aws:ResourceAccount. */
  readonly resourceAccountId?: string;
}
