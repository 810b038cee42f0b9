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
export interface Finding extends Pick<Diagnostic, 'code' | 'severity' | 'message' | 'hint'> {
  /** The field whose value is wrong, or `track` if a value is missing. */
  readonly at: RequestField | 'track';
}

/** One rule of the API. `undefined`: no finding. */
export type Rule = (about: Case) => Finding | undefined;
