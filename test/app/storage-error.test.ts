import { expect, it } from 'vitest';
import { storageError } from '../../src/app/storage-error.js';
import { createMemoryDisk } from '../fakes/memory-files.js';

const place = '/album/.venice-batch/album.lock.jsonl.guard';

it.each([
  ['/album/nowhere.txt', 'it is a symbolic link that leads to nothing', `remove it (rm ${place})`],
  [place, 'it is a symbolic link that leads to nothing', `remove it (rm ${place})`],
  ['/album/other', 'a symbolic link is in the way', 'replace it with its target, or use another folder'],
])('a link to %s in the way is an error that names it and the fix', async (target, what, fix) => {
  const disk = createMemoryDisk({ '/album/other': '' });
  disk.symlink(place, target);
  const fault = Object.assign(new Error('in the way'), { code: 'ELOOP', path: place });
  const circumstances = { directory: '/album', next: 'venice-batch run album.yaml' };
  expect(await storageError(fault, disk.files, circumstances)).toMatchObject({
    code: 'storage',
    message: `${place} cannot be used: ${what} (ELOOP)`,
    hint: `${fix}, then: venice-batch run album.yaml`,
  });
});
