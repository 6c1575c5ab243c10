#!/bin/sh
# The include arrows of the house: fails on one that is not drawn below, and on a header that does not compile alone.
#   deps_check.sh "COMPILER AND FLAGS"
set -u
cd "$(dirname "$0")/.."
bad=0

# room: what it may include, in quotes-includes (a room may always include itself)
arrows='
base
decide: base
rl: base decide
sim: base decide
cluster: base decide
storage: base
control: base decide rl sim cluster
serve: base decide rl sim cluster control
tui: base control/engine.h
cmd: base decide rl sim cluster control serve tui storage
'
for file in engine/*/*.[ch] tui/*.[ch] storage/*.[ch]; do
	[ -e "$file" ] || continue
	room=$(echo "$file" | sed 's,^engine/,,; s,/.*,,')
	may=$(echo "$arrows" | sed -n "s/^$room: *//p")
	for include in $(sed -n 's/^#include "\(.*\)"/\1/p' "$file"); do
		to=${include%%/*}
		case $include in */*) ;; *) continue ;; esac # generated, or beside it
		[ "$to" = "$room" ] && continue
		case " $may " in *" $to "*|*" $include "*) ;; *) echo "$file includes $include: no arrow from $room to $to"; bad=1 ;; esac
	done
done

# package: the one place that may include it
owners='
ncurses.h|tui/
curses.h|tui/
sqlite3.h|storage/
microhttpd.h|engine/serve/
cblas.h|engine/rl/blas.c
curl/curl.h|engine/base/http.c engine/base/http_curl.c engine/base/http_stream.c engine/base/http_inside.h
cjson/cJSON.h|engine/base/json.c
yaml.h|engine/base/config.c engine/base/yaml.c
zlib.h|engine/rl/zip.c engine/cmd/raster.c
cmocka.h|tests/
'
for row in $owners; do
	header=${row%%|*}; owner=$(echo "$owners" | sed -n "s,^$header|,,p")
	for file in $(grep -lE "^#include <$header>" -r engine tui storage 2>/dev/null); do
		ok=0; for o in $owner; do case $file in $o*) ok=1 ;; esac; done
		[ $ok = 1 ] || { echo "$file includes <$header>: that is for $owner"; bad=1; }
	done
done

for header in engine/*/*.h tui/*.h storage/*.h; do
	[ -e "$header" ] || continue
	$1 -fsyntax-only -x c "$header" 2>/dev/null || { echo "$header does not compile alone"; bad=1; }
done
[ $bad = 0 ] && echo "arrows as drawn"
exit $bad
