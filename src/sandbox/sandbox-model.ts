export interface Amount {
  readonly usd: number;
  readonly diem: number;
}

export interface Tier extends Amount {
  readonly min_seconds: number;
  readonly max_seconds: number;
}

/** One of the four forms of a price. */
export type WirePricing =
  | { readonly generation: Amount }
  | { readonly per_second: Amount }
  | { readonly per_thousand_characters: Amount }
  | { readonly durations: Readonly<Record<string, Tier>> };

/** `model_spec`, as in `GET /models?type=music`. An absent capability is undeclared. */
export interface ModelSpec {
  readonly name: string;
  readonly privacy: 'anonymized';
  readonly uncensored?: true;
  readonly traits: readonly string[];
  readonly pricing: WirePricing;
  readonly offline?: boolean;
  readonly betaModel?: boolean;
  readonly deprecation?: {
    readonly autoRemap: boolean;
    readonly date: string;
    readonly removesAt: string;
    readonly replacementModelId?: string;
  };
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
  readonly voice_changer?: true;
  readonly duration_options?: readonly number[];
  readonly min_duration?: number;
  readonly max_duration?: number;
  readonly default_duration?: number;
  readonly supported_formats: readonly AudioFormat[];
  readonly default_format: AudioFormat;
  readonly min_prompt_length?: number;
  readonly prompt_character_limit?: number;
}

export type AudioFormat = 'wav' | 'flac' | 'm4a';
export type AudioKind = 'music' | 'speech' | 'effect';

export interface SandboxModel {
  readonly id: string;
  /** Unix seconds. */
  readonly created: number;
  readonly spec: ModelSpec;
  readonly kind: AudioKind;
  /** Median generation time at speed 1. */
  readonly runMsMedian: number;
  /** The price quoted and charged, relative to the catalogue's. Default 1. */
  readonly priceFactor?: number;
  /** The fewest characters of lyrics, unless the request is instrumental or uses the optimizer. */
  readonly lyricsMin?: number;
  /** Priced for this many seconds. The model takes no duration, and the length of its audio is unknown in advance. */
  readonly reservedSeconds?: number;
  /** Only for owners of a Pro account. */
  readonly pro?: true;
}

/** A model leaves the service on its deprecation date. */
export function isListed(model: SandboxModel, nowMs: number): boolean {
  const { deprecation } = model.spec;
  return deprecation === undefined || Date.parse(deprecation.removesAt) > nowMs;
}
