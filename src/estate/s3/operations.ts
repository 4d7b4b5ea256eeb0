import * as absentSettings from './api/bucket-absent-settings.ts';
import * as bucketLifecycle from './api/bucket-lifecycle.ts';
import * as bucketNotification from './api/bucket-notification.ts';
import * as bucketObjectLock from './api/bucket-object-lock.ts';
import * as bucketOwnership from './api/bucket-ownership.ts';
import * as bucketPolicy from './api/bucket-policy.ts';
import * as bucketSettings from './api/bucket-settings.ts';
import * as buckets from './api/buckets.ts';
import * as objects from './api/objects.ts';

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
  ...objects,
};
