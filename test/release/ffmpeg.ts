import { execFileSync } from 'node:child_process';

/** Whether `ffmpeg` and `ffprobe` are here: `.ci/run` installs them. Without them tests look with music-metadata alone. */
export const hasFfmpeg = ['ffmpeg', 'ffprobe'].every((program) => {
  try {
    execFileSync(program, ['-version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
});

export function ffmpeg(...args: readonly string[]): string {
  return execFileSync('ffmpeg', ['-hide_banner', '-nostdin', '-y', '-loglevel', 'error', ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

/** Hash of the coded audio as it stands in the file, whatever is around it. */
export function codedAudio(file: string): string {
  return ffmpeg('-i', file, '-map', '0:a', '-c', 'copy', '-f', 'md5', '-');
}

/** The tags of a file by name in lower case, those of its stream among them. */
export function probedTags(file: string): Readonly<Record<string, string>> {
  const args = ['-v', 'error', '-show_entries', 'format_tags:stream_tags', '-of', 'json', file];
  const reported = JSON.parse(
    execFileSync('ffprobe', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  ) as {
    format?: { tags?: Record<string, string> };
    streams?: { tags?: Record<string, string> }[];
  };
  const all = Object.assign(
    {},
    ...(reported.streams ?? []).map(({ tags }) => tags ?? {}),
    reported.format?.tags,
  );
  return Object.fromEntries(
    Object.entries(all as Record<string, string>).map(([name, value]) => [name.toLowerCase(), value]),
  );
}

/** Integrated loudness in LUFS and true peak in dBTP, as ffmpeg's own meter has them. */
export function ebur128(file: string): { readonly loudness: number; readonly truePeak: number } {
  const args = [
    '-hide_banner',
    '-nostdin',
    '-i',
    file,
    '-af',
    'ebur128=peak=true:framelog=verbose',
    '-f',
    'null',
    '-',
  ];
  const text = execFileSync('sh', ['-c', 'exec ffmpeg "$@" 2>&1', 'sh', ...args], { encoding: 'utf8' });
  const number = (pattern: RegExp) => Number(pattern.exec(text.slice(text.lastIndexOf('Summary:')))?.[1]);
  return { loudness: number(/I:\s+(-?[\d.]+|-inf) LUFS/), truePeak: number(/Peak:\s+(-?[\d.]+|-inf) dBFS/) };
}
