import { BatchError, EXIT, faultCode } from '../errors.js';
import { describeTextFault } from '../manifest/text-fault.js';
import type { Session } from './session.js';

/**
 * Tells a mistyped name before anything is made for it. Where the lockfile exists the command goes on without the
 * manifest: what is paid for is still known. Throws `BatchError` (3).
 */
export async function insistOnManifest({ settings, ports, displayPath }: Session): Promise<void> {
  const { manifestPath, lockfilePath } = settings;
  const stands = async (path: string) => {
    try {
      return (await ports.files.facts(path)) !== undefined;
    } catch (error) {
      // Whatever else is wrong with it, the command finds out and tells.
      return faultCode(error) !== 'ENOTDIR';
    }
  };
  if ((await stands(manifestPath)) || (await stands(lockfilePath.value))) return;
  const { code, message, hint } = describeTextFault('manifest', displayPath, {
    fault: 'missing',
    code: 'ENOENT',
  });
  throw new BatchError(code, message, {
    exitCode: EXIT.invalid,
    ...(hint === undefined ? {} : { hint }),
  });
}
