/**
 * What the program needs from the world. Everything that can differ between two runs (time, chance,
 * disk, network, other processes) enters here, so that a whole run, crashes included, is a function
 * of a seed in the tests. `node/` holds the real ones.
 */

export interface Clock {
  /** Milliseconds since the Unix epoch. Never goes back within one process. */
  nowMs(): number;
  /** Resolves after `delayMs`, or at once when `signal` aborts. Never rejects. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

export interface Random {
  /** Cryptographically strong in production: ids and salts come from it. */
  bytes(count: number): Uint8Array;
}

/**
 * A running process, distinct from a later one with the same pid and from one on another machine
 * with the same name.
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly hostname: string;
  /** Differs between any two boots of any two machines; empty where the system does not tell. */
  readonly bootId: string;
  /** When the process started, in whatever unit the system uses; empty where it does not tell. */
  readonly startTime: string;
  /** Stays the same over reboots; empty where the system does not tell, and in containers, which may share an image. */
  readonly machineId: string;
  /** Processes of one PID namespace see each other's pids; empty where the system has none or does not tell. */
  readonly pidNamespace: string;
  /** The network namespace, within which claimed names are unique; empty where the system has none or does not tell. */
  readonly netNamespace: string;
}

/** Result of claiming a name. */
export type NameClaim =
  | { readonly kind: 'held'; free(): Promise<void> }
  /** Another process has it, or this one already. */
  | { readonly kind: 'taken' }
  /** This system cannot do it. */
  | { readonly kind: 'unsupported' };

/** A socket that answers while this process lives. */
export interface Beacon {
  /** Device and inode of the socket, as this process sees them. */
  readonly id: string;
  /** Stops answering and removes the socket. */
  close(): Promise<void>;
}

export interface Processes {
  readonly self: ProcessIdentity;
  /** Start time of a live process on this host, `undefined` if no such process lives, `''` if it lives and the system does not tell. */
  startTimeOf(pid: number): Promise<string | undefined>;
  /**
   * Claims a name among the processes of this machine; on Linux, of this network namespace. The system keeps the claim
   * until `free` or the end of this process, whatever becomes of any file.
   *
   * @param name hexadecimal digits
   */
  claim(name: string): Promise<NameClaim>;
  /** Creates a beacon at the path; `undefined` where this system or file system cannot. */
  openBeacon(path: string): Promise<Beacon | undefined>;
  /**
   * Whether the process that made the beacon answers. `silent` proves that it ended only where it ran under this kernel.
   * `unknown`: there is no such socket any more, or it cannot be asked.
   */
  askBeacon(path: string, id: string): Promise<'answers' | 'silent' | 'unknown'>;
}

export interface FileFacts {
  readonly kind: 'file' | 'directory' | 'other';
  readonly bytes: number;
  readonly modifiedMs: number;
  /** Device and inode: equal for two names of one file, and never equal for two files that exist at the same time. */
  readonly id: string;
  /** Owned by this user, and closed to everybody else. True where the system has no such modes (Windows). */
  readonly isPrivate: boolean;
}

/** An open file. Bytes written are not durable before `sync` has resolved. */
export interface FileHandle {
  /** Once it has resolved, the caller may use the array for other bytes. */
  write(bytes: Uint8Array): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** Thrown by `Files`: `code` is the system's (`ENOENT`, `EEXIST`, `ENOSPC`, `EACCES`, …). */
export interface FileFault extends Error {
  readonly code: string;
  /** The path in the way, if known. With `ESTALE`: the root of `Files.below`. */
  readonly path?: string;
}

/**
 * All paths are absolute. Every method may throw a `FileFault`. What is opened is a regular file, checked on the open
 * handle: a pipe or a device throws `EFTYPE` and never hangs.
 */
export interface Files {
  /**
   * Throws `EFBIG` for a file of more than `bytesMax` bytes.
   *
   * @param kinds `pipes`: waits for a pipe too, for a file that the user named on the command line
   */
  read(path: string, bytesMax: number, kinds?: 'regular' | 'pipes'): Promise<Uint8Array>;
  /** The file's bytes from `firstByte` on (default 0), in pieces of at most 1 MiB. */
  stream(path: string, firstByte?: number): AsyncIterable<Uint8Array>;
  /** Follows links; `undefined` where nothing is. */
  facts(path: string): Promise<FileFacts | undefined>;
  /** The path with every link resolved, also of a path whose last parts do not exist yet. */
  real(path: string): Promise<string>;
  list(directory: string): Promise<readonly string[]>;
  /** Creates the folder and its parents, and makes their entries durable. `private`: those it creates are closed to other users. */
  makeDirectory(path: string, access?: 'private'): Promise<void>;
  /**
   * `exclusive` fails with `EEXIST`; `truncate` starts anew; `append` goes on at the end, and fails with `ENOENT`
   * where there is no file, as the others create it. None writes through a symbolic link (`ELOOP`). `private`: a file it creates is closed to other users.
   */
  open(path: string, mode: 'exclusive' | 'truncate' | 'append', access?: 'private'): Promise<FileHandle>;
  /** Replaces the target atomically. Durable only after `syncDirectory`. */
  rename(from: string, to: string): Promise<void>;
  /** Gives the file a second name; fails with `EEXIST` rather than replace anything. */
  link(from: string, to: string): Promise<void>;
  /** No error where nothing is. */
  remove(path: string): Promise<void>;
  /** Where the file system cannot sync folders, it does nothing: see `canSyncDirectory`. */
  syncDirectory(path: string): Promise<void>;
  /** Syncs the folder; `false` where its file system cannot. Absent: it can. */
  canSyncDirectory?(path: string): Promise<boolean>;
  /** Free space for this user at the path; `undefined` if unknown. */
  freeBytes?(path: string): Promise<number | undefined>;
  /**
   * The same methods for what lies below a folder, by paths that begin with `root`: for names that a stranger may have
   * written. Links in `root` itself are resolved now, and the folder that stands there is remembered, from now on or from
   * when it is first seen. After that every call, at the moment of its effect, throws `ELOOP` where a folder on the way is a
   * symbolic link, `ESTALE` where another folder took the place of `root`, `EXDEV` for a path that is not below it.
   * `facts` does not follow links either: one is `other`.
   */
  below(root: string): Promise<FolderFiles>;
}

/** The files below one folder, reached without following a link: see `Files.below`. */
export type FolderFiles = Omit<Files, 'real' | 'below' | 'canSyncDirectory' | 'freeBytes'>;

export interface TransportRequest {
  readonly method: 'GET' | 'POST';
  /** Below the base URL, with its leading slash and its query: `/audio/queue`. */
  readonly path: string;
  /**
   * Instead of `path`: an `https` address of another host, where the API says that a result lies. Asked for without the
   * key and without a body.
   */
  readonly elsewhere?: string;
  /** JSON text. */
  readonly body?: string;
  /** Sent beside the transport's own. Names in lower case. Never sent `elsewhere`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Not over a kept-alive connection that the server may have closed meanwhile: for the one request that spends. */
  readonly freshConnection?: boolean;
  /** Deadline of the whole exchange, body included. */
  readonly deadlineMs: number;
  /** Until the headers of the answer are there. Absent: no shorter than the whole. */
  readonly headersDeadlineMs?: number;
}

export interface TransportAnswer {
  readonly kind: 'answer';
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * To be read once, or discarded. Throws `TransportFault` when the body is cut or late. A body that
   * simply ends early looks whole where the answer has neither a length nor chunks: see `framed`.
   */
  readonly body: AsyncIterable<Uint8Array>;
  /**
   * True if the end of the body is marked (Content-Length or chunked), so that truncation is
   * noticed.
   */
  readonly framed: boolean;
  /** Stops reading and frees the connection. */
  discard(): void;
}

export interface TransportNoAnswer {
  readonly kind: 'no_answer';
  /** `false` only where it is certain that no byte of the request left this machine. */
  readonly sent: boolean;
  /** The system's or library's code: `ECONNREFUSED`, `UND_ERR_HEADERS_TIMEOUT`, … */
  readonly code: string;
  readonly message: string;
}

export interface TransportFault extends Error {
  readonly code: string;
}

/** One HTTP exchange with the API. Knows the base URL and the key; follows no redirect; retries nothing; never throws. */
export type Transport = (request: TransportRequest) => Promise<TransportAnswer | TransportNoAnswer>;

/**
 * Result of inspecting an audio file. The media type comes from the bytes, not the header:
 * `audio/wav`, `audio/mp4`, …
 */
export type MediaFinding =
  /** True if the audio is complete, as far as its container can show. */
  | {
      readonly kind: 'whole';
      readonly mediaType: string;
      /** Seconds; absent if the container does not say. */
      readonly durationSeconds?: number;
      /** An oddity that does not keep it from being taken. */
      readonly warning?: string;
    }
  /** Begins like a file of this type, and is cut, damaged, or followed by what does not belong to it. */
  | { readonly kind: 'incomplete'; readonly mediaType: string }
  /** Of no type that is known. */
  | { readonly kind: 'unknown' };

/** Signs for one address, in place of an API key. */
export interface Wallet {
  /** With its checksum (EIP-55). */
  readonly address: string;
  /** A personal signature (EIP-191), 65 bytes in hex with `0x`. */
  sign(text: string): string;
}

/** Recognises the container by its bytes and reads it to its end, without holding it in memory. Throws a fault of `bytes`. */
export type InspectMedia = (bytes: AsyncIterable<Uint8Array>, sizeBytes: number) => Promise<MediaFinding>;

export interface Ports {
  readonly clock: Clock;
  readonly random: Random;
  readonly files: Files;
  readonly processes: Processes;
  readonly inspectMedia: InspectMedia;
}

export interface WebRequest {
  readonly method: 'GET' | 'HEAD' | 'PUT';
  /** Absolute, http or https. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** A stream needs a `content-length` among the headers. What it throws ends the request. */
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
  /** Of the whole exchange. */
  readonly deadlineMs: number;
}

/** One HTTP exchange with any server. Follows no redirect; retries nothing; never throws. */
export interface Web {
  request(request: WebRequest): Promise<TransportAnswer | TransportNoAnswer>;
  /** Ends every connection at once. */
  close(): Promise<void>;
}

export interface GitAnswer {
  /** `undefined`: it was ended by a signal or the deadline, or never started. */
  readonly code: number | undefined;
  readonly stdout: Uint8Array;
  readonly stderr: string;
}

/**
 * Runs the system's git in a folder, with messages in English and no prompts. Never throws; a git that is not installed
 * answers without a code.
 */
export type Git = (
  words: readonly string[],
  options: {
    readonly folder: string;
    readonly stdin?: Uint8Array;
    readonly environment?: Readonly<Record<string, string>>;
    readonly deadlineMs: number;
  },
) => Promise<GitAnswer>;
