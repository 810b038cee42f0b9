/** A price in the catalogue. All amounts are integer micro-dollars. */
export type Pricing =
  | { readonly kind: 'generation'; readonly microUsd: number }
  | { readonly kind: 'per_second'; readonly microUsd: number }
  | { readonly kind: 'per_thousand_characters'; readonly microUsd: number }
  | { readonly kind: 'durations'; readonly tiers: readonly PriceTier[] };

/** Sorted by `minSeconds`. Both bounds are inclusive. */
export interface PriceTier {
  readonly minSeconds: number;
  readonly maxSeconds: number;
  readonly microUsd: number;
}

/**
 * One `type=music` model as described by `GET /models`. Capability fields have the API's names; an absent one is
 * *undeclared*: neither yes nor no.
 */
export interface Model {
  readonly id: string;
  readonly name: string;
  readonly offline: boolean;
  readonly beta: boolean;
  /** ISO 8601 instant after which the model is no longer listed. */
  readonly deprecationDate?: string;
  readonly replacementModelId?: string;
  readonly traits: readonly string[];
  readonly pricing?: Pricing;
  readonly supports_lyrics?: boolean;
  readonly lyrics_required?: boolean;
  readonly lyrics_character_limit?: number;
  readonly supports_lyrics_optimizer?: boolean;
  readonly supports_force_instrumental?: boolean;
  readonly supports_loop?: boolean;
  readonly supports_language_code?: boolean;
  readonly supports_speed?: boolean;
  readonly min_speed?: number;
  readonly max_speed?: number;
  readonly default_speed?: number;
  readonly voices?: readonly string[];
  readonly default_voice?: string;
  readonly supports_custom_voice_id?: boolean;
  /** Changes the voice of a recording: listed, but refused by every route that makes audio from a prompt. */
  readonly voice_changer?: boolean;
  readonly duration_options?: readonly number[];
  readonly min_duration?: number;
  readonly max_duration?: number;
  readonly default_duration?: number;
  readonly supported_formats?: readonly string[];
  readonly default_format?: string;
  readonly min_prompt_length?: number;
  readonly prompt_character_limit?: number;
}

/** The live models by id, in the API's order. */
export type Catalogue = ReadonlyMap<string, Model>;
