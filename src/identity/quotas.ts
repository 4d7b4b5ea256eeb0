/**
 * IAM's and STS's quotas, default values ("IAM and AWS STS quotas" in the IAM user guide). Sizes are in characters
 * without white space. Over a quota comes LimitExceeded, naming the quota as AWS does.
 */
export const quotas = {
  UsersPerAccount: 5000,
  GroupsPerAccount: 300,
  RolesPerAccount: 1000,
  PoliciesPerAccount: 1500,
  InstanceProfilesPerAccount: 1000,
  GroupsPerUser: 10,
  AccessKeysPerUser: 2,
  PoliciesPerUser: 10,
  PoliciesPerGroup: 10,
  PoliciesPerRole: 10,
  PolicyVersionsPerPolicy: 5,
  PolicySize: 6144,
  /** Total of a user's, group's or role's inline policies. */
  UserPolicySize: 2048,
  GroupPolicySize: 5120,
  RolePolicySize: 10_240,
  /** A role's trust policy. */
  ACLSizePerRole: 2048,
  InstanceSessionsPerInstanceProfile: 1,
  TagsPerResource: 50,
  /** A session policy, and how many managed ones a session may name. */
  SessionPolicySize: 2048,
  SessionPolicyArns: 10,
} as const;

export type QuotaName = keyof typeof quotas;

/** Page sizes of IAM's list operations. */
export const pages = { most: 1000, usual: 100 } as const;

/** Cairn's own: accounts in one Cairn. */
export const accountsQuota = 1000;
