/** What the main thread and the thread that builds the tree say to one another. */
export interface TreeWorkerStart {
  readonly directory: string;
  /** Leaves that the tree has: those of the last signed checkpoint. */
  readonly size: number;
}

export interface TreeRequest {
  readonly id: number;
  /** Entries of 32 bytes, one after the other. */
  readonly entries: Uint8Array;
}

export type TreeAnswer =
  | {
      readonly id: number;
      readonly ok: true;
      readonly size: number;
      readonly root: Uint8Array;
      readonly cpuMs: number;
    }
  | { readonly id: number; readonly ok: false; readonly message: string; readonly damage: boolean };
