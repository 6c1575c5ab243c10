# Traces (CSV t_s,rps, peak 1) as C arrays in 65535ths of the peak, and a list of them: TRACES(TRACE) gives TRACE(i, "name").
BEGIN {
	n = 0 # an index that was never set is "", not 0
}
FNR == 1 {
	if (n)
		print "};"
	name[n] = FILENAME
	sub(/.*\//, "", name[n])
	sub(/\.csv$/, "", name[n])
	rows = 0
	printf "static const uint16_t TRACE_%d[] = {\n", n++
}
/^# peak_rps:/ {
	split($0, part, ": ")
	peak[n - 1] = part[2]
}
/^[0-9]/ {
	printf "%d,%s", $2 * 65535 + .5, ++rows % 20 ? "" : "\n"
	if (rows == 2)
		step[n - 1] = $1 - last
	last = $1
}
END {
	print "};"
	for (i = 0; i < n; i++)
		printf "enum { STEP_MILLI_%d = %d, PEAK_MILLI_%d = %d };\n", i, step[i] * 1000 + .5, i, peak[i] * 1000 + .5
	printf "#define TRACES(TRACE)"
	for (i = 0; i < n; i++)
		printf " \\\n\tTRACE(%d, \"%s\")", i, name[i]
	print ""
}
