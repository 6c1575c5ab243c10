/* See words.h. */
#include "base/words.h"

#include <stddef.h>

#define WORD(name, text) text,
static const char *const STATES[] = { STATE_TABLE(WORD) };
static const char *const REASONS[] = { REASON_TABLE(WORD) };
static const char *const GUARDS[] = { GUARD_TABLE(WORD) };
static const char *const CONDITIONS[] = { CONDITION_TABLE(WORD) };
#undef WORD
#define WORD(name, text, section) text,
static const char *const TRAIN_NAMES[] = { TRAIN_TABLE(WORD) };
#undef WORD
#define WORD(name, text, section) section,
static const char *const TRAIN_SECTIONS[] = { TRAIN_TABLE(WORD) };
#undef WORD

#define WORD(name, text, is_warning) text,
static const char *const EVENTS[] = { EVENT_TABLE(WORD) };
#undef WORD
#define WORD(name, text, is_warning) is_warning,
static const bool WARNINGS[] = { EVENT_TABLE(WORD) };
#undef WORD

static const char *word(const char *const *table, size_t count, int at)
{
	return at >= 0 && (size_t) at < count ? table[at] : "?";
}

const char *state_text(TargetState state)
{
	return word(STATES, STATE_COUNT, (int) state);
}

const char *reason_text(Reason reason)
{
	return word(REASONS, REASON_COUNT, (int) reason);
}

const char *guard_text(Guard guard)
{
	return word(GUARDS, GUARD_COUNT, (int) guard);
}

const char *train_metric_name(TrainMetric metric)
{
	return word(TRAIN_NAMES, TRAIN_METRIC_COUNT, (int) metric);
}

const char *train_metric_section(TrainMetric metric)
{
	return word(TRAIN_SECTIONS, TRAIN_METRIC_COUNT, (int) metric);
}

const char *event_text(EventWord event)
{
	return word(EVENTS, EVENT_COUNT, (int) event);
}

bool event_is_warning(EventWord event)
{
	return (int) event >= 0 && event < EVENT_COUNT && WARNINGS[event];
}

const char *condition_text(ConditionKind condition)
{
	return word(CONDITIONS, CONDITION_COUNT, (int) condition);
}
