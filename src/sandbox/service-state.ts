import type { Description } from './api-versions.js';
import type { AudioJob } from './audio/render.js';
import type { CurrencyAmounts } from './billing.js';
import type { Faults, Variants } from './faults.js';
import type { Keyring } from './keyring.js';
import type { Entry, Ledger } from './ledger.js';
import type { SandboxModel } from './sandbox-model.js';
import type { AudioBody } from './service-response.js';

/** State and settings that the routes share. */
export interface State {
  readonly ledger: Ledger;
  readonly speed: number;
  readonly description: Description;
  /** Of each account before its first job. */
  readonly currencies: CurrencyAmounts;
  random(): number;
  uuid(): string;
  readonly keyring: Keyring;
  /** Draws whether a fault happens now, or the second of two ways is taken. */
  happens(chance: keyof Faults | keyof Variants): boolean;
  /** How often this was called with this key, including this time. */
  timesSeen(key: string): number;
  /** A model that is listed now. */
  model(id: unknown, nowMs: number): SandboxModel | undefined;
  /** A model that used to be listed. */
  isRetired(id: unknown, nowMs: number): boolean;
  /** The model that takes the place of one that was listed once, if there is one. */
  replacement(id: unknown, nowMs: number): SandboxModel | undefined;
  medianMs(model: string): number;
  /** Factor on the catalogue's prices now. */
  priceFactor(nowMs: number): number;
  audio(job: AudioJob): AudioBody;
  /** Records an effect, and applies it. */
  effect(entry: Entry): void;
}
