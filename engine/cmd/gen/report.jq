# The lines of the bar, from the NDJSON of all pages (each object with its page). Slurped; $policy and $chaos are the words of the models.
# A line is met where its interquartile mean is, and, where an interval is asked for, both ends of both intervals are below 0.

def pct: if . == null then "-" else (. * 1000 | round / 10) as $x | (if $x > 0 then "+\($x)" else "\($x)" end) end;
def interval: "[\(.lo | pct), \(.hi | pct)]" + (if .traces_lo == null then "" else " over seeds, [\(.traces_lo | pct), \(.traces_hi | pct)] over traces too" end);
def fixed($n): if . == null then "-" else (. * pow(10; $n) | round / pow(10; $n)) end;
def verdict($met): if $met == null then "-" elif $met then "met" else "**not met**" end;
def row($line; $must; $measured; $met): "| \($line) | \($must) | \($measured) | \(verdict($met)) |";
def versus($all; $page; $against; $policy; $lambda):
	[$all[] | select(.page == $page and .paired and .versus == $against and .policy == $policy and .lambda == $lambda)][0];
def group($g): if . == null then null elif $g == "all" then . else .[$g] end;
def below_zero: .hi < 0 and (.traces_hi == null or .traces_hi < 0);

def change($all; $page; $against; $policy; $lambda; $g; $line; $must; $most; $asks_interval):
	(versus($all; $page; $against; $policy; $lambda) | group($g)) as $v
	| if $v == null then empty else $v.v_change_at_equal_pod_hours as $c
		| row($line; $must; "\($c.iqm | pct) % \($c | interval); worst trace \($v.v_change_worst_trace | pct)";
			if $must == "-" then null else $c.iqm <= $most and (($asks_interval | not) or ($c | below_zero)) end) end;

def smooth_generalist($all; $page; $policy; $line):
	(versus($all; $page; "hpa-calibrated"; $policy; 30) | group("smooth")) as $v
	| if $v == null then empty else $v.v_change_at_equal_pod_hours as $c
		| row($line; "<= +5 %, no trace > +25 %"; "\($c.iqm | pct) % \($c | interval); worst trace \($v.v_change_worst_trace | pct)";
			$c.iqm <= .05 and $v.v_change_worst_trace <= .25) end;

def dearness($all; $page; $policy; $line):
	versus($all; $page; "hpa-calibrated"; $policy; 30) as $v
	| if $v == null then empty else row($line; "<= 1.00 / <= 1.15, else it says: use the HPA";
		"\($v.pod_hours_ratio_median | fixed(3)) / \($v.pod_hours_ratio_worst_trace | fixed(3))";
		$v.pod_hours_ratio_median <= 1 and $v.pod_hours_ratio_worst_trace <= 1.15) end;

def above_bound($all; $page; $policy; $lambda; $most; $line):
	(versus($all; $page; "clairvoyant"; $policy; $lambda) | group("smooth")) as $v
	| if $v == null then empty else $v.pod_hours_ratio_at_equal_v as $r
		| row($line; "<= \($most * 100 | round) %"; "\($r.iqm - 1 | pct) % [\($r.lo - 1 | pct), \($r.hi - 1 | pct)]"; $r.iqm - 1 <= $most) end;

def summary_of($all; $page; $policy): [$all[] | select(.page == $page and .summary and .policy == $policy and .lambda == 30)][0];
def cell($s): if $s == null then "-" else "\($s.v_pct.iqm | fixed(2)) [\($s.v_pct.lo | fixed(2)), \($s.v_pct.hi | fixed(2))]; \($s.recovery_s.iqm | fixed(0)) s; \($s.pod_hours.iqm | fixed(1)) h" end;
def lead($all; $page): [$all[] | select(.page == $page and .summary and .lambda == 30)][]
	| "| \($page) | \(.policy | sub("^model:.*/.*,.*$"; "model (all seeds)") | sub("^model:.*/"; "")) | \(.lead_s.iqm | fixed(0)) [\(.lead_s.lo | fixed(0)), \(.lead_s.hi | fixed(0))] | \(.lead_share.iqm | fixed(2)) |";

. as $all
| ([$all[] | select(.summary)][0]) as $any
| "# Lines of the bar\n\nMeasured by `make report` with \($version): \($any.seeds) seeds (of a model, and of each trace's replay). Change of V against the calibrated HPA at its"
	+ " pod-hours; interquartile means, intervals of 95 % over seeds, then over traces and seeds. Each page has fronts, tables, profiles, rails and where it loses.\n",
"| line | must | measured | |\n|---|---|---|---|",
(("startup-30s", "startup-90s") as $page | ($page | sub("startup-"; "start ")) as $s |
	change($all; $page; "hpa-calibrated"; $policy; 30; "bursty"; "bursty, lambda 30, \($s)"; "-20 %, interval < 0"; -.20; true),
	change($all; $page; "hpa-calibrated"; $policy; 10; "bursty"; "bursty, lambda 10, \($s)"; "-15 %, interval < 0"; -.15; true),
	change($all; $page; "hpa-calibrated"; $policy; 30; "all"; "all traces, lambda 30, \($s)"; "-15 %, interval < 0"; -.15; true),
	smooth_generalist($all; $page; $policy; "smooth, generalist, \($s)"),
	dearness($all; $page; $policy; "pod-hours at equal V, median / worst trace, \($s)"),
	change($all; $page; "model-based"; $policy; 30; "bursty"; "against model-based, bursty, \($s)"; "-15 %"; -.15; false),
	change($all; $page; "model-based"; $policy; 30; "smooth"; "against model-based, smooth, \($s)"; "<= +5 %"; .05; false),
	above_bound($all; $page; $policy; 10; .10; "above the clairvoyant, smooth, lambda 10, \($s)"),
	above_bound($all; $page; $policy; 30; .17; "above the clairvoyant, smooth, lambda 30, \($s)"),
	change($all; $page; "hpa-calibrated"; "choice"; 30; "smooth"; "smooth, by choice of family, \($s)"; "-15 %, interval < 0"; -.15; true),
	change($all; $page; "hpa-calibrated"; "choice"; 30; "all"; "all traces, by choice of family, \($s)"; "-"; 0; false)),
change($all; "startup-10s"; "hpa-calibrated"; $policy; 30; "all"; "all traces, start 10s"; "not worse"; 0; false),
(("all", "bursty", "smooth") as $g | change($all; "unseen"; "hpa-calibrated"; $policy; 30; $g; "traffic never seen, \($g)"; "-"; 0; false)),
change($all; "unseen"; "hpa-calibrated"; "choice"; 30; "all"; "traffic never seen, by choice of family"; "-"; 0; false),
(if $chaos == "" then empty else
"\n## Under faults\n\nV in percent of the time (interval over seeds); median recovery; pod-hours. Each at the settings tuned under the same faults, lambda 30. The last column is "
	+ "the change of V of the model trained with faults at the pod-hours of the one trained without.\n\n| tested with | calibrated HPA | trained without | trained with | with, against without |\n|---|---|---|---|---|",
([$all[].page] | unique | map(select(startswith("chaos-")))[] as $page
	| versus($all; $page; $policy; $chaos; 30) as $v
	| "| \($page | sub("chaos-"; "")) | \(cell(summary_of($all; $page; "hpa-calibrated"))) | \(cell(summary_of($all; $page; $policy))) | \(cell(summary_of($all; $page; $chaos))) | \($v.v_change_at_equal_pod_hours.iqm | pct) % \($v.v_change_at_equal_pod_hours | interval) |")
end),
"\n## Who acts first\n\nMedian seconds from the first scale-up to the moment when demand exceeds what is ready, a ramp; and the share of ramps on which it is above 0.\n\n| page | policy | lead_s | share above 0 |\n|---|---|---:|---:|",
(("startup-30s", "startup-90s") as $page | lead($all; $page)),
"\n## Pages\n",
([$all[].page] | unique[] | "- [\(.)](\(.).md)")
