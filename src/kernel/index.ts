/**
 * The kernel: what every other folder stands on and what itself imports nothing: time, randomness, ids, ARNs,
 * limits, faults, settings and the structured log.
 */
export { systemClock, manualClock, type Clock, type ManualClock, type Timer } from './clock.ts';
export { systemRandom, seededRandom, type Random } from './random.ts';
export {
  accountId,
  isAccountId,
  isRegion,
  region,
  secretAccessKey,
  sequence,
  uniqueId,
  type AccountId,
  type IdPrefix,
  type Region,
  type Sequence,
} from './ids.ts';
export { formatArn, parseArn, type Arn } from './arn.ts';
export { assert, AwsFault, DiskFullError, OverloadError, saysNoRoom, type FaultOptions } from './faults.ts';
export { openLog, silentLog, type Logger } from './log.ts';
export { readSettings, SettingError, unknownSettings, type Settings } from './settings.ts';
export { limits } from './limits.ts';
export { workInBackground } from './background.ts';
export { http, https } from './node-http.ts';
export { endThread, serveMessages } from './threads.ts';
export { countBuffersWithObjects, openCollector } from './memory-limits.ts';
export { sha256Bytes, writeSha256 } from './sha256.ts';
