import * as absentSettings from './api/bucket-absent-settings.ts';
import * as bucketLifecycle from './api/bucket-lifecycle.ts';
import * as bucketNotification from './api/bucket-notification.ts';
import * as bucketObjectLock from './api/bucket-object-lock.ts';
import * as bucketOwnership from './api/bucket-ownership.ts';
import * as bucketPolicy from './api/bucket-policy.ts';
import * as bucketSettings from './api/bucket-settings.ts';
import * as buckets from './api/buckets.ts';
import * as copies from './api/copies.ts';
import * as deletions from './api/deletions.ts';
import * as objectDetails from './api/object-details.ts';
import * as objectListings from './api/object-listings.ts';
import * as objectLocks from './api/object-locks.ts';
import * as objectTags from './api/object-tags.ts';
import * as objects from './api/objects.ts';
import * as parts from './api/parts.ts';
import * as uploads from './api/uploads.ts';

/** All operations that are present, each declared in `api/` under its own name. */
export const operations = {
  ...absentSettings,
  ...bucketLifecycle,
  ...bucketNotification,
  ...bucketObjectLock,
  ...bucketOwnership,
  ...bucketPolicy,
  ...bucketSettings,
  ...buckets,
  ...copies,
  ...deletions,
  ...objectDetails,
  ...objectListings,
  ...objectLocks,
  ...objectTags,
  ...objects,
  ...parts,
  ...uploads,
};
