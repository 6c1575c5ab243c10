/*
 * A recorded feed: one JSON object a line, `{"wall_ms":...,"train":{...},"live":{...},"archive":{...}}`, each member
 * optional. Makes every screen testable and every screenshot repeatable without a worker.
 */
#ifndef MAESTRO_TUI_FEED_FILE_H
#define MAESTRO_TUI_FEED_FILE_H

#include "base/feed.h"
#include "base/mem.h"

/* Plays the recording's frames at its own pace; the last one stays. Its store answers from the last list and the
 * runs recorded; commands are refused. The caller frees it by feed_free. ERR_IO, ERR_PARSE, ERR_NOMEM. */
int feed_file_open(const char *path, Feed **ret_feed, Error *err);

/* Adds a frame as one line. ERR_NOMEM. */
int feed_record(const FeedFrame *frame, StrBuf *lines);

#endif
