/* See colors.h. */
#include "tui/colors.h"

#include <math.h>

static const char *const NAMES[ROLE_COUNT] = {
	[ROLE_LABEL] = "label", [ROLE_FRAME] = "frame", [ROLE_FRAME_FOCUS] = "frame in focus", [ROLE_KEY] = "key", [ROLE_OK] = "ok",
	[ROLE_WARN] = "warning", [ROLE_BAD] = "bad", [ROLE_INFO] = "information", [ROLE_BADGE_OK] = "badge ok",
	[ROLE_BADGE_WARN] = "badge warning", [ROLE_BADGE_BAD] = "badge bad", [ROLE_BADGE_INFO] = "badge information",
	[ROLE_SELECTED] = "selected", [ROLE_SERIES_A] = "series A", [ROLE_SERIES_B] = "series B", [ROLE_SERIES_C] = "series C",
	[ROLE_SERIES_D] = "series D", [ROLE_SERIES_E] = "series E", [ROLE_SERIES_F] = "series F", [ROLE_SERIES_G] = "series G",
	[ROLE_SERIES_H] = "series H", [ROLE_GHOST] = "hidden, raw",
};

static void linear(int32_t rgb, double out[3])
{
	for (int i = 0; i < 3; i++) {
		double c = (double) (rgb >> (16 - 8 * i) & 0xff) / 255;
		out[i] = c <= .04045 ? c / 12.92 : pow((c + .055) / 1.055, 2.4);
	}
}

static double luminance(int32_t rgb)
{
	double c[3];
	linear(rgb, c);
	return .2126 * c[0] + .7152 * c[1] + .0722 * c[2];
}

double colors_contrast(int32_t a, int32_t b)
{
	double x = luminance(a), y = luminance(b);
	return (fmax(x, y) + .05) / (fmin(x, y) + .05);
}

static const double VISION[4][3][3] = {
	{ { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } },
	{ { .152286, 1.052583, -.204868 }, { .114503, .786281, .099216 }, { -.003882, -.048116, 1.051998 } },
	{ { .367322, .860646, -.227968 }, { .280085, .672501, .047413 }, { -.011820, .042940, .968881 } },
	{ { 1.255528, -.076749, -.178779 }, { -.078411, .930809, .147602 }, { .004733, .691367, .303900 } },
};

static double lab_curve(double t)
{
	return t > 216.0 / 24389 ? cbrt(t) : (24389.0 / 27 * t + 16) / 116;
}

static void to_lab(int32_t rgb, int kind, double lab[3])
{
	double in[3], c[3];
	linear(rgb, in);
	for (int i = 0; i < 3; i++)
		c[i] = fmin(1, fmax(0, VISION[kind][i][0] * in[0] + VISION[kind][i][1] * in[1] + VISION[kind][i][2] * in[2]));
	double x = lab_curve((.4124564 * c[0] + .3575761 * c[1] + .1804375 * c[2]) / .95047);
	double y = lab_curve(.2126729 * c[0] + .7151522 * c[1] + .0721750 * c[2]);
	double z = lab_curve((.0193339 * c[0] + .1191920 * c[1] + .9503041 * c[2]) / 1.08883);
	lab[0] = 116 * y - 16;
	lab[1] = 500 * (x - y);
	lab[2] = 200 * (y - z);
}

/* CIE76 distance in Lab as a person sees it; kind 0 is full colour vision, 1..3 lack of long, middle, short cones. */
static double distance(int32_t a, int32_t b, int kind)
{
	double x[3], y[3];
	to_lab(a, kind, x);
	to_lab(b, kind, y);
	return sqrt((x[0] - y[0]) * (x[0] - y[0]) + (x[1] - y[1]) * (x[1] - y[1]) + (x[2] - y[2]) * (x[2] - y[2]));
}

/* What a role has to reach: a frame carries no meaning; series are marks, their letters stand in the text's colour. */
static double wanted(Role role)
{
	if (role == ROLE_FRAME)
		return 0;
	return role >= ROLE_SERIES_A && role <= ROLE_SERIES_H ? 3 : 4.5;
}

static const char *theme_word(Theme theme)
{
	return theme == THEME_LIGHT ? "light" : "dark";
}

/* xterm's colour cube and greys, which other terminals have too. */
static int32_t rgb_of_256(int color)
{
	static const int32_t LEVEL[] = { 0, 95, 135, 175, 215, 255 };
	int cube = color - 16;
	if (color >= 232)
		return (8 + 10 * (color - 232)) * 0x010101;
	return LEVEL[cube / 36] << 16 | LEVEL[cube / 6 % 6] << 8 | LEVEL[cube % 6];
}

/* A line a role, and of 256 colours those that are too near the paper. */
static int check_contrast(Theme theme, StrBuf *report)
{
	int bad = 0;
	int32_t paper = theme == THEME_LIGHT ? 0xFFFFFF : 0x000000;
	for (int role = 0; role < ROLE_COUNT; role++) {
		int32_t rgb = theme_color((Role) role, COLOR_TRUE, theme);
		if (!NAMES[role] || rgb < 0)
			continue;
		int c256 = theme_color((Role) role, COLOR_256, theme);
		double ratio = colors_contrast(rgb, paper), least = wanted((Role) role), in_256 = colors_contrast(rgb_of_256(c256), paper);
		bool is_bad = ratio < least || in_256 < least;
		strbuf_addf(report, "%-6s %-18s #%06X  %5.2f:1, of 256 colours %3d  %5.2f:1  %s\n", theme_word(theme), NAMES[role], (unsigned) rgb,
		            ratio, c256, in_256, is_bad ? "TOO LOW" : least > 0 ? "ok" : "decoration");
		bad += is_bad;
	}
	return bad;
}

typedef struct Pair {
	int a, b;
	double apart;
} Pair;

static Pair nearest(const Role *role, int n, Theme theme, int kind)
{
	Pair pair = { 0, 0, INFINITY };
	for (int i = 0; i < n; i++)
		for (int k = i + 1; k < n; k++) {
			double d = distance(theme_color(role[i], COLOR_TRUE, theme), theme_color(role[k], COLOR_TRUE, theme), kind);
			if (d < pair.apart)
				pair = (Pair) { (int) role[i], (int) role[k], d };
		}
	return pair;
}

/* Whether two roles look unlike where their colours do not: one is bold and the other is not. */
static bool differ_without_colour(int a, int b)
{
	return theme_row((Role) a)->attr != theme_row((Role) b)->attr && theme_row((Role) a)->attr_mono != theme_row((Role) b)->attr_mono;
}

/* The first four series must be told apart by colour, all eight by their letters; states by colour, or by bold and their words. */
static int check_distance(Theme theme, StrBuf *report)
{
	static const char *const KINDS[] = { "full colour", "no long cones", "no middle cones", "no short cones" };
	static const Role SERIES[] = { ROLE_SERIES_A, ROLE_SERIES_B, ROLE_SERIES_C, ROLE_SERIES_D, ROLE_SERIES_E, ROLE_SERIES_F, ROLE_SERIES_G,
		ROLE_SERIES_H }, STATES[] = { ROLE_OK, ROLE_WARN, ROLE_BAD };
	const struct { const Role *role; int n; bool has_letters; } SETS[] = { { SERIES, 4, false }, { SERIES, 8, true }, { STATES, 3, false } };
	enum { LEAST = 10 };
	int bad = 0;
	for (int kind = 0; kind < 4; kind++)
		for (size_t s = 0; s < sizeof SETS / sizeof *SETS; s++) {
			Pair pair = nearest(SETS[s].role, SETS[s].n, theme, kind);
			bool is_near = pair.apart < LEAST, is_bad = is_near && !SETS[s].has_letters && !differ_without_colour(pair.a, pair.b);
			strbuf_addf(report, "%-6s %s and %s are nearest of %d, %5.1f, to %-16s %s\n", theme_word(theme), NAMES[pair.a], NAMES[pair.b],
			            SETS[s].n, pair.apart, KINDS[kind], is_bad ? "TOO NEAR" : !is_near ? "ok" : SETS[s].has_letters
			            ? "ok by their letters" : "ok by bold and their words");
			bad += is_bad;
		}
	return bad;
}

int colors_check(StrBuf *report)
{
	int bad = 0;
	for (int theme = THEME_DARK; theme <= THEME_LIGHT; theme++) {
		bad += check_contrast((Theme) theme, report);
		bad += check_distance((Theme) theme, report);
	}
	return bad;
}
