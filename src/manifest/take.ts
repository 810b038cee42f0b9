import type { AudioRequest, RequestField } from '../core/audio-request.js';
import type { Diagnostic, Span } from '../core/diagnostic.js';
import type { Template } from './template.js';

/** One wanted generation: take `take` of track `track`. The unit that is priced, bought and stored. */
export interface Take {
  /** `opening` for the only take, `opening#2` for the second of several: what a person calls it. Unique. */
  readonly key: string;
  readonly track: string;
  /** From 1. */
  readonly take: number;
  /** How many takes the track has. */
  readonly takes: number;
  /** Beyond `takes` of the manifest. */
  readonly extra?: true;
  readonly title?: string;
  readonly request: AudioRequest;
  /** `v1:` and the SHA-256 (hex) of the canonical request: what billing depends on. */
  readonly digest: string;
  /** Where texts have blanks at line ends: the digest that an earlier version gave this request. */
  readonly formerDigest?: string;
  /** A missing file of it is kept in another place, the manifest says: no failure, and nothing to buy. */
  readonly audioElsewhere?: true;
  /** First 8 hex digits of the SHA-256 of each field of the request: tells which one changed, without keeping it. */
  readonly parts: Readonly<Partial<Record<RequestField, string>>>;
  /**
   * Where the audio goes, without its extension, relative to the manifest's folder, with `/`. Unique
   * also where letter case is ignored. The extension takes the place of `{ext}`, always the end: `.` is part of the join.
   */
  readonly stem: string;
  /** The track's `id`, or its first line. */
  readonly span: Span;
  /** Where each field's value stands. First the value, then, where it came from `defaults`, the track that uses it. */
  readonly fieldSpans: Readonly<Partial<Record<RequestField, readonly Span[]>>>;
}

/** A track of a release. */
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
  /** Relative to the manifest's folder, below it as far as the path tells; links are not looked at yet. */
  readonly cover?: string;
  readonly format: 'original' | 'wav' | 'flac' | 'mp3' | 'm4a' | 'opus';
  readonly bitrateKbits?: number;
  readonly loudnessLufs?: number;
  /** Ceiling, dBTP. */
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
  /** Integer micro-dollars, over the lockfile's whole life. */
  readonly budgetMicroUsd?: number;
  readonly budgetSpan?: Span;
  /** Address of the shared log. */
  readonly state?: string;
  readonly concurrency?: number;
  /** In the manifest's order. */
  readonly takes: readonly Take[];
  /** The take of a track beyond its `takes`, or why it cannot be made. Absent: a track has no others. */
  readonly extraTake?: (track: string, take: number) => Take | readonly Diagnostic[];
  /** Absent only where no file was read. */
  readonly release?: Release;
}

export interface LoadedManifest {
  /** Absent when there is any error. */
  readonly manifest?: Manifest;
  /** Every error and warning, sorted. */
  readonly diagnostics: readonly Diagnostic[];
  /** Text of each file that a span may name, for code frames: by `Span.file`. */
  readonly sources: ReadonlyMap<string, string>;
}
