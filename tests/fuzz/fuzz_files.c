/* Whatever a client sends as a file must stay in bounds, and must mean the same however its bytes come in
 * pieces. Input: the first byte chooses encoding, format, charset and the pieces; the rest is the file. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "customers/customers.h"
#include "jobs/charset.h"
#include "jobs/csv.h"
#include "jobs/split.h"
#include "jobs/unpack.h"

/* A bomb is the disk's business; here it would only be slow. */
#define UNPACKED_MAX ((size_t)4 << 20)

struct reading {
        struct splitter splitter;
        struct charset *charset;
        struct texts header;
        struct csv_columns columns;
        struct ctx c;
        struct text seen; /* every record, to compare */
};

static void take(struct reading *r, const struct record *record)
{
        struct text line = {0};
        struct texts cells;

        text_append(&r->seen, record->data, record->len);
        text_putc(&r->seen, record->too_long ? '!' : '\n');
        if (charset_decode(r->charset, record->data, record->len, &line) &&
            csv_cells(r->c.arena, line.data != NULL ? line.data : "", line.len, &cells)) {
                if (r->header.n == 0) {
                        r->header = cells;
                        if (csv_columns_find(&r->c, &customer_in_shape, &cells, &r->columns) != ERR_OK)
                                r->columns.n = 0;
                } else if (r->columns.n > 0) {
                        json_decref(csv_to_json(&r->columns, &cells));
                }
        }
        text_free(&line);
}

static bool read_all(struct reading *r, const char *encoding, const char *data, size_t size, size_t piece)
{
        struct unpack *u = unpack_new(encoding);
        struct record record;
        char buffer[256];
        bool sound = true, unclosed;
        size_t total = 0;

        for (size_t at = 0; at < size && sound; at += piece) {
                const char *p = data + at;
                size_t n = size - at < piece ? size - at : piece, got = 0;
                while (sound && total < UNPACKED_MAX && (n > 0 || got == sizeof buffer)) {
                        sound = unpack_run(u, &p, &n, buffer, sizeof buffer, &got);
                        const char *bytes = buffer;
                        total += sound ? got : 0;
                        while (sound && splitter_next(&r->splitter, &bytes, &got, &record))
                                take(r, &record);
                        got = bytes == buffer + sizeof buffer ? sizeof buffer : 0;
                }
        }
        if (sound && splitter_end(&r->splitter, &record, &unclosed))
                take(r, &record);
        unpack_free(u);
        return sound;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const char *const encodings[] = {NULL, "gzip", "zstd", "identity"};
        static const struct zone_change changes[] = {{INT64_MIN, 8 * 3600}};
        static const struct shop shop = {.zone = {"Asia/Shanghai", changes, 1}};
        struct reading readings[2] = {0};
        bool sound[2];

        if (size == 0)
                return 0;
        unsigned choice = data[0];
        for (int i = 0; i < 2; i++) {
                struct reading *r = &readings[i];
                r->c.arena = arena_new();
                r->c.shop = &shop;
                r->charset = charset_new((choice >> 3 & 1) != 0 ? "gb18030" : "utf-8");
                splitter_start(&r->splitter, (choice >> 2 & 1) != 0 ? FILE_CSV : FILE_NDJSON);
                sound[i] = read_all(r, encodings[choice & 3], (const char *)data + 1, size - 1,
                                    i == 0 ? size : (choice >> 4) + 1);
        }
        assert(sound[0] == sound[1]);
        if (sound[0]) {
                assert(readings[0].seen.len == readings[1].seen.len);
                assert(readings[0].seen.len == 0 ||
                       memcmp(readings[0].seen.data, readings[1].seen.data, readings[0].seen.len) == 0);
        }
        for (int i = 0; i < 2; i++) {
                charset_free(readings[i].charset);
                splitter_free(&readings[i].splitter);
                text_free(&readings[i].seen);
                problem_reset(&readings[i].c);
                arena_free(readings[i].c.arena);
        }
        return 0;
}
