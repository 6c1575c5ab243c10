/* Overrides: what is asked, what is typed, what is sent, and what needs the target's name. */
#include "tests/fakes/desk.h"
#include "tui/screen_live.h"

#include <string.h>

static void override_starts_on_cancel(void **state)
{
	Desk *desk = *state;
	start(desk, SCREEN_LIVE, false);
	press(desk, 'o');
	assert_int_equal(desk->console.dialog.kind, DIALOG_OVERRIDE);
	press(desk, KEY_ENTER_);
	assert_int_equal(desk->console.dialog.kind, DIALOG_NONE);
	assert_int_equal(desk->fake.n_sent, 0);
}

static void override_sends_what_was_seen(void **state)
{
	Desk *desk = *state;
	start(desk, SCREEN_LIVE, false);
	press(desk, 'o');
	press(desk, '5');
	assert_non_null(strstr(screen_text(desk), "4 -> 5 replicas"));
	focus_on(desk, OVERRIDE_REASON);
	type(desk, "launch");
	press(desk, KEY_ENTER_); /* to Apply */
	assert_int_equal(desk->fake.n_sent, 0);
	press(desk, KEY_ENTER_);
	assert_int_equal(desk->fake.n_sent, 1);
	const Command *c = &desk->fake.sent[0];
	assert_int_equal(c->kind, COMMAND_LIVE_OVERRIDE);
	assert_int_equal(c->u.override_.replicas, 5);
	assert_int_equal(c->u.override_.seen, 4);
	assert_int_equal(c->u.override_.hold_ms, 600000);
	assert_string_equal(c->u.override_.reason, "launch");
	assert_string_equal(c->who, "alice");
}

static void a_number_and_enter_twice_is_enough(void **state)
{
	Desk *desk = *state;
	start(desk, SCREEN_LIVE, false);
	press(desk, 'o');
	press(desk, '5');
	press(desk, KEY_ENTER_);
	assert_int_equal(desk->console.dialog.focus, OVERRIDE_APPLY);
	assert_int_equal(desk->fake.n_sent, 0);
	press(desk, KEY_ENTER_);
	assert_int_equal(desk->fake.n_sent, 1);
	assert_int_equal(desk->fake.sent[0].u.override_.replicas, 5);
}

static void a_number_and_enter_leads_to_the_name_where_it_is_asked(void **state)
{
	Desk *desk = *state;
	desk->live.is_simulated = false;
	start(desk, SCREEN_LIVE, false);
	press(desk, 'o');
	press(desk, '9');
	press(desk, KEY_ENTER_);
	assert_int_equal(desk->console.dialog.focus, OVERRIDE_NAME);
	press(desk, KEY_ENTER_); /* nothing typed: it says so and stays */
	assert_int_equal(desk->console.dialog.focus, OVERRIDE_NAME);
	assert_non_null(strstr(screen_text(desk), "type name: type the target's name"));
	type(desk, "web");
	press(desk, KEY_ENTER_);
	press(desk, KEY_ENTER_);
	assert_int_equal(desk->fake.n_sent, 1);
}

static void base_follows_the_loop_until_a_number_is_typed(void **state)
{
	Desk *desk = *state;
	start(desk, SCREEN_LIVE, false);
	press(desk, 'o');
	desk->live.last.sample.replicas = 6; /* the policy moved */
	console_refresh(&desk->console, 2000);
	assert_non_null(strstr(screen_text(desk), "6 -> 7 replicas  now 6"));
	press(desk, '8');
	desk->live.last.sample.replicas = 5;
	console_refresh(&desk->console, 3000);
	assert_non_null(strstr(screen_text(desk), "6 -> 8 replicas  now 5"));
	press(desk, KEY_ENTER_);
	press(desk, KEY_ENTER_);
	assert_int_equal(desk->fake.sent[0].u.override_.seen, 6);
}

static void a_dialog_looks_past_a_frozen_screen(void **state)
{
	Desk *desk = *state;
	start(desk, SCREEN_LIVE, false);
	press(desk, 'f');
	desk->live.last.sample.replicas = 6;
	press(desk, 'o');
	assert_non_null(strstr(screen_text(desk), "6 -> 7 replicas"));
}

static void hold_is_checked_while_it_is_typed(void **state)
{
	Desk *desk = *state;
	start(desk, SCREEN_LIVE, false);
	press(desk, 'o');
	focus_on(desk, OVERRIDE_HOLD);
	assert_null(strstr(screen_text(desk), "? such as 90s"));
	type(desk, "x");
	assert_non_null(strstr(screen_text(desk), "? such as 90s, 10m or 1h"));
	press(desk, KEY_RUBOUT);
	assert_null(strstr(screen_text(desk), "? such as 90s"));
}

static void large_override_needs_the_name_typed(void **state)
{
	Desk *desk = *state;
	desk->live.is_simulated = false;
	start(desk, SCREEN_LIVE, false);
	press(desk, 'o');
	press(desk, '9'); /* 4 -> 9 is over half */
	focus_on(desk, OVERRIDE_APPLY);
	press(desk, KEY_ENTER_);
	assert_int_equal(desk->fake.n_sent, 0);
	assert_int_equal(desk->console.dialog.kind, DIALOG_OVERRIDE);
	assert_non_null(strstr(screen_text(desk), "type name: type the target's name"));
	assert_int_equal(desk->console.dialog.focus, OVERRIDE_NAME);
	type(desk, "web");
	focus_on(desk, OVERRIDE_APPLY);
	press(desk, KEY_ENTER_);
	assert_int_equal(desk->fake.n_sent, 1);
	assert_int_equal(desk->fake.sent[0].u.override_.replicas, 9);
}

static void name_is_asked_where_the_manual_says(void **state)
{
	Desk *desk = *state;
	start(desk, SCREEN_LIVE, false);
	static const struct { int seen, min, max; const char *to, *hold; bool needs; } CASES[] = {
		{ 1, 1, 12, "2", "10m", false }, { 2, 1, 12, "1", "10m", false }, /* one step is never large */
		{ 1, 1, 12, "3", "10m", true },  { 1, 0, 12, "0", "10m", true },
		{ 4, 2, 12, "5", "10m", false }, { 4, 2, 12, "6", "10m", false }, /* half is not over half */
		{ 4, 2, 12, "7", "10m", true },  { 4, 2, 12, "2", "10m", false },
		{ 4, 1, 12, "1", "10m", true },  { 4, 0, 12, "0", "10m", true },
		{ 10, 2, 12, "13", "10m", true }, { 3, 2, 12, "1", "10m", true },
		{ 4, 2, 12, "5", "1h", false },  { 4, 2, 12, "5", "61m", true },
	};
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		desk->live.last.sample.replicas = CASES[i].seen;
		desk->live.target.min_replicas = CASES[i].min;
		desk->live.target.max_replicas = CASES[i].max;
		for (int simulated = 0; simulated < 2; simulated++) {
			desk->live.is_simulated = simulated;
			Dialog dialog;
			dialog_open_override(&dialog, &desk->live);
			dialog.field[OVERRIDE_ACTION].at = CHOICE_SET;
			str_copy(dialog.field[OVERRIDE_REPLICAS].text, FIELD_TEXT_MAX, CASES[i].to);
			str_copy(dialog.field[OVERRIDE_HOLD].text, FIELD_TEXT_MAX, CASES[i].hold);
			assert_int_equal(dialog_needs_name(&dialog), CASES[i].needs && !simulated);
		}
	}
}

static void override_of_unknown_replicas_is_refused(void **state)
{
	Desk *desk = *state;
	desk->live.last.sample.valid = 0;
	start(desk, SCREEN_LIVE, false);
	press(desk, 'o');
	press(desk, '5');
	focus_on(desk, OVERRIDE_APPLY);
	press(desk, KEY_ENTER_);
	assert_int_equal(desk->fake.n_sent, 0);
	assert_non_null(strstr(screen_text(desk), "not known"));
}

static void nonsense_in_a_field_is_named(void **state)
{
	Desk *desk = *state;
	start(desk, SCREEN_LIVE, false);
	press(desk, 'o');
	press(desk, '5');
	type(desk, "x");
	focus_on(desk, OVERRIDE_APPLY);
	press(desk, KEY_ENTER_);
	assert_non_null(strstr(screen_text(desk), "replicas: a whole number"));
	focus_on(desk, OVERRIDE_REPLICAS);
	press(desk, KEY_RUBOUT);
	focus_on(desk, OVERRIDE_HOLD);
	type(desk, "q");
	focus_on(desk, OVERRIDE_APPLY);
	press(desk, KEY_ENTER_);
	assert_non_null(strstr(screen_text(desk), "hold for: such as"));
	assert_int_equal(desk->fake.n_sent, 0);
}

static void manual_target_offers_resume(void **state)
{
	Desk *desk = *state;
	desk->live.state = STATE_MANUAL;
	desk->live.manual_replicas = 7;
	start(desk, SCREEN_LIVE, false);
	assert_int_equal(live_replicas(&desk->live), 7); /* written since the last cycle */
	press(desk, 'o');
	focus_on(desk, OVERRIDE_APPLY);
	press(desk, KEY_ENTER_);
	assert_int_equal(desk->fake.n_sent, 1);
	assert_int_equal(desk->fake.sent[0].kind, COMMAND_LIVE_RESUME);
}

static void hold_is_read_with_its_unit(void **state)
{
	(void) state;
	assert_int_equal(dialog_parse_hold("90s"), 90000);
	assert_int_equal(dialog_parse_hold("10m"), 600000);
	assert_int_equal(dialog_parse_hold("1h30m"), 5400000);
	assert_int_equal(dialog_parse_hold("5"), 300000);
	static const char *const BAD[] = { "", "0m", "-5m", "m", "10x", "10 m", "99999999999999999999m", "1e3" };
	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
		assert_int_equal(dialog_parse_hold(BAD[i]), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(override_starts_on_cancel),
		DESK_TEST(override_sends_what_was_seen),
		DESK_TEST(a_number_and_enter_twice_is_enough),
		DESK_TEST(a_number_and_enter_leads_to_the_name_where_it_is_asked),
		DESK_TEST(base_follows_the_loop_until_a_number_is_typed),
		DESK_TEST(a_dialog_looks_past_a_frozen_screen),
		DESK_TEST(hold_is_checked_while_it_is_typed),
		DESK_TEST(large_override_needs_the_name_typed),
		DESK_TEST(name_is_asked_where_the_manual_says),
		DESK_TEST(override_of_unknown_replicas_is_refused),
		DESK_TEST(nonsense_in_a_field_is_named),
		DESK_TEST(manual_target_offers_resume),
		cmocka_unit_test(hold_is_read_with_its_unit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
