// Made from schemas/manifest.schema.json by `npm run types`. Change the schema, not this file.

/**
 * Where to store the audio, relative to the manifest's folder and always below it. Tokens: {index} {id} {title} {take} {model}, and {ext}, which ends it. Absent: out/{index}-{id}.{ext}. A second take gets -2 unless {take} is used.
 */
export type Output = string;
/**
 * How many generations of the track to make. Each is paid for. Absent: 1.
 */
export type Takes = number;
/**
 * Id of a music, speech or sound-effects model. `venice-batch models` lists them with their prices.
 */
export type Model = string;
/**
 * What it should sound like; for a speech model, the text to speak. Each model has its own limit.
 */
export type Prompt = string;
/**
 * Lyrics, for a model that sings. An empty text means none, regardless of `defaults`.
 */
export type LyricsPrompt = string;
/**
 * A text file with the lyrics, relative to the manifest's folder. In place of `lyrics_prompt`.
 */
export type LyricsFile = string;
/**
 * Length in whole seconds, if the model lets you choose it. Determines the price of most models.
 */
export type DurationSeconds = number | string;
/**
 * No singing, if the model supports this option.
 */
export type ForceInstrumental = boolean;
/**
 * The model writes the lyrics from the prompt. Only without lyrics.
 */
export type LyricsOptimizer = boolean;
/**
 * Makes the end join the start without a seam, if the model supports this option.
 */
export type Loop = boolean;
/**
 * Voice that speaks or sings, from the model's list. An empty text means the model's own choice, regardless of `defaults`.
 */
export type Voice = string;
/**
 * ISO 639-1 code of the language spoken. An empty text means the model's own choice, regardless of `defaults`.
 */
export type LanguageCode = string;
/**
 * Speaking rate: 1 is normal. Each model has its own range.
 */
export type Speed = number;
/**
 * `elsewhere`: once made, the file is kept outside this checkout. A missing file is then not a failure, is not bought again, and is shown as elsewhere. Changing it costs nothing.
 */
export type Audio = 'elsewhere';

/**
 * A venice-batch manifest: the tracks to make with the Venice audio API, and where they go.
 */
export interface ManifestFile {
  /**
   * Version of the manifest's format. Always 1.
   */
  version: 1;
  /**
   * Name of the whole set, for display only. Changing it costs nothing.
   */
  title?: string;
  output?: Output;
  /**
   * Spending limit for this manifest in US dollars, over all runs together. Nothing is bought that would exceed it.
   */
  budget?: number;
  /**
   * Maximum number of jobs in flight. Absent: as many as the rate limit of the key allows.
   */
  concurrency?: number;
  /**
   * Address of a log of all purchases that several machines share, so that no take is bought twice and a lost machine loses nothing: s3://bucket/prefix, git:origin or file:///mnt/share/folder. Absent: purchases are recorded in the lockfile only.
   */
  state?: string;
  release?: Release;
  defaults?: Defaults;
  /**
   * What to make. The order gives {index}; changing it costs nothing.
   *
   * @minItems 1
   * @maxItems 20000
   */
  tracks: Track[];
}
/**
 * How `venice-batch release` names, tags and encodes the chosen takes. Changing it costs nothing.
 */
export interface Release {
  /**
   * Artist of every track that has no `release_artist`.
   */
  artist?: string;
  /**
   * Name of the album. Absent: the manifest's `title`.
   */
  album?: string;
  /**
   * Artist of the album as a whole. Absent: `artist`.
   */
  album_artist?: string;
  /**
   * Release date: YYYY, YYYY-MM or YYYY-MM-DD.
   */
  date?: string | number;
  /**
   * Genre of every track that has no `release_genre`.
   */
  genre?: string;
  /**
   * Copyright tag.
   */
  copyright?: string;
  /**
   * Comment tag of every track that has no `release_comment`. Absent: which model made the track.
   */
  comment?: string;
  /**
   * Cover picture (JPEG or PNG), relative to the manifest's folder and always below it.
   */
  cover?: string;
  /**
   * Names of the files in the release folder. Tokens as in `output` above; {index} counts released tracks. Absent: {index} {title}.{ext}
   */
  output?: string;
  /**
   * Format of the files. `original` copies the audio as it was made; the others encode it. mp3, m4a and opus need ffmpeg.
   */
  format?: 'original' | 'wav' | 'flac' | 'mp3' | 'm4a' | 'opus';
  /**
   * Bit rate of mp3, m4a and opus in kbit/s. Absent: 320 for mp3, 256 for m4a, 160 for opus.
   */
  bitrate?: number;
  /**
   * Integrated loudness of every track in LUFS (EBU R128). Absent: as made; ReplayGain tags are always written.
   */
  loudness?: number;
  /**
   * Ceiling in dBTP that `loudness` does not exceed: higher peaks are limited, by 8 dB at most. Absent: -1.
   */
  true_peak?: number;
}
/**
 * Fields of every track that does not set them itself.
 */
export interface Defaults {
  output?: Output;
  takes?: Takes;
  model?: Model;
  prompt?: Prompt;
  lyrics_prompt?: LyricsPrompt;
  lyrics_file?: LyricsFile;
  duration_seconds?: DurationSeconds;
  force_instrumental?: ForceInstrumental;
  lyrics_optimizer?: LyricsOptimizer;
  loop?: Loop;
  voice?: Voice;
  language_code?: LanguageCode;
  speed?: Speed;
  audio?: Audio;
}
/**
 * One piece of audio: a song, a jingle, a narration, a sound effect. `model` and `prompt` may come from `defaults`.
 */
export interface Track {
  /**
   * Permanent name of the track; the lockfile uses it to find what was paid for. Lowercase letters, digits, `.`, `_` and `-`. Unique in the manifest.
   */
  id: string;
  /**
   * For display, and for {title} in `output`. Changing it costs nothing: the file is renamed.
   */
  title?: string;
  /**
   * Title in the release. Absent: `title`, then the id. Changing it costs nothing.
   */
  release_title?: string;
  /**
   * Artist of this track in the release. Absent: that of `release`.
   */
  release_artist?: string;
  /**
   * Genre of this track in the release. Absent: that of `release`.
   */
  release_genre?: string;
  /**
   * Comment tag of this track in the release. Absent: that of `release`.
   */
  release_comment?: string;
  /**
   * Leaves the track out of the release.
   */
  release_skip?: boolean;
  output?: Output;
  takes?: Takes;
  model?: Model;
  prompt?: Prompt;
  lyrics_prompt?: LyricsPrompt;
  lyrics_file?: LyricsFile;
  duration_seconds?: DurationSeconds;
  force_instrumental?: ForceInstrumental;
  lyrics_optimizer?: LyricsOptimizer;
  loop?: Loop;
  voice?: Voice;
  language_code?: LanguageCode;
  speed?: Speed;
  audio?: Audio;
}
