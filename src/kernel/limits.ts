import { memoryShare } from './memory-limits.ts';

/**
 * Every bound of the program, in one place, with AWS's own figure where there is one. Over a bound comes a
 * named error that tells the caller what to do, never silent growth and never silent loss.
 */
const kiB = 1024;
const miB = 1024 * kiB;

/** A bound on memory: for a roomy machine, of which a smaller one, or a container, has its part. */
const shared = (most: number) => Math.floor(most * memoryShare);

export const limits = {
  /** Journal: bytes and entries handed in and not yet durable. */
  journalInFlightBytes: 64 * miB,
  journalInFlightEntries: 100_000,
  /** Journal: what one write and fdatasync takes at most; larger batches were measured to be slower. */
  journalBatchEntries: 1024,
  journalBatchBytes: 8 * miB,
  /** Journal: a segment file is closed at this size. */
  journalSegmentBytes: 128 * miB,
  /** One journal entry. */
  journalEntryBytes: 16 * miB,
  /** Journal: live entries held for one reader; a slower reader goes back to reading files. */
  journalReaderBytes: 48 * miB,
  /** Journal: what is read of a file at a time. */
  journalReadBytes: miB,
  /** Wire: body of a request that is not a stream. */
  requestBodyBytes: 16 * miB,
  /** Wire: time for the head and for the whole body of a request that is not a stream. */
  requestHeadMs: 10_000,
  requestBodyMs: 60_000,
  /** Wire: requests being worked on at once, beyond which callers get a named overload error. */
  requestsInFlight: 2_000,
  /** Wire: nesting of structures, lists and maps in a request, in any protocol. */
  requestDepth: 100,
  /** Wire: values in a JSON or CBOR body; PutMetricData has the most, 1,000 metrics of 150 values and counts. */
  requestValues: 500_000,
  /** Wire: key=value pairs of a form; AWS's 1 MB of them is about 30,000. */
  formPairs: 100_000,
  /** Wire: elements of an XML body; CompleteMultipartUpload has 10,000 parts of up to 8. */
  xmlElements: 200_000,
  /** Wire: constraint violations that one answer lists. */
  validationErrors: 10,
  /** Wire: request line and headers (AWS takes 8 KB of headers and as much of query string, plus a session token). */
  requestHeadBytes: 32 * kiB,
  /** Wire: bodies held in memory by all requests together, beyond which callers get the overload error. */
  requestBytesInFlight: shared(256 * miB),
  /** Wire: body of a request that carries no signature (AssumeRoleWithSAML takes assertions of 100,000 characters). */
  unsignedBodyBytes: 512 * kiB,
  /** Wire: time for a body that is read before its sender has proven who they are. */
  unprovenBodyMs: 20_000,
  /** Wire: the longest pause inside a streamed body, and inside the sending of an answer. */
  streamIdleMs: 60_000,
  /** Wire: open connections, and how long an idle one is kept. */
  connections: 10_000,
  keepAliveMs: 65_000,
  /** Wire: time that accepted requests get to finish when the server stops. */
  stopMs: 8_000,
  /** SigV4: derived signing keys kept in memory. */
  signingKeys: 1_000,
  /** aws-chunked: the least size of a chunk that is not the last (AWS: 8 KB). */
  awsChunkBytes: 8 * kiB,
  /** SigV4: accepted difference of clocks (AWS: 15 minutes). */
  signatureSkewMs: 15 * 60_000,
  /** CloudTrail: one event (AWS: 256 KB). */
  auditRecordBytes: 256 * kiB,
  /** CloudTrail: log files that one digest file lists; a period with more of them ends earlier. */
  digestLogFiles: 10_000,
  /** CloudTrail: periods for which digests come one by one when they are late; what was empty beyond is covered by one. */
  digestsLate: 168,
  /** CloudTrail: how long what a deleted trail logged is tried to be delivered (AWS: 30 days), and to a bucket that is gone. */
  deletedTrailMs: 30 * 24 * 3_600_000,
  deletedBucketMs: 3_600_000,
  /** CloudTrail PutAuditEvents (AWS: 100 events or 1 MB a request). */
  putAuditEventsCount: 100,
  putAuditEventsBytes: miB,
  /** CloudTrail PutAuditEvents: bodies from this size on are taken apart in worker threads. */
  putAuditEventsThreadBytes: 16 * kiB,
  /** Import: one log file as it is sent, and unpacked (AWS delivers at most 50 MB, packed). */
  importFileBytes: 256 * miB,
  importUnpackedBytes: 512 * miB,
  /** Import: files being worked on at once, and their unpacked bytes held at once. */
  importFilesInFlight: 32,
  importHeldBytes: shared(768 * miB),
  /** Live tail: listeners at once, and entries and bytes of the journal's end held for all of them together. */
  tailListeners: 100,
  tailEntries: 8_192,
  tailBytes: 16 * miB,
  /** CloudTrail LookupEvents (AWS: default and most 50 a page). */
  lookupEventsPage: 50,
  /** Searches: counts at once; one with as many groups as there may be takes a gigabyte. */
  countsAtOnce: 2,
  /** Searches: bytes of the records of one page, beyond which the next page goes on; 256 KB records make short pages. */
  searchPageBytes: 8 * miB,
  /** IAM: characters of a policy document as the API takes it; what may be stored is less and depends on the entity. */
  policyDocumentCharacters: 131_072,
  /** IAM: objects and arrays inside one another in a policy; the language itself needs seven. */
  policyNesting: 16,
  /** IAM: characters of all policies of one simulation, and of policies times results in one page of its answer. */
  simulatedPolicyCharacters: 4 * 131_072,
  simulatedPageCharacters: 4 * miB,
  /** Identity: credentials, callers' permissions and parsed policies kept in memory. */
  credentialCacheEntries: 10_000,
  permissionCacheEntries: 10_000,
  policyCacheEntries: 5_000,
  /** Identity: how often the last use of one key is written down, and for how many keys it is kept in mind. */
  lastUsedEveryMs: 60_000,
  lastUsedEntries: 10_000,
  /** Identity: body of a request that creates an account. */
  accountRequestBytes: 16 * kiB,
  /** History: events kept in memory before they are sealed into a segment; a fraction of a second's work. */
  historyTailEvents: 16_384,
  historyTailBytes: 32 * miB,
  /** History: caches of pages of the indexes, of unpacked records and of unpacked tables of terms. */
  historyPageCacheBytes: 24 * miB,
  historyBlockCacheBytes: shared(128 * miB),
  historyTableCacheBytes: 8 * miB,
  /** History: groups that a count keeps; beyond it the caller is told to narrow it down. */
  historyCountGroups: 1_000_000,
  /** History: characters of the values of a member that a count keeps. */
  historyCountCharacters: shared(64 * miB),
  /** State: documents kept in memory, and the longest that is (16 MiB at the very most). */
  stateCacheDocuments: 4_096,
  stateCacheCharacters: 4_096,
  /** State: room on the disk that is kept for changes which the journal has and the database has not. */
  stateReserveBytes: 4 * 1024 * 1024,
  /** S3: what one commit of a lifecycle lets go of, and after how many documents others get a turn. */
  lifecycleRemovedAtOnce: 100,
  lifecycleTurnDocuments: 500,
  /** S3: bucket policies of which it is remembered whether they are public. */
  publicPolicyCacheEntries: 1_000,
  /** Lake: events and bytes that wait in a file to be sealed, and how long the first of them waits. */
  lakeBatchEvents: shared(262_144),
  lakeBatchBytes: shared(512 * miB),
  lakeSealMs: 60_000,
  /** Lake: regions of one account and day that are exported by one request; AWS has fewer. */
  exportRegions: 50,
  /** Lake: memory of the engines that write, and of the engine of one query. */
  lakeWriteBytes: shared(1024 * miB),
  lakeQueryBytes: shared(1024 * miB),
  /** Lake: queries that run at once, that one account may have under way (AWS: 10), and how long one may run (AWS: an hour). */
  lakeQueriesAtOnce: 2,
  /** Lake: queries that run beyond that, of accounts of which no other does. */
  lakeQueriesOfOtherAccounts: 1,
  lakeQueriesPerAccount: 10,
  /** Lake: dashboards of an account and region, and queries of dashboards of one account that wait or run. AWS says neither. */
  lakeDashboards: 100,
  lakeDashboardQueriesPerAccount: 100,
  lakeQueryMs: 3_600_000,
  /** Lake: events whose records one query asks for (eventJson), and bytes of them. */
  lakeQueryRecords: 20_000,
  lakeQueryRecordBytes: 256 * miB,
  /** Lake: rows of one result, as JSON text. */
  lakeResultBytes: 1024 * miB,
  /** Lake: one log file that an import reads from a bucket, files at once, and failures that are listed. */
  lakeImportFilesAtOnce: 8,
  lakeImportFailures: 1_000,
  /** Insights: APIs and errors whose rates are kept, callers of each, and hours of all of them together (about 40 MB). */
  insightApis: 4_000,
  insightCallers: 8,
  insightHours: 300_000,
  /** Bus: an event pattern's characters (the API's figure; the quota of a rule is smaller), and what its `$or` expand to. */
  eventPatternCharacters: 4_096,
  eventPatternCombinations: 1_000,
  /** Bus: prefixes of wildcards that one value can be in the middle of, and sets of them that are looked at. */
  wildcardComplexity: 10,
  wildcardComplexitySets: 5_000,
  /** Bus: nesting of an event; what lies deeper matches nothing. */
  eventDepth: 1_000,
  /** Bus: what a target's input transformer takes, and the longest input of a target. */
  inputPaths: 100,
  inputPathCharacters: 256,
  inputTemplateCharacters: 8_192,
  targetInputCharacters: 1024 * kiB,
  /** Bus: deliveries held in memory, of one target and of all; beyond the latter each target keeps a few. */
  busHeldPerTarget: 1_000,
  busHeld: 20_000,
  busHeldAtLeast: 4,
  /** Bus: bytes of what they send; what is beyond is read from the journal again. */
  busHeldBytes: shared(16 * miB),
  /** Bus: attempts to deliver that are under way at once. */
  busAttempts: 500,
} as const;
