#!/bin/sh
# The Debian package from what `make install` puts into a folder.
#   build.sh TREE VERSION FILE.deb     TREE holds usr/ and is changed; DEB_MAINTAINER='Name <address>' answers for it (the last commit's author)
# It depends on the packages whose libraries the program is linked with or loads, as they are found on this machine.
set -eu
tree=$(realpath "$1") version=$2 deb=$3 here=$(dirname "$0")
doc=$tree/usr/share/doc/maestro
export LC_ALL=C.UTF-8 SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}"
maintainer=${DEB_MAINTAINER:-$(git log -1 --format='%an <%ae>' 2>/dev/null || echo 'MAESTRO maintainers <maestro@localhost>')}
strip --strip-unneeded --remove-section=.comment --remove-section=.note "$tree/usr/bin/maestro"

linked() { # by dpkg-shlibdeps: package (>= the first version with these symbols)
	scratch=$(mktemp -d)
	mkdir "$scratch/debian"
	printf 'Source: maestro\n\nPackage: maestro\nArchitecture: any\n' >"$scratch/debian/control"
	(cd "$scratch" && dpkg-shlibdeps -O -e"$tree/usr/bin/maestro") | sed -n 's/^shlibs:Depends=//p'
	rm -r "$scratch"
}
loaded() { # the names in the program, as manifests/image finds them; any of OpenBLAS's builds will do
	for name in $(grep -aoE 'lib[a-z0-9]+\.so\.[0-9]+' "$tree/usr/bin/maestro" | sort -u); do
		objdump -p "$tree/usr/bin/maestro" | grep -q "NEEDED *$name" && continue
		lib=$(ldconfig -p | awk -v n="$name" '$1 == n { print $NF; exit }')
		[ -n "$lib" ] || { echo "maestro: $name is not on this machine; make setup-build installs it" >&2; exit 1; }
		dpkg -S "$(realpath "$lib")" | sed 's/:.*//; s/^libopenblas0-.*/libopenblas0/; s/^/, /'
	done | sort -u | tr -d '\n'
}

find "$tree/usr/share/man" -type f -exec gzip -n9 {} +
ln -sf maestro.1.gz "$tree/usr/share/man/man1/kubectl-maestro.1.gz"
rm -f "$tree/usr/share/man/man1/kubectl-maestro.1"
mkdir -p "$doc" "$tree/DEBIAN"
cp "$here/copyright" "$doc/copyright"
cp "$here/../../engine/sim/traces/README.md" "$doc/traces.md"
gzip -n9c "$here/../../CHANGELOG.md" >"$doc/CHANGELOG.md.gz"
{
	printf 'maestro (%s) unstable; urgency=medium\n\n  * What changed is in CHANGELOG.md.gz beside this file.\n\n' "$version"
	printf ' -- %s  %s\n' "$maintainer" "$(date -Rud "@$SOURCE_DATE_EPOCH")"
} | gzip -n9 >"$doc/changelog.gz"
depends=$(linked)$(loaded)
sed -e "s/@VERSION@/$version/; s/@MAINTAINER@/$maintainer/; s/@ARCH@/$(dpkg --print-architecture)/; s/@DEPENDS@/$depends/" \
	-e "s/@SIZE@/$(du -sk "$tree/usr" | cut -f1)/" "$here/control.in" >"$tree/DEBIAN/control"
(cd "$tree" && find usr -type f | sort | xargs md5sum) >"$tree/DEBIAN/md5sums"
chmod -R u+rwX,go+rX,go-w "$tree"
dpkg-deb --root-owner-group --build "$tree" "$deb" >/dev/null
