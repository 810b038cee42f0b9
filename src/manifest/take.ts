import type { AudioRequest, RequestField } from '../core/audio-request.js';
import type { Diagnostic, Span } from '../core/diagnostic.js';
import type { Template } from './template.js';

/** One wanted generation: take `take` of track `track`. The unit that is priced, bought and stored. */
export interface Take {
  /** `opening` for the only take, `opening#2` for the second of several: its name for users. Unique. */
  readonly key: string;
  readonly track: string;
  /** From 1. */
  readonly take: number;
  /** How many takes the track has. */
  readonly takes: number;
  /** Not among the manifest's `takes`. */
  readonly extra?: true;
  readonly title?: string;
  readonly request: AudioRequest;
  /** `v1:` and the SHA-256 (hex) of the canonical request, on which billing depends. */
  readonly digest: string;
  /** If texts have blanks at line ends: the digest that an earlier version gave this request. */
  readonly formerDigest?: string;
  /** The manifest says that a missing file is kept elsewhere: not a failure, and not to be bought. */
  readonly audioElsewhere?: true;
  /** First 8 hex digits of the SHA-256 of each request field: shows which one changed without storing it. */
  readonly parts: Readonly<Partial<Record<RequestField, string>>>;
  /**
   * Output path without extension, relative to the manifest's folder, with `/`. Unique, even when letter case is
   * ignored. The extension replaces `{ext}`, which is always last.
   */
  readonly stem: string;
  /** The track's `id`, or its first line. */
  readonly span: Span;
  /** Place of each field's value, and if it came from `defaults`, then of the track that uses it. */
  readonly fieldSpans: Readonly<Partial<Record<RequestField, readonly Span[]>>>;
}

export interface ReleaseTrack {
  readonly track: string;
  /** From 1, among the tracks of the release. */
  readonly index: number;
  readonly title: string;
  readonly artist?: string;
  readonly genre?: string;
  readonly comment?: string;
  readonly span: Span;
}

/** How a release is named, tagged and encoded. */
export interface Release {
  readonly artist?: string;
  readonly album?: string;
  readonly albumArtist?: string;
  /** YYYY, YYYY-MM or YYYY-MM-DD. */
  readonly date?: string;
  readonly genre?: string;
  readonly copyright?: string;
  readonly comment?: string;
  /** Relative to the manifest's folder, and inside it according to its path; links are not checked yet. */
  readonly cover?: string;
  readonly coverSpan?: Span;
  readonly format: 'original' | 'wav' | 'flac' | 'mp3' | 'm4a' | 'opus';
  readonly bitrateKbits?: number;
  readonly loudnessLufs?: number;
  /** Ceiling in dBTP. */
  readonly truePeakDb: number;
  readonly template: Template;
  readonly tracks: readonly ReleaseTrack[];
}

/** A manifest that passed every offline check. */
export interface Manifest {
  /** Absolute. */
  readonly path: string;
  /** Absolute: what `output` and `lyrics_file` are relative to. */
  readonly directory: string;
  readonly title?: string;
  /** Integer micro-dollars, over the lockfile's lifetime. */
  readonly budgetMicroUsd?: number;
  readonly budgetSpan?: Span;
  /** Address of the shared log. */
  readonly state?: string;
  readonly concurrency?: number;
  /** In the manifest's order. */
  readonly takes: readonly Take[];
  /** A take of a track beyond its `takes`, or why it cannot be made. Absent: no further takes are possible. */
  readonly extraTake?: (track: string, take: number) => Take | readonly Diagnostic[];
  /** Absent only if no file was read. */
  readonly release?: Release;
}

export interface LoadedManifest {
  /** Absent if there are errors. */
  readonly manifest?: Manifest;
  /** All errors and warnings, sorted. */
  readonly diagnostics: readonly Diagnostic[];
  /** Text of each file that a span may name, by `Span.file`, for code frames. */
  readonly sources: ReadonlyMap<string, string>;
}
