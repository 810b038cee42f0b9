/** Whether GitHub Actions reads what is printed. */
export function isGithub(): boolean {
  return process.env.GITHUB_ACTIONS === 'true';
}

/** How GitHub names the files of this folder. */
export function githubPlaces(): { workspace: string; directory: string } {
  return { workspace: process.env.GITHUB_WORKSPACE ?? process.cwd(), directory: process.cwd() };
}
