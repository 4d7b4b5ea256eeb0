import type { StoredFile } from './bucket-source.ts';
import { checkChains, placeOf, type JudgedDigest } from './digest-chains.ts';
import { readDigest, signatureFinding, type DigestFacts, type Link } from './digest-file.ts';
import { parseDigestName, type DigestName } from './digest-names.ts';
import type { Group } from './find-groups.ts';
import type { Finding } from './findings.ts';
import { readSmallGzip } from './gzip-member.ts';
import { listedKey, verifyLog, verifyUnlisted, type Covered } from './verify-logs.ts';
import type { VerifyRun } from './verify-run.ts';
import { openWrappingCensus, type WrappingCensus } from './wrapping-census.ts';

/** What spilled over into the digest after the end of the range, as in `validate-logs`. */
const spillMs = 3_600_000;

interface NamedDigest {
  readonly stored: StoredFile;
  readonly name: DigestName;
}

async function listAll(run: VerifyRun, prefix: string): Promise<readonly StoredFile[]> {
  const files: StoredFile[] = [];
  for await (const page of run.source.list(prefix)) {
    run.pool.throwIfAborted();
    for (const file of page) files.push(file);
  }
  return files;
}

function isWanted({ trail, startTime, endTime }: VerifyRun, name: DigestName): boolean {
  if (name.endTime < startTime || name.endTime > endTime + spillMs) return false;
  if (!trail) return true;
  const { accountId, homeRegion, trailName } = name;
  return trail.accountId === accountId && trail.homeRegion === homeRegion && trail.name === trailName;
}

function countOf({ totals }: VerifyRun, { name }: Pick<DigestFacts, 'name'>) {
  return name.isBackfill ? totals.backfillDigests : totals.digests;
}

/** Takes the digests from what is remembered, or reads them. Broken ones are reported. */
async function readDigests(run: VerifyRun, digests: readonly NamedDigest[], census: WrappingCensus) {
  const { source, remembered, totals } = run;
  const facts: DigestFacts[] = [];
  const known: JudgedDigest[] = [];
  const altered = new Set<string>();
  totals.filesTotal += digests.length;
  for (const { stored } of digests) totals.bytesTotal += stored.sizeBytes;
  await run.pool.each(digests, async ({ stored, name }) => {
    const earlier = remembered.get(stored.key);
    if (earlier?.facts.tag === stored.tag) {
      known.push({ facts: earlier.facts, isValid: true, signature: earlier.signature });
    } else {
      const read = await readOne(run, stored, name);
      for (const finding of read.findings) run.report(finding);
      if (read.facts && read.findings.length === 0) {
        const { wrapping, key } = read.facts;
        census.note({ what: 'digest', file: source.show(key), wrapping, digestKey: key });
      }
      if (read.facts) facts.push(read.facts);
      else countOf(run, { name }).invalid++;
      if (read.findings.length > 0) altered.add(stored.key);
    }
    totals.filesDone++;
    totals.bytesDone += stored.sizeBytes;
    run.progressed();
  });
  return { facts, known, altered };
}

async function readOne(run: VerifyRun, stored: StoredFile, name: DigestName) {
  try {
    return await readDigest(run.source, stored, name);
  } catch (error) {
    run.pool.throwIfAborted();
    const message = `it cannot be read: ${(error as Error).message}`;
    const finding: Finding = { kind: 'digest-unreadable', file: run.source.show(stored.key), message };
    return { facts: undefined, findings: [finding] };
  }
}

/** Signatures that the digests which follow hold, by the place of the digest that they are of. */
function signaturesOfFollowers(run: VerifyRun, facts: readonly DigestFacts[]): ReadonlyMap<string, string> {
  const signatures = new Map<string, string>();
  for (const { key, previous } of facts) {
    const place = previous && placeOf(run.source, key, previous);
    if (previous && place !== undefined) signatures.set(place, previous.signature);
  }
  return signatures;
}

async function judge(
  run: VerifyRun,
  facts: readonly DigestFacts[],
  known: readonly JudgedDigest[],
  altered: ReadonlySet<string>,
): Promise<readonly JudgedDigest[]> {
  const followers = signaturesOfFollowers(run, [...facts, ...known.map((digest) => digest.facts)]);
  const judged: JudgedDigest[] = [...known];
  for (const { facts: one } of known) {
    const count = countOf(run, one);
    count.valid++;
    count.remembered++;
  }
  for (const one of facts) {
    const publicKey = await run.keys.find(one.name.region, one.fingerprint, one.endTime);
    const signature = one.signature ?? followers.get(one.key);
    const finding = signatureFinding(run.source, one, signature, publicKey);
    if (finding) run.report(finding);
    const isValid = !finding && !altered.has(one.key);
    countOf(run, one)[isValid ? 'valid' : 'invalid']++;
    // What was moved or wrapped anew is still what was signed, so the log files can be verified with it.
    judged.push({ facts: one, isValid: !finding, signature });
  }
  return judged;
}

/** A link into another bucket: the digest there is read and compared, and the chain is followed no further. */
async function checkElsewhere(run: VerifyRun, digest: DigestFacts, previous: Link): Promise<void> {
  const file = run.source.show(previous.key, previous.bucket);
  const about = { file, digest: run.source.show(digest.key), expected: `SHA-256 ${previous.sha256}` };
  try {
    const opened = await run.source.read(previous.key, { bucket: previous.bucket });
    const member = opened && (await readSmallGzip(opened.body));
    if (!member) {
      run.report({
        ...about,
        kind: 'digest-missing',
        message: 'the previous digest of the chain is not there',
      });
    } else if (member.kind !== 'member') {
      run.report({ ...about, kind: `digest-${member.kind}`, message: member.detail });
    } else if (member.sha256 !== previous.sha256) {
      const message = 'it is not the digest that the next one was chained to';
      run.report({ ...about, kind: 'chain-broken', message, found: member.sha256 });
    } else {
      run.note(`The chain of ${about.digest} goes on in bucket ${previous.bucket}: verify that one too.`);
    }
  } catch (error) {
    run.pool.throwIfAborted();
    run.report({
      ...about,
      kind: 'digest-unreadable',
      message: `it cannot be read: ${(error as Error).message}`,
    });
  }
}

interface LogWork {
  readonly digest: JudgedDigest;
  readonly tags: (string | undefined)[];
  isWhole: boolean;
}

/** Verifies the log files that the valid digests list. Returns what is missing, by the hash that was expected. */
async function verifyListedLogs(
  run: VerifyRun,
  digests: readonly JudgedDigest[],
  stored: ReadonlyMap<string, StoredFile>,
  census: WrappingCensus,
): Promise<ReadonlyMap<string, Finding>> {
  const { remembered, totals } = run;
  const missing = new Map<string, Finding>();
  const jobs: { readonly work: LogWork; readonly at: number }[] = [];
  const works: LogWork[] = [];
  for (const digest of digests) {
    const { facts } = digest;
    const work: LogWork = { digest, tags: [], isWhole: true };
    works.push(work);
    const earlier = remembered.get(facts.key);
    const isKnown = earlier?.facts.tag === facts.tag;
    facts.logFiles.forEach((log, at) => {
      const file = stored.get(listedKey(run, facts, log));
      totals.filesTotal++;
      totals.bytesTotal += file?.sizeBytes ?? 0;
      if (isKnown && file && earlier.logTags[at] === file.tag) {
        work.tags[at] = file.tag;
        totals.logs.valid++;
        totals.logs.remembered++;
        totals.filesDone++;
        totals.bytesDone += file.sizeBytes;
      } else jobs.push({ work, at });
    });
  }
  await run.pool.each(jobs, async ({ work, at }) => {
    const { facts } = work.digest;
    const log = facts.logFiles[at];
    if (!log) return;
    const verdict = await verifyLog(run, facts, log, census);
    if (verdict.finding) {
      run.report(verdict.finding);
      if (verdict.finding.kind === 'log-missing') missing.set(log.sha256, verdict.finding);
      totals.logs.invalid++;
      work.isWhole = false;
    } else {
      work.tags[at] = verdict.tag;
      totals.logs.valid++;
    }
    totals.filesDone++;
    run.progressed();
  });
  for (const work of works) remember(run, work, stored);
  return missing;
}

/** Remembers a digest that is valid with all its files; anything else is looked at again the next time. */
function remember(
  { remembered, source }: VerifyRun,
  work: LogWork,
  stored: ReadonlyMap<string, StoredFile>,
): void {
  const { facts, signature } = work.digest;
  const place = stored.get(facts.key);
  const isInPlace =
    source.bucket === undefined || (source.bucket === facts.bucket && facts.object === facts.key);
  if (!work.isWhole || signature === undefined || !isInPlace || place?.tag === undefined) {
    remembered.forget(facts.key);
    return;
  }
  remembered.put({
    facts: { ...facts, tag: place.tag },
    signature,
    logTags: work.tags.map((tag) => tag ?? ''),
  });
}

/** Digests that earlier runs verified and that are not there any more, also at the newest end of a chain. */
function reportGone(
  run: VerifyRun,
  group: Group,
  present: ReadonlySet<string>,
  reported: ReadonlySet<string>,
): void {
  for (const key of run.remembered.keys(group.digestsPrefix)) {
    const name = parseDigestName(key);
    if (present.has(key) || !name || !isWanted(run, name)) continue;
    const file = run.source.show(key);
    countOf(run, { name }).invalid++;
    if (reported.has(file)) continue;
    run.report({
      kind: 'digest-gone',
      file,
      message: 'an earlier run verified this digest, and it is not there any more',
      expected: `SHA-256 ${run.remembered.get(key)?.facts.sha256}`,
    });
  }
}

/** Verifies the digests and log files of one account in one region. */
export async function verifyGroup(run: VerifyRun, group: Group): Promise<void> {
  const [digestFiles, logFiles] = await Promise.all([
    listAll(run, group.digestsPrefix),
    listAll(run, group.logsPrefix),
  ]);
  const census = openWrappingCensus();
  const wanted: NamedDigest[] = [];
  for (const stored of digestFiles) {
    const name = parseDigestName(stored.key);
    if (name && isWanted(run, name)) wanted.push({ stored, name });
    else if (!name && !stored.key.endsWith('/')) {
      const message = 'it is among the digests, and its name is not that of a digest file';
      run.report({ kind: 'foreign-file', file: run.source.show(stored.key), message });
    }
  }
  const { facts, known, altered } = await readDigests(run, wanted, census);
  const judged = await judge(run, facts, known, altered);
  const present = new Set(digestFiles.map(({ key }) => key));
  const links: { readonly digest: DigestFacts; readonly previous: Link }[] = [];
  const { findings, gaps } = checkChains(run.source, judged, {
    present,
    startTime: run.startTime,
    elsewhere: (digest, previous) => void links.push({ digest, previous }),
  });
  for (const finding of findings) {
    run.report(finding);
    if (finding.kind === 'digest-missing') run.totals.digests.invalid++;
  }
  for (const { from, to, digest } of gaps) {
    run.note(
      `No log files were delivered between ${new Date(from).toISOString().slice(0, 19)}Z and ${new Date(to).toISOString().slice(0, 19)}Z: logging or validation was off; ${digest} starts a new chain.`,
    );
  }
  await run.pool.each(links, ({ digest, previous }) => checkElsewhere(run, digest, previous));
  reportGone(run, group, present, new Set(findings.map(({ file }) => file)));
  const stored = new Map([...digestFiles, ...logFiles].map((file) => [file.key, file]));
  const valid = judged.filter(({ isValid, facts: one }) => isValid && !altered.has(one.key));
  const usable = judged.filter(({ isValid }) => isValid);
  const missing = await verifyListedLogs(run, usable, stored, census);
  for (const key of altered) run.remembered.forget(key);
  // A digest that is broken still says which files are not strangers, though it proves nothing of them.
  const listed = new Set(
    judged.flatMap(({ facts: one }) => one.logFiles.map((log) => listedKey(run, one, log))),
  );
  const covered: Covered[] = valid.map(({ facts: one }) => ({ from: one.startTime, to: one.endTime }));
  const strangers = logFiles.filter(({ key }) => !listed.has(key));
  if (!run.trail) {
    for (const finding of await verifyUnlisted(run, strangers, { covered, missing })) run.report(finding);
  }
  for (const { finding, digestKey } of census.findings()) {
    run.report(finding);
    run.remembered.forget(digestKey);
    const count = finding.kind === 'log-altered-wrapping' ? run.totals.logs : run.totals.digests;
    count.valid--;
    count.invalid++;
  }
}
