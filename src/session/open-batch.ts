import type { OpenState } from '../app/shared-state.js';
import type { Diagnostic } from '../core/diagnostic.js';
import type { Ports, Transport } from '../core/ports.js';
import type { LoadedManifest } from '../manifest/take.js';
import type { Account } from '../venice/client.js';
import type { PlaceSettings } from './settings.js';

/** A batch in the real world, as commands and the library open it: nothing in it depends on flags or a terminal. */
export interface OpenBatch {
  readonly settings: PlaceSettings;
  readonly ports: Ports;
  /**
   * What the lockfile is bound to: the base URL, or the sandbox's name. Throws `BatchError` (2) for an unusable URL.
   */
  readonly endpoint: string;
  /**
   * Who pays. Absent without a key; in the sandbox the simulator's account. Throws `BatchError` (4) for an invalid key.
   */
  readonly account: Account | undefined;
  /** The name of the manifest in messages. */
  readonly displayPath: string;
  /** The display path of a file, given its path relative to the output root. */
  placeOf(file: string): string;
  /** How the caller does something else with the same manifest: a command to paste, or a call. */
  command(verb: string, ...words: string[]): string;
  /** How the caller does the same again: its command as it was typed, with these words. Absent: `command` says it. */
  again?(...words: string[]): string;
  /** Only the lockfile names this shared log: `command` names it from now on. */
  noteLog(address: string): void;
  load(): Promise<LoadedManifest>;
  /** Tells the caller something that stops nothing: whole lines, safe to print. */
  warn(text: string): void;
  /** Shows what is wrong with a file of the user's, before an error about the file is thrown. */
  show(found: readonly Diagnostic[], sources: ReadonlyMap<string, string>): void;
  readonly openState: OpenState;
  redact(text: string): string;
  /** Opens the connection to the service; close it with `close`. Nothing heavy is imported before. */
  connect(): Promise<Transport>;
  close(): Promise<void>;
}
