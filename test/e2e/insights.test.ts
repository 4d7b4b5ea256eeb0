import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  CloudTrailClient,
  GetInsightSelectorsCommand,
  LookupEventsCommand,
  PutInsightSelectorsCommand,
} from '@aws-sdk/client-cloudtrail';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer, type TestServer } from './harness.ts';

const run = promisify(execFile);
const minuteMs = 60_000;
const dayMs = 86_400_000;

let server: TestServer;
let directory: string;
beforeAll(async () => {
  server = await startServer();
  directory = mkdtempSync(join(tmpdir(), 'cairn-insights-'));
});
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await server[Symbol.asyncDispose]();
});

/** Three weeks of a call each ten minutes, and on the 20th day forty a minute for half an hour. */
function logFile(firstMs: number): Buffer {
  const Records: unknown[] = [];
  const add = (timeMs: number, caller: string) =>
    Records.push({
      eventVersion: '1.11',
      userIdentity: {
        type: 'IAMUser',
        arn: `arn:aws:iam::${server.accountId}:user/${caller}`,
        userName: caller,
      },
      eventTime: `${new Date(timeMs).toISOString().slice(0, 19)}Z`,
      eventSource: 'ec2.amazonaws.com',
      eventName: 'RunInstances',
      awsRegion: 'us-east-1',
      userAgent: 'console',
      eventID: `11111111-2222-4333-8444-${String(Records.length).padStart(12, '0')}`,
      readOnly: false,
      eventType: 'AwsApiCall',
      managementEvent: true,
      recipientAccountId: server.accountId,
      eventCategory: 'Management',
    });
  for (let at = firstMs; at < firstMs + 21 * dayMs; at += 10 * minuteMs) add(at, 'deploy');
  const storm = firstMs + 20 * dayMs;
  for (let at = storm; at < storm + 30 * minuteMs; at += 1500) add(at, 'intruder');
  return gzipSync(JSON.stringify({ Records }));
}

describe('cairn insights', () => {
  it('says of real logs what would have been found, and why', async () => {
    const firstMs = Math.floor((Date.now() - 30 * dayMs) / dayMs) * dayMs;
    const file = join(directory, 'log.json.gz');
    writeFileSync(file, logFile(firstMs));
    const cairn = async (...args: string[]) =>
      (await run(process.execPath, ['src/cli/main.js', ...args], { env: server.env })).stdout;
    await cairn('import', file);
    const span = [
      '--from',
      new Date(firstMs + 10 * dayMs).toISOString(),
      '--to',
      new Date(firstMs + 21 * dayMs).toISOString(),
    ];
    const lines = (await cairn('insights', ...span, '--event-name', 'RunInstances', '--json'))
      .trim()
      .split('\n');
    const [begun, ended, ...more] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(more).toEqual([]);
    expect(begun).toMatchObject({
      eventTime: new Date(firstMs + 20 * dayMs).toISOString(),
      accountId: server.accountId,
      insightDetails: { state: 'Start', eventName: 'RunInstances', insightType: 'ApiCallRateInsight' },
      why: { trigger: { by: 'api' } },
    });
    expect(ended).toMatchObject({ insightDetails: { state: 'End' } });
    const text = await cairn('insights', ...span);
    expect(text).toContain(`arn:aws:iam::${server.accountId}:user/intruder`);
    expect(text).toMatch(/ec2\.amazonaws\.com RunInstances: call rate/);
    expect(text).toMatch(/in 5 minutes, .* expected, unusual from/);
  });

  it('says how much history an account needs where nothing is found', async () => {
    const args = ['src/cli/main.js', 'insights', '--from', '1d'];
    const { stdout, stderr } = await run(process.execPath, args, { env: server.env });
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^Nothing would have been unusual\. .* seven full days of its history\.$/m);
  });

  it('CloudTrail answers of insights as the SDK asks', async () => {
    const client = new CloudTrailClient(server.clientOptions);
    const { Events } = await client.send(new LookupEventsCommand({ EventCategory: 'insight' }));
    expect(Events).toEqual([]);
    await expect(client.send(new GetInsightSelectorsCommand({ TrailName: 'absent' }))).rejects.toMatchObject({
      name: 'TrailNotFoundException',
    });
    const InsightSelectors = [{ InsightType: 'ApiCallRateInsight' as const }];
    await expect(
      client.send(new PutInsightSelectorsCommand({ TrailName: 'absent', InsightSelectors })),
    ).rejects.toMatchObject({ name: 'TrailNotFoundException' });
    client.destroy();
  });
});
