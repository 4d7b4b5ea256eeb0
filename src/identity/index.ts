/**
 * Identity: accounts, users, groups, roles, access keys, policies and sessions. In flow calls of IAM and STS, access key
 * ids with their session tokens (`findCredential`), and permissions that calls need (`authorise`); out flow principals,
 * and AccessDenied for everybody who is not allowed. All that is known stands in control state; FORMAT.md describes it.
 */
export { openIam } from './iam.ts';
export { openSts } from './sts.ts';
export { openAuthentication, type Authentication } from './authentication.ts';
export {
  openAuthorisation,
  type Authorisation,
  type AuthoriseRole,
  type AuthoriseService,
  type ServiceCaller,
} from './authorisation.ts';
export { openLastUsed, type LastUsed } from './last-used.ts';
export { openMasterKey, type MasterKey } from './master-key.ts';
export { bindPrincipals, policyInForce, policyShown, type NamedPrincipal } from './named-principals.ts';
export type { Cipher } from './cipher.ts';
export {
  hasEncryptedData,
  openManagementAccount,
  type ManagementAccount,
  type NewAccessKey,
} from './accounts.ts';
export { accountRoutes } from './account-routes.ts';
