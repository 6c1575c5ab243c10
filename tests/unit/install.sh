#!/bin/sh
# make install into an empty folder: every command has its page, with every option of its --help, and groff has nothing to say;
# the completions load; kubectl finds its plugin; make uninstall leaves no file.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
status=0
check() { # NAME TEXT-THAT-IS-EMPTY-WHEN-ALL-IS-WELL
	if [ -z "$2" ]; then echo "ok $1"; else echo "not ok $1"; printf '%s\n' "$2" | head -20; status=1; fi
}
# The program is what is tested: it is not built anew here.
packaging() { env -u MAKEFLAGS -u MAKELEVEL make -s -o all B="$MAESTRO_TEST_BUILD" DESTDIR="$dir" PREFIX=/usr "$1" 2>&1; }

check install_says_nothing "$(packaging install)"
maestro=$dir/usr/bin/maestro man=$dir/usr/share/man/man1
commands=$("$maestro" --help | sed -n '/^commands:/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p')
check every_command_has_a_page "$(for c in $commands; do [ -s "$man/maestro-$c.1" ] || echo "$c"; done; [ -n "$commands" ] || echo none)"
check pages_have_every_option "$(for c in --plain $commands; do
	page=$man/maestro-$c.1; [ "$c" != --plain ] || page=$man/maestro.1
	"$maestro" "$c" --help | sed -n 's/^  \(-., \|   *\)\(--[a-z0-9-]*\).*/\2/p' | while read -r option; do
		sed 's/\\-/-/g' "$page" | grep -q -- "^\.B \(-., \)\{0,1\}$option\( \|$\)" || echo "$c: $option"
	done
done)"
if command -v groff >/dev/null; then
	check pages_are_good_roff "$(for page in "$man"/*.1; do groff -man -ww -Tutf8 -Kutf8 "$page" 2>&1 >/dev/null; done)"
else
	echo "skip pages_are_good_roff (no groff)"
fi
check kubectl_plugin_is_the_program "$("$dir/usr/bin/kubectl-maestro" --version | grep -v '^maestro [0-9]')"
check kubectl_completes_the_plugin "$(PATH=$dir/usr/bin:$PATH; for line in 'eval|evaluate' 'train --see|--seed --seeds'; do
	got=$(kubectl_complete-maestro ${line%|*} | sed 's/	.*//' | tr '\n' ' ')
	[ "$got" = "${line#*|} :4 " ] || echo "${line%|*}: got $got"
done 2>&1)"
check bash_completion_loads "$(bash -n "$dir/usr/share/bash-completion/completions/maestro" 2>&1; PATH=$dir/usr/bin:$PATH bash -c '
	. "$0"; COMP_WORDS=(maestro eval) COMP_CWORD=1; _maestro; [ "${COMPREPLY[*]}" = evaluate ] || echo "got ${COMPREPLY[*]}"' \
	"$dir/usr/share/bash-completion/completions/maestro" 2>&1)"
check zsh_and_fish_have_theirs "$(for f in zsh/site-functions/_maestro fish/vendor_completions.d/maestro.fish; do
	[ -s "$dir/usr/share/$f" ] || echo "$f"; done)"
check uninstall_leaves_no_file "$(packaging uninstall; find "$dir" ! -type d)"
exit $status
