import { limits } from '../kernel/index.ts';
import type { Change } from '../state/index.ts';
import {
  invalidRequest,
  jsonAnswer,
  readRouteJson,
  type HttpRoute,
  type RouteRequest,
} from '../wire/index.ts';
import { createAccount, isManagementAccount, listAccounts, type NewAccount } from './accounts.ts';
import { accessDenied } from './faults.ts';
import type { Parts } from './operation.ts';

/**
 * `GET /_cairn/accounts` lists the accounts, `POST /_cairn/accounts` creates one and answers its root key, once. Both
 * are for the management account alone, whatever the policies of others say.
 */

async function checkManagement(request: RouteRequest, change: Change, operationName: string): Promise<void> {
  const { call } = request;
  if (call && (await isManagementAccount(change, call.accountId))) return;
  throw accessDenied(
    `User: ${call?.principal.arn ?? 'anonymous'} is not authorized to perform: cairn:${operationName} on resource: * because only the management account may`,
  );
}

const members = new Set(['accountId', 'name', 'email']);

/** Takes exactly the members of NewAccount; an unknown one is refused by name. */
function readNewAccount(json: unknown): NewAccount {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw invalidRequest('The body must be a JSON object with name and, optionally, accountId and email.');
  }
  for (const [member, value] of Object.entries(json)) {
    if (!members.has(member)) throw invalidRequest(`The body has an unknown member: ${member}`);
    if (typeof value !== 'string') throw invalidRequest(`${member} must be a string.`);
  }
  if (!('name' in json)) throw invalidRequest('The body must have a name.');
  return json as NewAccount;
}

/** The routes of accounts; see the folder's face. */
export function accountRoutes({ masterKey, random }: Omit<Parts, 'state'>): readonly HttpRoute<Change>[] {
  return [
    {
      method: 'GET',
      path: '/_cairn/accounts',
      operationName: 'ListAccounts',
      access: 'read',
      async handle(request, change) {
        await checkManagement(request, change, 'ListAccounts');
        const accounts = await listAccounts(change);
        return jsonAnswer({ accounts });
      },
    },
    {
      method: 'POST',
      path: '/_cairn/accounts',
      operationName: 'CreateAccount',
      access: 'write',
      async handle(request, change) {
        await checkManagement(request, change, 'CreateAccount');
        const account = readNewAccount(await readRouteJson(request.body, limits.accountRequestBytes));
        const time = request.call?.time ?? 0;
        const created = await createAccount(change, account, { masterKey, random, time });
        const recorded = {
          account: created.account,
          rootKey: { accessKeyId: created.rootKey.accessKeyId },
        };
        const answer = jsonAnswer(created, recorded);
        return { ...answer, status: 201, headers: { ...answer.headers, 'cache-control': 'no-store' } };
      },
    },
  ];
}
