/** What the bus has done since the start, for the metrics. */
export interface BusCounts {
  /** Targets that took what was sent to them. */
  delivered: number;
  /** Attempts that failed, whether or not they were followed by others. */
  failedAttempts: number;
  /** Deliveries that will not be tried again. */
  givenUp: number;
}

export const newBusCounts = (): BusCounts => ({ delivered: 0, failedAttempts: 0, givenUp: 0 });
