import type { ColumnsTable, ColumnsView, TimeStretch } from '../../columns-port.ts';

/** What this process and the engine's process tell each other. */

/** Bounds of one engine. */
export interface EngineBounds {
  readonly memoryBytes: number;
  readonly threads: number;
  /** Where sorts may spill; without it they fail when memory is short. */
  readonly spillDirectory?: string;
}

/** A file as the engine is given it. */
export interface EngineFile {
  readonly path: string;
  readonly owner: string;
  readonly from: number;
  readonly to: number;
  /** Of the table that wrote it. */
  readonly version: number;
  /** Where its ids are indexed; undefined where they are not. */
  readonly ids: string | undefined;
}

/** A file as the engine wrote it. */
export interface WrittenFile {
  readonly path: string;
  readonly owner: string;
  readonly rows: number;
  readonly bytes: number;
  /** CRC-32 of the file. */
  readonly crc: number;
  readonly from: number;
  readonly to: number;
  /** Bytes of the index of its ids, if it has one. */
  readonly idBytes?: number;
  readonly idCrc?: number;
}

export interface EngineView {
  readonly name: string;
  /** Of all rows of the files. */
  readonly owner: string;
  readonly files: readonly EngineFile[];
  readonly where: string;
  /** See `ColumnsView.ids`. */
  readonly ids?: readonly string[];
  /** See `ColumnsView.times`. */
  readonly times?: readonly TimeStretch[];
  /** See `ColumnsView.apart`. */
  readonly apart?: ColumnsView['apart'];
}

export type EngineTask =
  | {
      readonly kind: 'seal';
      readonly table: ColumnsTable;
      readonly bounds: EngineBounds;
      /** Staged rows, see `strictRows`. */
      readonly staged: string;
      /** A directory for the task alone; made and removed by it. */
      readonly scratch: string;
      /** Whether all rows are expected to be of one owner; it is faster if that is true. */
      readonly isOneOwner: boolean;
      /** Rows of a file from which on its ids are indexed. */
      readonly fewestIndexed: number;
      readonly known: readonly EngineFile[];
      /** The directory of all owners; a file of an owner is put into `directory/OWNER/`. */
      readonly directory: string;
      readonly name: string;
    }
  | {
      readonly kind: 'merge';
      readonly table: ColumnsTable;
      readonly bounds: EngineBounds;
      readonly owner: string;
      /** In the order of their rows. */
      readonly inputs: readonly EngineFile[];
      /** Whether the rows of the inputs must be sorted to be in the order of their times. */
      readonly sort: boolean;
      /** Rows of earlier times are left out, epoch milliseconds. */
      readonly notBefore?: number;
      readonly output: string;
      readonly fewestIndexed: number;
    }
  | {
      readonly kind: 'query';
      readonly table: ColumnsTable;
      readonly bounds: EngineBounds;
      readonly views: readonly EngineView[];
      readonly sql: string;
      readonly into: string;
      readonly mostBytes: number;
    }
  | {
      /** A statement of the program's own over one view. */
      readonly kind: 'own';
      readonly table: ColumnsTable;
      readonly bounds: EngineBounds;
      readonly view: EngineView;
      readonly sql: string;
    }
  | {
      /** Statements of the program's own over one view, what each gives into a Parquet file. */
      readonly kind: 'export';
      readonly table: ColumnsTable;
      readonly bounds: EngineBounds;
      readonly view: EngineView;
      readonly files: readonly { readonly sql: string; readonly into: string }[];
    };

export interface SealResult {
  readonly files: readonly WrittenFile[];
  readonly duplicates: number;
  /** The first of the sequences whose rows could not be taken, and how many there are. */
  readonly unreadable: readonly number[];
}

export interface EngineResults {
  readonly seal: SealResult;
  readonly merge: WrittenFile;
  readonly query: {
    readonly columns: readonly { readonly name: string; readonly type: string }[];
    readonly rows: number;
    readonly bytes: number;
  };
  /** Rows of texts. */
  readonly own: readonly (readonly (string | null)[])[];
  readonly export: undefined;
}

export type EngineAnswer =
  | { readonly kind: 'done'; readonly result: EngineResults[keyof EngineResults] }
  /** The task was refused or could not be done; the engine lives on unless it says that it ends. */
  | { readonly kind: 'failed'; readonly reason: string; readonly isEnding?: true };
