import type { Diagnostic } from '../core/diagnostic.js';
import { foldName } from '../core/file-name.js';
import { releaseStem } from '../manifest/release.js';
import type { Release } from '../manifest/take.js';
import type { Chosen } from './choose-takes.js';
import { CREDITS, INDEX, PLAYLIST, SUMS } from './documents.js';
import { COVER_NAMES } from './tags/tags.js';

/** A chosen take and its name in the release. */
export interface NamedTake extends Chosen {
  /** Relative to the release folder, with `/`, without its extension. */
  readonly stem: string;
}

/** Names the chosen takes. Collisions are only detectable here, because a name can include the take number. */
export function nameFiles(
  { template, tracks }: Release,
  chosen: readonly Chosen[],
): { readonly named: readonly NamedTake[]; readonly problems: readonly Diagnostic[] } {
  const taken = new Map<string, string>();
  const named: NamedTake[] = [];
  const problems: Diagnostic[] = [];
  for (const one of chosen) {
    const { track, attempt } = one;
    const about = { model: attempt.model, take: attempt.take, count: tracks.length };
    const { stem, problem = folderProblem(stem) } = releaseStem(template, track, about);
    const other = stem === undefined ? undefined : taken.get(foldName(stem));
    if (stem !== undefined && problem === undefined && other === undefined) {
      taken.set(foldName(stem), track.track);
      named.push({ ...one, stem });
    } else if (other === undefined)
      problems.push({
        code: 'output-name',
        severity: 'error',
        message: `\`release.output\` gives track \`${track.track}\` ${problem}`,
        hint: 'shorten or change it',
        span: track.span,
      });
    else
      problems.push({
        code: 'output-collision',
        severity: 'error',
        message: `the release of \`${other}\` and of \`${track.track}\` would both be named \`${stem}\``,
        hint: 'put {id} or {index} into `release.output`',
        span: track.span,
      });
  }
  return { named, problems };
}

const DOCUMENTS = [SUMS, INDEX, CREDITS, PLAYLIST, ...COVER_NAMES].map(foldName);

/** A folder cannot have the name of a document of the release. */
function folderProblem(stem = ''): string | undefined {
  const [folder = '', ...rest] = stem.split('/');
  return rest.length > 0 && DOCUMENTS.includes(foldName(folder))
    ? `the folder \`${folder}\`, which is the name of another file of the release`
    : undefined;
}
