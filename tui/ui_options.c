/* Words of the command line for the console's options. */
#include "tui/ui.h"

#include <string.h>

typedef struct Word {
	const char *option, *word;
	int value;
} Word;

#define SCREEN_WORD(id, word, key, help, said, shell) { "screen", #word, SCREEN_##id },
static const Word WORDS[] = {
	SCREENS(SCREEN_WORD)
	{ "glyphs", "auto", GLYPHS_AUTO }, { "glyphs", "braille", GLYPHS_BRAILLE }, { "glyphs", "block", GLYPHS_BLOCK },
	{ "glyphs", "ascii", GLYPHS_ASCII },
	{ "color", "auto", COLOR_AUTO }, { "color", "always", COLOR_ALWAYS }, { "color", "never", COLOR_NEVER },
	{ "color", "16", COLOR_16 }, { "color", "256", COLOR_256 }, { "color", "truecolor", COLOR_TRUE },
	{ "theme", "dark", THEME_DARK }, { "theme", "light", THEME_LIGHT },
};
enum { N_WORDS = sizeof WORDS / sizeof *WORDS };

int ui_option_set(UiOptions *opts, const char *name, const char *word, Error *err)
{
	StrBuf known = { 0 };
	for (int i = 0; i < N_WORDS; i++) {
		if (strcmp(WORDS[i].option, name) != 0)
			continue;
		if (strcmp(WORDS[i].word, word) == 0) {
			strbuf_done(&known);
			if (strcmp(name, "screen") == 0)
				opts->screen = (ScreenId) WORDS[i].value;
			else if (strcmp(name, "glyphs") == 0)
				opts->glyphs = (GlyphMode) WORDS[i].value;
			else if (strcmp(name, "theme") == 0)
				opts->theme = (Theme) WORDS[i].value;
			else
				opts->color = (ColorMode) WORDS[i].value;
			return 0;
		}
		strbuf_addf(&known, "%s%s", known.len ? ", " : "", WORDS[i].word);
	}
	(void) error_set(err, ERR_USAGE, "--%.20s %.40s is not known; use one of %s", name, word,
		known.data ? known.data : "none");
	strbuf_done(&known);
	return ERR_USAGE;
}
