#!/bin/sh
# tests/setup.sh under a fake apt: two at once take turns, the second finds what the first has brought, a list that another apt holds is
# waited for, and a failure shows apt's own words.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
status=0
check() { # NAME COMMAND...
	name=$1; shift
	if "$@"; then echo "ok $name"; else echo "not ok $name"; tail -n 20 "$dir"/*.err "$dir/calls"; status=1; fi
}
mkdir "$dir/bin"
cat >"$dir/bin/dpkg-query" <<'EOF'
#!/bin/sh
for name in "$@"; do :; done
[ -e "$SETUP_TEST/installed-$name" ] && printf 'install ok installed'
EOF
cat >"$dir/bin/apt-get" <<'EOF'
#!/bin/sh
if ! mkdir "$SETUP_TEST/busy" 2>/dev/null; then echo 'E: Could not get lock of a sister'; echo together >>"$SETUP_TEST/calls"; exit 100; fi
trap 'rmdir "$SETUP_TEST/busy"' EXIT
echo "$*" >>"$SETUP_TEST/calls"
sleep .3
if [ "$1" = update ] && [ -e "$SETUP_TEST/held" ]; then rm "$SETUP_TEST/held"; echo 'E: Could not get lock /var/lib/apt/lists/lock'; exit 100; fi
if [ -e "$SETUP_TEST/broken" ]; then echo 'E: no such luck'; exit 100; fi
[ "$1" != install ] || for name in "$@"; do : >"$SETUP_TEST/installed-$name"; done
EOF
printf '#!/bin/sh\n[ "$1" != -u ] || echo 0\n' >"$dir/bin/id"
printf '#!/bin/sh\ncase $1 in .*) exec /bin/sleep "$1" ;; esac\n' >"$dir/bin/sleep" # no five seconds here
chmod +x "$dir"/bin/*
setup() { PATH=$dir/bin:$PATH SETUP_TEST=$dir tests/setup.sh "$@"; }
count() { grep -c "$1" "$dir/calls"; }

setup one two 2>"$dir/a.err" & first=$!
setup two three 2>"$dir/b.err" & second=$!
wait $first; a=$?
wait $second; b=$?
check both_succeed [ "$a$b" = 00 ]
check no_apt_beside_another [ "$(count together)" = 0 ]
check what_the_first_brought_is_not_asked_for_again sh -c "[ \$(grep -c '^install.* two' '$dir/calls') = 1 ]"
check all_are_there [ -e "$dir/installed-one" -a -e "$dir/installed-two" -a -e "$dir/installed-three" ]
: >"$dir/calls"
setup one two three 2>"$dir/a.err"
check what_is_there_calls_no_apt [ ! -s "$dir/calls" ]
: >"$dir/held"
setup four 2>"$dir/a.err"; a=$?
check a_held_list_is_waited_for [ "$a:$(count '^update')" = 0:2 ]
check dpkg_waits_for_its_lock [ "$(count '^install.*DPkg::Lock::Timeout=')" = 1 ]
: >"$dir/broken"
check a_failure_is_told sh -c "! PATH=$dir/bin:\$PATH SETUP_TEST=$dir tests/setup.sh five 2>$dir/a.err && grep -q 'no such luck' $dir/a.err && grep -q 'by hand: apt-get install .* five' $dir/a.err"
exit $status
