/** How an in-memory disk resolves a path. Symbolic links are kept separately, by their own path. */
export interface Ways {
  /** Through every link; with `keep`, all but the last part. */
  follow(path: string, last: 'follow' | 'keep'): string;
  /** As in `Files.below`. Throws `EXDEV`, `ESTALE` or `ELOOP`. */
  below(root: string): Ways['follow'];
}

const LINKS_MAX = 40;

/** @param links absolute targets by absolute path */
export function waysThrough(links: ReadonlyMap<string, string>): Ways {
  const follow: Ways['follow'] = (path, last) => {
    let found = '';
    let rest = path.split('/').filter((part) => part !== '');
    for (let count = 0; rest.length > 0; ) {
      const [part, ...others] = rest;
      const next = `${found}/${part}`;
      const target = last === 'keep' && others.length === 0 ? undefined : links.get(next);
      if (target === undefined) [found, rest] = [next, others];
      else [found, rest] = ['', [...target.split('/').filter((name) => name !== ''), ...others]];
      if (target !== undefined && ++count > LINKS_MAX) throw fault('ELOOP');
    }
    return found === '' ? '/' : found;
  };
  return {
    follow,
    below: (root) => {
      const real = follow(root, 'follow');
      return (path, last) => {
        if (path !== root && !path.startsWith(root === '/' ? '/' : `${root}/`)) throw fault('EXDEV');
        if (follow(real, 'follow') !== real) throw fault('ESTALE');
        const way = real + path.slice(root.length);
        const folder = last === 'keep' ? way.slice(0, Math.max(1, way.lastIndexOf('/'))) : way;
        if (way !== real && follow(folder, 'follow') !== folder) throw fault('ELOOP');
        return way;
      };
    },
  };
}

function fault(code: string): Error & { code: string } {
  return Object.assign(new Error(`${code}: found on the way`), { code });
}
