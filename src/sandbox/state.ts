import type { AudioJob } from './audio/render.js';
import type { CurrencyAmounts } from './billing.js';
import type { Description } from './description.js';
import type { AudioBody } from './exchange.js';
import type { Faults, Variants } from './faults.js';
import type { Keyring } from './keys.js';
import type { Entry, Ledger } from './ledger.js';
import type { SandboxModel } from './model.js';

/** What the routes share: the ledger, and the service's powers. */
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
  /** How often this was asked with this key, this time included. */
  timesSeen(key: string): number;
  /** A model that is listed now. */
  model(id: unknown, nowMs: number): SandboxModel | undefined;
  /** A model that was listed once. */
  isRetired(id: unknown, nowMs: number): boolean;
  medianMs(model: string): number;
  /** On the prices of the catalogue, now. */
  priceFactor(nowMs: number): number;
  audio(job: AudioJob): AudioBody;
  /** Writes down what happens, and makes it happen. */
  effect(entry: Entry): void;
}
