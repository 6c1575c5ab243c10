# A page of the manual from what --help prints: the option tables are the only source.
#   maestro [COMMAND] --help | awk -v name=maestro-COMMAND -v brief='what it does' -v version=0.1.0 -f man.awk
# The console's options stand in maestro(1): -v console=FILE, what `maestro --plain --help` printed.

function roff(text) {
	gsub(/\\/, "\\e", text)
	gsub(/-/, "\\-", text)
	gsub(/'/, "\\(aq", text)
	gsub(/`/, "\\(ga", text)
	gsub(/\^/, "\\(ha", text)
	gsub(/~/, "\\(ti", text)
	return (text ~ /^[.]/ ? "\\&" : "") text
}

function paragraph(term, text) {
	printf ".TP\n.B %s\n%s\n", roff(term), text == "" ? "\\&" : roff(text)
}

# "  -o, --out FILE      help": two blanks part them, or one where the term has filled its column.
function row(line,   at) {
	sub(/^ +/, "", line)
	at = match(line, /  +/)
	if (at) {
		paragraph(substr(line, 1, at - 1), substr(line, at + RLENGTH))
	} else if (match(line, /^(-., )?--[^ ]+ [^ ]+ /) || match(line, /^[a-z-]+ /)) {
		paragraph(substr(line, 1, RLENGTH - 1), substr(line, RLENGTH + 1))
	} else {
		paragraph(line, "")
	}
}

function take(line) {
	if (line ~ /^usage: /) {
		printf ".SH SYNOPSIS\n.B %s\n.SH DESCRIPTION\n", roff(substr(line, 8))
	} else if (line ~ /^[a-z]+:$/) {
		printf ".SH %s\n", toupper(substr(line, 1, length(line) - 1))
		in_list = 1
	} else if (line ~ /^exit status: /) {
		n_status = split(substr(line, 14), status, /, /)
	} else if (line ~ /^  /) {
		row(line)
		was_list = 1
	} else if (line == "") {
		was_list = 1
	} else {
		print (was_list ? ".PP\n" : "") roff(line)
		was_list = 0
	}
}

BEGIN {
	printf ".\\\" Written from --help: change the option tables, not this file.\n"
	printf ".TH %s 1 \"\" \"maestro %s\" \"MAESTRO\"\n.SH NAME\n%s \\- %s\n", toupper(name), version, roff(name), roff(brief)
}

{ take($0) }

END {
	in_list = 0
	if (console != "")
		while ((getline line < console) > 0)
			if (line !~ /^usage: / && (in_list || line ~ /^[a-z]+:$/))
				take(line)
	if (n_status) {
		printf ".SH EXIT STATUS\n"
		for (i = 1; i <= n_status; i++)
			paragraph(substr(status[i], 1, 1), substr(status[i], 3))
	}
	printf ".SH ENVIRONMENT\nEach option has a variable: MAESTRO_ and its name in capitals, dashes as underscores, such as\n.BR MAESTRO_DB .\n"
	printf "An option of the command line beats it.\n.SH SEE ALSO\n"
	printf name == "maestro" ? ".BR maestro\\-train (1),\n.BR maestro\\-evaluate (1),\n.BR maestro\\-run (1)\n" : ".BR maestro (1)\n"
}
