import type { Change } from '../state/index.ts';
import type { Operations } from '../wire/index.ts';
import * as accessKeys from './api/access-keys.ts';
import * as account from './api/account.ts';
import * as attachedPolicies from './api/attached-policies.ts';
import * as authorizationDetails from './api/authorization-details.ts';
import * as boundaries from './api/boundaries.ts';
import * as credentialReport from './api/credential-report.ts';
import * as groups from './api/groups.ts';
import * as inlinePolicies from './api/inline-policies.ts';
import * as instanceProfiles from './api/instance-profiles.ts';
import * as otherCredentials from './api/other-credentials.ts';
import * as policies from './api/policies.ts';
import * as roles from './api/roles.ts';
import * as simulate from './api/simulate.ts';
import * as tags from './api/tags.ts';
import * as users from './api/users.ts';
import { bindOperations, type Parts } from './operation.ts';

/** The operations of IAM that are present, each declared in `api/` under its own name. */
export function openIam(parts: Parts): Operations<Change> {
  return bindOperations(parts, {
    ...accessKeys,
    ...account,
    ...attachedPolicies,
    ...authorizationDetails,
    ...boundaries,
    ...credentialReport,
    ...groups,
    ...inlinePolicies,
    ...instanceProfiles,
    ...otherCredentials,
    ...policies,
    ...roles,
    ...simulate,
    ...tags,
    ...users,
  });
}
