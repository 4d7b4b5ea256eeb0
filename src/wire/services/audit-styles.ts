import type { AuditStyle } from '../schema/index.ts';

/**
 * How each service writes into CloudTrail's records, as records of real accounts show it. IAM and STS leave secrets
 * out; the others say that something is hidden.
 */
const styles: Readonly<Record<string, AuditStyle>> = {
  iam: { date: 'no comma', sensitive: 'left out', hidden: [] },
  sts: { date: 'comma', sensitive: 'left out', hidden: [] },
  // "Amazon SQS event example" and "Amazon SNS event examples": message bodies are hidden, though no model marks them.
  sqs: {
    date: 'comma',
    sensitive: 'hidden',
    hidden: ['MessageBody', 'MessageAttributes', 'MessageSystemAttributes', 'Body'],
  },
  sns: { date: 'comma', sensitive: 'hidden', hidden: ['Message', 'Subject', 'MessageAttributes'] },
  // A record of StartSession: the token opens the session.
  ssm: { date: 'comma', sensitive: 'hidden', hidden: ['TokenValue'] },
  // The text of events and of log lines belongs to whoever wrote them, and would be recorded twice.
  events: { date: 'comma', sensitive: 'hidden', hidden: ['Detail'] },
  logs: { date: 'comma', sensitive: 'hidden', hidden: ['logEvents'] },
  'cloudtrail-data': { date: 'comma', sensitive: 'hidden', hidden: ['eventData'] },
  // "Examples of AWS KMS log entries": neither plain nor encrypted bytes; they are blobs, which are left out anyway.
  kms: { date: 'comma', sensitive: 'left out', hidden: [] },
};

const ordinary: AuditStyle = { date: 'comma', sensitive: 'hidden', hidden: [] };

/** The style of a service, by `ServiceDescription.name`. */
export function auditStyleOf(serviceName: string): AuditStyle {
  return styles[serviceName] ?? ordinary;
}
