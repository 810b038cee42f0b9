import { BatchError, EXIT, faultCode, usageError } from '../core/errors.js';
import { fileMeant } from '../manifest/file-meant.js';
import { describeTextFault } from '../manifest/text-fault.js';
import type { OpenBatch } from './open-batch.js';

/**
 * Reports a mistyped name before anything is created for it. If the lockfile exists, the command continues without the
 * manifest, because the lockfile still knows what is paid. Throws `BatchError`: 3, or 2 for standard input.
 */
export async function requireManifest({ settings, ports, displayPath }: OpenBatch): Promise<void> {
  const { manifest, manifestPath, lockfilePath } = settings;
  const kindOf = async (path: string) => {
    try {
      return (await ports.files.facts(path))?.kind ?? 'missing';
    } catch (error) {
      // Other problems are found and reported by the command.
      return faultCode(error) === 'ENOTDIR' ? 'missing' : 'other';
    }
  };
  const kind = await kindOf(manifestPath);
  const wanting = kind === 'missing' || kind === 'directory';
  if (!wanting || (await kindOf(lockfilePath.value)) !== 'missing') return;
  if (manifest === '-')
    throw usageError(
      'this command needs a manifest in a file: its lockfile is stored next to it',
      'only validate and plan read standard input',
    );
  const reported = { fault: kind, code: kind === 'missing' ? 'ENOENT' : 'EISDIR' } as const;
  const meant = await fileMeant(ports.files, 'manifest', {
    path: manifestPath,
    written: displayPath,
    fault: kind,
  });
  const { code, message, hint } = describeTextFault('manifest', displayPath, reported, meant);
  throw new BatchError(code, message, {
    exitCode: EXIT.invalid,
    hint,
  });
}
