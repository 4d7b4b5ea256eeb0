/**
 * The constraints that services put on their inputs beyond what the schemas say, one table for each service; services
 * without a table are checked for structure and required members alone.
 */
import { cloudTrailDataConstraints } from './cloudtrail-data.ts';
import { cloudTrailConstraints } from './cloudtrail.ts';
import type { ServiceConstraints } from './constraint.ts';
import { eventsConstraints } from './events.ts';
import { iamConstraints } from './iam.ts';
import { kmsConstraints } from './kms.ts';
import { s3Constraints } from './s3.ts';
import { stsConstraints } from './sts.ts';

export type { Constraint, ServiceConstraints } from './constraint.ts';

const tables: Readonly<Record<string, ServiceConstraints>> = {
  events: eventsConstraints,
  iam: iamConstraints,
  kms: kmsConstraints,
  s3: s3Constraints,
  sts: stsConstraints,
  cloudtrail: cloudTrailConstraints,
  'cloudtrail-data': cloudTrailDataConstraints,
};

/** The table of a service, by `ServiceDescription.name`. */
export function constraintsOf(serviceName: string): ServiceConstraints | undefined {
  return Object.hasOwn(tables, serviceName) ? tables[serviceName] : undefined;
}
