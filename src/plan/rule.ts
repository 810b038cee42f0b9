import type { AudioRequest, RequestField } from '../core/audio-request.js';
import type { Diagnostic } from '../core/diagnostic.js';
import type { Catalogue, Model } from '../venice/model.js';

export interface Case {
  readonly request: AudioRequest;
  readonly model: Model;
  /** For hints that name other models. */
  readonly catalogue: Catalogue;
  readonly nowMs: number;
}

/** A diagnostic without a place in a file. */
export interface Finding extends Pick<Diagnostic, 'code' | 'severity' | 'message'> {
  /** The field whose value is wrong, or `track` if a value is missing. */
  readonly at: RequestField | 'track';
  /** How to fix it: another value; with `unset`, what else helps than to remove the value. */
  readonly hint?: string | undefined;
  /** What is to be done about the value, wherever it was written. Absent: nothing, or `hint` says it all. */
  readonly fix?: 'set' | 'unset' | undefined;
}

/** One rule of the API. `undefined`: no finding. */
export type Rule = (about: Case) => Finding | undefined;
