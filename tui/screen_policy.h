/* The part of Policy that others use. */
#ifndef MAESTRO_TUI_SCREEN_POLICY_H
#define MAESTRO_TUI_SCREEN_POLICY_H

#include "tui/console.h"

/* "NAME VALUE" from the prompt: gives an input a value; "NAME" alone gives it back its own. */
void policy_fix(Console *console, const char *text);

#endif
