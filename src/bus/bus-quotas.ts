/** EventBridge's quotas, default values ("Amazon EventBridge quotas" in the EventBridge user guide). */
export const busQuotas = {
  /** Custom event buses of an account in a region. */
  buses: 100,
  rulesPerBus: 300,
  targetsPerRule: 5,
  /** "PutTargets: 10 entries per request." */
  putTargetsEntries: 10,
  /** Characters of the policy of a bus. */
  policyCharacters: 10_240,
  tagsPerResource: 50,
  /** Of an account in a region. */
  connections: 3000,
  apiDestinations: 3000,
  /** "The total entry size must be less than 1 MB" (PutEvents). */
  putEventsBytes: 1_048_576,
  detailTypeCharacters: 128,
  /** "PutEvents will only process nested JSON up to 1000 levels deep." */
  detailLevels: 1000,
  /** "Maximum 100 results per page for requests." */
  pageSize: 100,
} as const;
