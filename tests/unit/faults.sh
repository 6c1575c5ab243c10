#!/bin/sh
# A slice of the fault storm (tests/programs/fault_storm.c); `make faults` has the whole of it.
set -u
storm=$MAESTRO_TEST_BUILD/tests/fault_storm maestro=$MAESTRO_TEST_BUILD/maestro
"$storm" "$maestro" kills 8 || exit 1
"$storm" "$maestro" stop 2 || exit 1
"$storm" "$maestro" reload || exit 1
"$storm" "$maestro" store
