import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSettings, silentLog, systemClock, systemRandom } from '../src/kernel/index.ts';
import { openServer } from '../src/server.ts';
import { listOperations, openServices } from '../src/wire/index.ts';

const head = `# Coverage

Made by \`npm run coverage\` from the operations that a started server answers, and from the models of AWS. A call to an
absent operation is authenticated, authorised and recorded like any other, and answered with the error
\`NotImplemented\` (HTTP 501), which names the operation.

## What present operations refuse

The most notable of what they refuse, by name and without changing anything, because it needs a service that is absent or is not offered:

| operations | what they refuse |
|---|---|
| CreateTrail, UpdateTrail | \`SnsTopicName\` and \`CloudWatchLogsLogGroupArn\` (neither topics nor log groups are there yet); organization trails |
| PutBucketNotificationConfiguration | topics, queues and functions, none of which are there yet; EventBridge is taken |
| PutBucketLifecycleConfiguration | transitions to other storage classes; expiration and aborting uploads run |
| operations on objects | customer-provided keys (SSE-C), an encryption context of the caller's own |
| operations on buckets | directory buckets, MFA delete, dual-layer encryption (aws:kms:dsse) |
| S3 Control (s3control) | everything but the tags of buckets, by which Terraform reads and sets them |
| PutBucketAcl, PutObjectAcl | other grants than the owner's |
| CreateEventBus, UpdateEventBus | \`KmsKeyIdentifier\`, \`DeadLetterConfig\`, \`LogConfig\`, \`EventSourceName\` |
| PutRule | \`ScheduleExpression\` |
| PutTargets | other targets than event buses and API destinations, \`DeadLetterConfig\` |
| PutEvents | \`EndpointId\`; an entry for a bus that does not exist fails, where EventBridge takes and drops it |
| PutPermission | \`Condition\`, which is about organizations; in a \`Policy\` such conditions are evaluated, and nobody is of an organization |
| CreateKey | other specs than SYMMETRIC_DEFAULT and RSA for signatures, other origins than AWS_KMS, multi-region keys |
`;

/** What docs/coverage.md should hold: the operations of each service, present and absent. */
export async function coveragePage(): Promise<string> {
  const data = mkdtempSync(join(tmpdir(), 'cairn-coverage-'));
  const settings = readSettings({}, { listen: '127.0.0.1:0', data: join(data, 'data') });
  const parts = { clock: systemClock, random: systemRandom, log: silentLog, version: 'coverage' };
  const server = await openServer(settings, parts);
  try {
    const services = (await listOperations(openServices())).map(({ service, operationNames }) => {
      const names = new Set(server.operations[service.name]);
      const present = operationNames.filter((name) => names.has(name));
      return { service, present, absent: operationNames.filter((name) => !names.has(name)) };
    });
    const rows = services.map(
      ({ service, present, absent }) =>
        `| ${service.name} | ${service.protocols.join(', ')} | ${present.length} | ${absent.length} |`,
    );
    const lists = services.map(({ service, present, absent }) =>
      [
        `## ${service.name}`,
        present.length === 0 ? '' : `Present: ${present.join(', ')}.`,
        absent.length === 0 ? '' : `Absent: ${absent.join(', ')}.`,
      ]
        .filter((part) => part !== '')
        .join('\n\n'),
    );
    const table = ['| service | protocols | present | absent |', '|---|---|---|---|', ...rows].join('\n');
    return `${head}\n${table}\n\n${lists.join('\n\n')}\n`;
  } finally {
    await server.close();
    rmSync(data, { recursive: true, force: true });
  }
}
