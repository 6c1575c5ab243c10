#!/bin/sh
# What the pages name is there: files and folders of this tree, make's targets, options of the program, the tests behind the tables of
# tests/*.md. A name with NAME in it stands for many; with * for several.
set -u
maestro=$(cd "$MAESTRO_TEST_BUILD" && pwd)/maestro
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
status=0
check() { # NAME FILE: what is not there, a line each
	if [ -s "$2" ]; then echo "not ok $1"; cat "$2"; status=1; else echo "ok $1"; fi
}
pages=$(find . -name '*.md' -not -path './build*' -not -path './.git/*' | sed 's,^\./,,')
quoted() { # FILE...: each word between backquotes
	grep -ohE '`[^` ]+`' "$@" | tr -d '`' | sort -u
}

quoted $pages | grep -E '^(engine|tui|storage|tests|manifests|screenshots)/' | grep -v '[*{]\|NAME' | while read -r path; do
	[ -e "$path" ] || [ -e "$path.c" ] || [ -e "$path.h" ] || echo "$path"
done >"$dir/paths"
check "files that pages name are there" "$dir/paths"

grep -ohE '`make [a-z][a-z0-9-]*|^    make [a-z][a-z0-9-]*' $pages | sed 's/.*make //' | sort -u | while read -r target; do
	grep -q "^$target:" Makefile || echo "$target"
done >"$dir/targets"
check "targets that pages name are the Makefile's" "$dir/targets"

{ "$maestro" --plain --help; "$maestro" --help | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p' | while read -r command; do "$maestro" "$command" --help; done; } |
	grep -oE -- '--[a-z][a-z0-9-]*' | sed 's/^--no-/--/' | sort -u >"$dir/known"
grep -ohE '(^    maestro|`maestro|`--|^ +--)[^`]*' README.md GUIDE.md SECURITY.md CONTRIBUTING.md CHANGELOG.md | sed 's/  *#.*//' |
	grep -oE -- '(^|[ `])--[a-z][a-z0-9-]*' | tr -d ' `' | sed 's/^--no-/--/' | sort -u | grep -vxF -f "$dir/known" >"$dir/options"
check "options that pages name are the program's" "$dir/options"

quoted tests/FAULTS.md tests/CONTROL.md tests/UX.md | grep -E '^[a-z0-9]+(_[a-z0-9]+){2,}$' | while read -r name; do
	[ -e "tests/unit/$name.c" ] || grep -rqw -- "$name" tests/unit tests/e2e tests/faults tests/programs || echo "$name"
done | grep -v '_is_admitted_as_restricted$' >"$dir/tests"
check "tests that tables name are there" "$dir/tests"
exit $status
