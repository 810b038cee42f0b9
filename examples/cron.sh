#!/bin/sh
# Makes an album with cron, on a machine with its own disk: generates what is new in the repository's manifest, once.
#
# venice-batch is not on npm yet, and the name may be taken by others: until it is published, install a package that
# you built yourself (npm pack) instead.
#
#   npm install --global venice-batch@0.1.0
#   git clone https://git.example/album.git /srv/album    # with this file and album.yaml, and permission to push
#   echo 'VENICE_API_KEY=...' > /srv/album.env && chmod 600 /srv/album.env
#   crontab -e:  */15 * * * *  PATH=/usr/local/bin:/usr/bin:/bin /srv/album/cron.sh >> /srv/album.log 2>&1
#
# Purchases are recorded in the repository, under a separate ref, before they are made. Another machine that runs the
# same manifest, or this one after a reinstall, buys nothing twice. Audio stays on the machine that made it
# (--allow-single-copy), so back up out/. If the previous run is still active, a new one ends at once with exit code 7.
#
# Do not commit the lockfile (put *.lock.jsonl in .gitignore): each machine writes its own, and git pull would fail.
set -eu
cd "$(dirname "$0")"
export VENICE_BATCH_STATE="${VENICE_BATCH_STATE:-git:origin}"
# exec: signals, for example at shutdown, reach the program itself. timeout: a host that never answers counts as down.
if timeout 300 git pull --quiet --ff-only; then
  exec venice-batch run album.yaml --env-file "${ALBUM_ENV:-../album.env}" --yes --budget 20 --allow-single-copy
fi
# The service keeps finished audio only for a while, so what is paid for does not wait for the pull. That the manifest may
# be out of date does no harm: collect never buys anything.
echo 'git pull failed: collecting what is paid for; nothing is bought until it works again' >&2
venice-batch collect album.yaml --env-file "${ALBUM_ENV:-../album.env}" --allow-single-copy
exit 1
