#include "jobs/stage.h"

#include <inttypes.h>
#include <stdlib.h>

#include "db/db.h"
#include "jobs/charset.h"
#include "jobs/csv.h"
#include "jobs/types.h"
#include "jobs/unpack.h"

/* What is unpacked at once. */
#define UNPACKED_BYTES ((size_t)64 * 1024)

struct stage {
        struct ctx *c;
        struct job job;
        struct unpack *unpack;
        struct charset *charset;
        struct splitter splitter;
        struct text chunk; /* lines that are not stored yet */
        struct text line;  /* one line, decoded */
        int64_t chunk_first, chunk_lines;
        bool has_header; /* of CSV: read */
        bool is_marked;  /* as UTF-8 */
        bool queued;
        char unpacked[UNPACKED_BYTES];
};

static enum err unknown_encoding(struct ctx *c, const struct stage_options *options)
{
        return fail(c, ERR_MEDIA_TYPE, "Content-Encoding may be gzip or zstd, not \"%s\".",
                    options->content_encoding);
}

enum err stage_begin(struct ctx *c, const struct stage_options *options, struct stage **ret)
{
        struct unpack *unpack = unpack_new(options->content_encoding);
        struct charset *charset = charset_new(options->charset);
        struct stage *stage = unpack != NULL && charset != NULL ? calloc(1, sizeof *stage) : NULL;

        if (stage == NULL) {
                enum err err = unpack == NULL ? unknown_encoding(c, options)
                                              : fail(c, ERR_MEDIA_TYPE,
                                                     "charset may be utf-8 or gb18030, not \"%s\".",
                                                     options->charset);
                unpack_free(unpack);
                charset_free(charset);
                return err;
        }
        *stage = (struct stage){.c = c, .job = options->job, .unpack = unpack, .charset = charset};
        stage->job.id = uuid_new(c->now);
        splitter_start(&stage->splitter, (enum file_format)options->job.format);
        enum err err = job_create(c, &stage->job);
        if (err != ERR_OK) {
                stage->queued = true; /* there is no job to remove */
                stage_free(stage);
                return err;
        }
        *ret = stage;
        return ERR_OK;
}

void stage_free(struct stage *stage)
{
        if (stage == NULL)
                return;
        if (!stage->queued) { /* should the database be away, the housekeeper removes it */
                struct ctx own = *stage->c;
                own.problem = (struct problem){0};
                if (db_ready(&own) == ERR_OK)
                        (void)!job_drop(&own, stage->job.id);
                problem_reset(&own);
        }
        unpack_free(stage->unpack);
        charset_free(stage->charset);
        splitter_free(&stage->splitter);
        text_free(&stage->chunk);
        text_free(&stage->line);
        free(stage);
}

/* ------------------------------------------------------------------ lines */

static enum err chunk_store(struct stage *stage)
{
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        struct ctx own = *stage->c;
        struct chunk_in chunk = {.job_id = stage->job.id,
                                 .chunk_no = stage->job.chunks,
                                 .first_line = stage->chunk_first,
                                 .lines = stage->chunk_lines,
                                 .body = {(const uint8_t *)stage->chunk.data, stage->chunk.len}};

        if (stage->chunk_lines == 0)
                return ERR_OK;
        own.arena = arena;
        enum err err = job_chunk_add(&own, &chunk);
        if (err != ERR_OK) {
                problem_reset(&own);
                return fail(stage->c, err, "The lines could not be stored.");
        }
        stage->job.chunks++;
        stage->job.total += stage->chunk_lines;
        stage->chunk_lines = 0;
        text_clear(&stage->chunk);
        return ERR_OK;
}

static enum err line_store(struct stage *stage, const struct staged_line *line)
{
        if (stage->chunk_lines == 0)
                stage->chunk_first = line->line;
        pack_line(&stage->chunk, stage->chunk_first, line);
        stage->chunk_lines++;
        if (stage->chunk_lines == CHUNK_LINES_MAX || stage->chunk.len >= CHUNK_BYTES_MAX)
                return chunk_store(stage);
        return ERR_OK;
}

/* How a file was saved whose header is no text. */
static const char *header_looks(const struct record *record)
{
        if (record->too_long)
                return ": it is longer than 1 MiB";
        if (memchr(record->data, '\0', record->len) != NULL)
                return " and looks like UTF-16 or no text file at all: save it as CSV in UTF-8";
        return " in the charset that was sent (utf-8 where none was; Chinese spreadsheets may write gb18030)";
}

static enum err header_read(struct stage *stage, const struct record *record)
{
        struct ctx *c = stage->c;
        struct csv_columns columns;

        if (record->too_long || !charset_decode(stage->charset, record->data, record->len, &stage->line))
                return fail(c, ERR_BAD_FILE, "The header (line 1 of the file) can't be read as text%s.",
                            header_looks(record));
        const char *text = arena_strndup(c->arena, stage->line.data, stage->line.len);
        if (!csv_cells(c->arena, text, stage->line.len, &stage->job.columns))
                return fail(c, ERR_BAD_FILE,
                            "The header (line 1 of the file) has bytes behind a closing quote.");
        stage->has_header = true;
        return csv_columns_find(c, bulk_type_shape(bulk_type(stage->job.type)), &stage->job.columns,
                                &columns);
}

/* Of a spreadsheet's empty row the commas are left. */
static bool is_blank(const struct record *record, bool csv)
{
        for (size_t i = 0; i < record->len; i++)
                if (record->data[i] != ' ' && record->data[i] != '\t' && !(csv && record->data[i] == ','))
                        return false;
        return !record->too_long;
}

static enum err record_take(struct stage *stage, const struct record *record)
{
        bool csv = stage->job.format == FILE_CSV;
        struct staged_line line = {.line = record->no - csv};

        text_clear(&stage->line);
        if (stage->splitter.is_marked && !stage->is_marked) { /* whatever charset was sent */
                stage->is_marked = true;
                charset_free(stage->charset);
                stage->charset = charset_new("utf-8");
        }
        if (csv && !stage->has_header)
                return header_read(stage, record);
        if (is_blank(record, csv))
                return ERR_OK;
        if (record->too_long)
                line.fault = LINE_TOO_LONG;
        else if (!charset_decode(stage->charset, record->data, record->len, &stage->line))
                line.fault = LINE_NOT_TEXT;
        line.data = line.fault == LINE_SOUND ? stage->line.data : "";
        line.len = line.fault == LINE_SOUND ? stage->line.len : 0;
        return line_store(stage, &line);
}

static enum err bytes_take(struct stage *stage, const char *data, size_t len)
{
        struct record record;

        while (splitter_next(&stage->splitter, &data, &len, &record))
                TRY(record_take(stage, &record));
        return ERR_OK;
}

static enum err unpack_failed(struct stage *stage, const char *what)
{
        return fail(stage->c, ERR_BAD_FILE, "The compressed file %s after line %" PRId64 ".", what,
                    stage->splitter.records);
}

enum err stage_take(struct stage *stage, const char *data, size_t len)
{
        size_t got = 0;

        while (len > 0 || got == UNPACKED_BYTES) {
                if (!unpack_run(stage->unpack, &data, &len, stage->unpacked, UNPACKED_BYTES, &got))
                        return unpack_failed(stage, "is damaged");
                TRY(bytes_take(stage, stage->unpacked, got));
        }
        return ERR_OK;
}

enum err stage_end(struct stage *stage, struct job *ret)
{
        struct ctx *c = stage->c;
        struct record record;
        bool unclosed;

        if (!unpack_whole(stage->unpack))
                return unpack_failed(stage, "is cut off");
        if (splitter_end(&stage->splitter, &record, &unclosed)) {
                if (unclosed && stage->job.format == FILE_CSV && !stage->has_header)
                        return fail(c, ERR_BAD_FILE,
                                    "A quote in the header (line 1 of the file) is never closed.");
                if (unclosed)
                        return fail(c, ERR_BAD_FILE, "A quote in line %" PRId64 " is never closed.",
                                    record.no - 1);
                TRY(record_take(stage, &record));
        }
        TRY(chunk_store(stage));
        if (stage->job.total == 0)
                return fail(c, ERR_BAD_FILE, "The file holds no line.");
        TRY(job_queue(c, &stage->job));
        stage->queued = true;
        return job_get(c, stage->job.id, ret);
}
