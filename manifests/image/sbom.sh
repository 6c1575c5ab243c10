#!/bin/bash
# What is in the image, as an SPDX 2.3 document: each file with its sum, and the Debian package and version that it came from.
#   sbom.sh FOLDER VERSION
# The same files and commit give the same bytes.
set -euo pipefail
root=$1 version=$2
created=$(date -u -d "@${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}" +%FT%TZ)
. /etc/os-release
package_of() { # FILE on this machine: NAME VERSION, nothing where no package owns it
	local name
	name=$(dpkg -S "$(realpath "$1")" 2>/dev/null || dpkg -S "$1" 2>/dev/null) || return 0
	name=${name%%:*}
	echo "$name $(dpkg-query -W -f '${Version}' "$name")"
}
(cd "$root" && find . -type f | sort) | while read -r file; do
	case $file in
	./usr/bin/maestro) owner= ;;
	*/ca-certificates.crt) owner=$(package_of /usr/sbin/update-ca-certificates) ;; # which wrote it
	*) owner=$(package_of "${file#.}") ;;
	esac
	printf '%s %s %s %s\n' "$file" "$(sha1sum <"$root/$file" | cut -d' ' -f1)" "$(sha256sum <"$root/$file" | cut -d' ' -f1)" "${owner:-maestro $version}"
done | jq -Rn --arg version "$version" --arg created "$created" --arg arch "$(dpkg --print-architecture)" --arg os "$ID" --arg release "${VERSION_CODENAME:-}" '
	def id: gsub("[^a-zA-Z0-9.-]"; "-");
	[inputs | split(" ") | {file: .[0], sha1: .[1], sha256: .[2], package: .[3], version: .[4]}] as $files |
	($files | map({package, version}) | unique) as $packages |
	{spdxVersion: "SPDX-2.3", dataLicense: "CC0-1.0", SPDXID: "SPDXRef-DOCUMENT", name: "maestro-\($version)-\($arch)",
	documentNamespace: "https://spdx.org/spdxdocs/maestro-\($version)-\($arch)-\($files | map(.sha256[:8]) | join("") | @base64 | .[:40] | id)",
	creationInfo: {created: $created, creators: ["Tool: manifests/image/sbom.sh"]},
	packages: ($packages | map({SPDXID: "SPDXRef-Package-\(.package | id)", name: .package, versionInfo: .version, downloadLocation: "NOASSERTION",
		filesAnalyzed: false, licenseConcluded: "NOASSERTION", copyrightText: "NOASSERTION",
		licenseDeclared: (if .package == "maestro" then "Apache-2.0" else "NOASSERTION" end)} +
		if .package == "maestro" then {primaryPackagePurpose: "APPLICATION"} else {externalRefs: [{referenceCategory: "PACKAGE-MANAGER",
			referenceType: "purl", referenceLocator: "pkg:deb/\($os)/\(.package | @uri)@\(.version | @uri)?arch=\($arch)&distro=\($release)"}]} end)),
	files: ($files | map({SPDXID: "SPDXRef-File\(.file[1:] | id)", fileName: .file, licenseConcluded: "NOASSERTION",
		copyrightText: "NOASSERTION", checksums: [{algorithm: "SHA1", checksumValue: .sha1}, {algorithm: "SHA256", checksumValue: .sha256}]})),
	relationships: ([{spdxElementId: "SPDXRef-DOCUMENT", relationshipType: "DESCRIBES", relatedSpdxElement: "SPDXRef-Package-maestro"}] +
		($packages | map(select(.package != "maestro") | {spdxElementId: "SPDXRef-Package-maestro", relationshipType: "DEPENDS_ON",
			relatedSpdxElement: "SPDXRef-Package-\(.package | id)"})) +
		($files | map({spdxElementId: "SPDXRef-File\(.file[1:] | id)", relationshipType: "GENERATED_FROM", relatedSpdxElement: "SPDXRef-Package-\(.package | id)"})))}'
