/**
 * The first part of a path that begins with a dot, such as `.env` or `.git`: programs keep secrets in such files, so a
 * manifest may not name one. `.` and `..` are not parts but directions.
 *
 * @param path relative
 */
export function hiddenPart(path: string): string | undefined {
  return path.split(/[\\/]/).find((part) => /^\.(?!\.?$)/.test(part));
}
