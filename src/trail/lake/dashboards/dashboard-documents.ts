import { AwsFault, formatArn, parseArn } from '../../../kernel/index.ts';
import type { StateView } from '../../../state/index.ts';
import type { TagDocument } from '../../trails/tags.ts';
import type { RefreshScheduleDocument } from './refresh-schedule.ts';

/** What a dashboard shows: a query and how its rows are drawn. */
export interface WidgetDocument {
  /** Names its query; unique, and kept when the dashboard is updated with the same query. */
  readonly alias: string;
  readonly statement: string;
  /** What stands for the question marks of the statement, in their order. */
  readonly parameters?: readonly string[];
  readonly view: Readonly<Record<string, string>>;
  /** Of the event data stores that the statement reads. */
  readonly storeIds: readonly string[];
}

/** A custom dashboard, under `trail/lake/dashboards/ACCOUNT/REGION/NAME`. */
export interface DashboardDocument {
  readonly name: string;
  readonly arn: string;
  readonly accountId: string;
  readonly region: string;
  readonly status: 'CREATED' | 'UPDATED';
  readonly widgets: readonly WidgetDocument[];
  readonly terminationProtected: boolean;
  readonly schedule?: RefreshScheduleDocument;
  /** When the schedule refreshes it next, epoch milliseconds; absent while no schedule is enabled. */
  readonly nextRefreshAt?: number;
  readonly lastRefreshId?: string;
  /** Why the last refresh of the schedule did not take place. */
  readonly lastRefreshFailure?: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly tags?: readonly TagDocument[];
}

export const dashboardsPrefix = 'trail/lake/dashboards/';
export const dashboardKey = (accountId: string, region: string, name: string): string =>
  `${dashboardsPrefix}${accountId}/${region}/${name}`;

export const dashboardArn = (accountId: string, region: string, name: string): string =>
  formatArn('cloudtrail', region, accountId, `dashboard/${name}`);

interface Place {
  readonly accountId: string;
  readonly region: string;
}

/** The ARN that a name or ARN stands for. */
export const dashboardArnOf = (named: string, { accountId, region }: Place): string =>
  named.startsWith('arn:') ? named : dashboardArn(accountId, region, named);

/** The dashboards of an account, in the order of their names; of one region, or of all. */
export async function readDashboards(
  view: StateView,
  accountId: string,
  region?: string,
): Promise<readonly DashboardDocument[]> {
  const prefix = `${dashboardsPrefix}${accountId}/${region === undefined ? '' : `${region}/`}`;
  return (await view.list<DashboardDocument>(prefix)).map(({ value }) => value);
}

/** The dashboard of an ARN, whoever asks. */
export async function findDashboard(view: StateView, arn: string): Promise<DashboardDocument | undefined> {
  const { accountId = '', region = '', resource = '' } = parseArn(arn) ?? {};
  const found = (
    await view.get<DashboardDocument>(dashboardKey(accountId, region, resource.split('/')[1] ?? ''))
  )?.value;
  return found?.arn === arn ? found : undefined;
}

/**
 * Refuses the names of dashboards that CloudTrail itself makes: the Highlights dashboard and the managed ones, whose
 * queries AWS does not publish. Throws UnsupportedOperationException.
 */
export function refuseManaged(named: string): void {
  const name = named.split('/').at(-1) ?? '';
  if (!name.startsWith('AWSCloudTrail-')) return;
  throw new AwsFault(
    'UnsupportedOperationException',
    `${name} would be a dashboard that CloudTrail manages. Managed dashboards and the Highlights dashboard are not supported; create a custom dashboard with queries of its own.`,
  );
}

/** The dashboard of the caller's account and region that a name or ARN means. Throws ResourceNotFoundException. */
export async function readDashboard(
  view: StateView,
  named: string,
  place: Place,
): Promise<DashboardDocument> {
  refuseManaged(named);
  const found = await findDashboard(view, dashboardArnOf(named, place));
  if (found && found.accountId === place.accountId && found.region === place.region) return found;
  throw new AwsFault(
    'ResourceNotFoundException',
    `There is no dashboard ${named} in this account and region.`,
  );
}
