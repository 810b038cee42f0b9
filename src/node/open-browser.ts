import { spawn } from 'node:child_process';

export interface BrowserPlace {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The command that opens an address in the user's browser; `undefined` if there is no display. */
export function browserCommand(
  { platform, env }: BrowserPlace,
  address: string,
): readonly [string, ...string[]] | undefined {
  if (env.CI !== undefined && env.CI !== '' && env.CI !== 'false') return undefined;
  if (env.SSH_CONNECTION) return undefined;
  if (platform === 'darwin') return ['open', address];
  if (platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler', address];
  return env.DISPLAY || env.WAYLAND_DISPLAY ? ['xdg-open', address] : undefined;
}

/** Opens the address in the user's browser, which keeps running independently. Resolves to whether there is one. */
export async function openBrowser(place: BrowserPlace, address: string): Promise<boolean> {
  const command = browserCommand(place, address);
  if (command === undefined) return false;
  const [program, ...args] = command;
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: 'ignore', detached: true });
    child.once('error', () => resolve(false));
    child.once('spawn', () => {
      child.unref();
      resolve(true);
    });
  });
}
