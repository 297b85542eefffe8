/* Files into records, cells and JSON: split.c, unpack.c, charset.c, csv.c, pack.c. */
#include "test.h"

#include <zlib.h>
#include <zstd.h>

#include "customers/customers.h"
#include "jobs/charset.h"
#include "jobs/csv.h"
#include "jobs/pack.h"
#include "jobs/split.h"
#include "jobs/unpack.h"
#include "orders/orders.h"

/* ------------------------------------------------------------------ records */

/* All records of a file that comes in pieces, each in "no:text;", too long ones as "no:!". */
static void split_all(struct text *out, enum file_format format, const char *file, size_t len, size_t piece,
                      bool *ret_unclosed)
{
        struct splitter s;
        struct record record;

        splitter_start(&s, format);
        text_clear(out);
        text_puts(out, "");
        for (size_t at = 0; at < len; at += piece) {
                const char *data = file + at;
                size_t n = len - at < piece ? len - at : piece;
                while (splitter_next(&s, &data, &n, &record))
                        text_printf(out, "%d:%.*s;", (int)record.no, record.too_long ? 1 : (int)record.len,
                                    record.too_long ? "!" : record.data);
        }
        if (splitter_end(&s, &record, ret_unclosed))
                text_printf(out, "%d:%.*s;", (int)record.no, (int)record.len, record.data);
        splitter_free(&s);
}

static void expect_split(enum file_format format, const char *file, const char *expected, bool unclosed)
{
        struct text out = {0};
        bool found;

        for (size_t piece = 1; piece <= strlen(file) + 1; piece++) {
                split_all(&out, format, file, strlen(file), piece, &found);
                EXPECT_TEXT(out.data, expected);
                EXPECT(found == unclosed);
        }
        text_free(&out);
}

TEST(split_ndjson_by_line_breaks_however_the_bytes_come)
{
        expect_split(FILE_NDJSON, "a\nbc\r\n\nd", "1:a;2:bc;3:;4:d;", false);
        expect_split(FILE_NDJSON, "\xEF\xBB\xBF{\"a\":\"x\\\"y\"}\n", "1:{\"a\":\"x\\\"y\"};", false);
        expect_split(FILE_NDJSON, "\xEF\xBBz\n", "1:\xEF\xBBz;", false);
        expect_split(FILE_NDJSON, "", "", false);
}

TEST(split_csv_keeps_line_breaks_within_quotes)
{
        expect_split(FILE_CSV, "a,b\n1,\"x\ny\"\n2,z\n", "1:a,b;2:1,\"x\ny\";3:2,z;", false);
        expect_split(FILE_CSV, "a,\"b\"\"\n\"\"c\"\r\nd\n", "1:a,\"b\"\"\n\"\"c\";2:d;", false);
        expect_split(FILE_CSV, "5\" pipe\nnext\n", "1:5\" pipe;2:next;", false);
}

TEST(split_csv_says_when_a_quote_is_never_closed)
{
        expect_split(FILE_CSV, "a\n\"b\nc\n", "1:a;2:\"b\nc\n;", true);
}

TEST(split_drops_what_is_too_long_and_goes_on)
{
        size_t len = RECORD_BYTES_MAX * 3;
        char *file = malloc(len);
        struct text out = {0};
        bool unclosed;

        memset(file, 'x', len);
        memcpy(file, "a\n", 2);
        memcpy(file + len - 3, "\nb\n", 3);
        split_all(&out, FILE_NDJSON, file, len, 100000, &unclosed);
        EXPECT_TEXT(out.data, "1:a;2:!;3:b;");
        split_all(&out, FILE_CSV, file, len, len, &unclosed);
        EXPECT_TEXT(out.data, "1:a;2:!;3:b;");
        text_free(&out);
        free(file);
}

/* ------------------------------------------------------------------ compression */

static size_t gzip_of(const char *data, size_t len, char *out, size_t size)
{
        z_stream z = {0};

        deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
        z.next_in = (Bytef *)(uintptr_t)data;
        z.avail_in = (unsigned)len;
        z.next_out = (Bytef *)out;
        z.avail_out = (unsigned)size;
        deflate(&z, Z_FINISH);
        deflateEnd(&z);
        return size - z.avail_out;
}

/* Unpack in pieces: the text, NULL when it is damaged. */
static bool unpack_all(const char *encoding, const char *data, size_t len, size_t piece, struct text *out,
                       bool *ret_whole)
{
        struct unpack *u = unpack_new(encoding);
        char buffer[7];
        bool sound = true;

        text_clear(out);
        for (size_t at = 0; at < len && sound; at += piece) {
                const char *p = data + at;
                size_t n = len - at < piece ? len - at : piece, got = 0;
                while (sound && (n > 0 || got == sizeof buffer)) {
                        sound = unpack_run(u, &p, &n, buffer, sizeof buffer, &got);
                        if (sound)
                                text_append(out, buffer, got);
                }
        }
        *ret_whole = unpack_whole(u);
        unpack_free(u);
        return sound;
}

TEST(unpack_gives_back_what_was_packed_whole_or_not_at_all)
{
        char text[5000], packed[2][6000];
        size_t sizes[2];
        const char *const encodings[] = {"gzip", "zstd"};
        struct text out = {0};
        bool whole;

        for (size_t i = 0; i < sizeof text; i++)
                text[i] = (char)('a' + test_between(0, 20));
        sizes[0] = gzip_of(text, sizeof text, packed[0], sizeof packed[0]);
        sizes[1] = ZSTD_compress(packed[1], sizeof packed[1], text, sizeof text, 3);
        for (int kind = 0; kind < 2; kind++) {
                for (size_t piece = 1; piece < 6000; piece = piece * 3 + 1) {
                        EXPECT(unpack_all(encodings[kind], packed[kind], sizes[kind], piece, &out, &whole));
                        EXPECT(whole && out.len == sizeof text && memcmp(out.data, text, out.len) == 0);
                }
                for (size_t cut = 1; cut < 100; cut += 7) {
                        bool sound = unpack_all(encodings[kind], packed[kind], sizes[kind] - cut, 1000, &out,
                                                &whole);
                        EXPECT(!sound || !whole);
                }
                EXPECT(!unpack_all(encodings[kind], text, sizeof text, 100, &out, &whole));
        }
        text_free(&out);
}

TEST(unpack_takes_members_one_after_the_other)
{
        char packed[200];
        struct text out = {0};
        bool whole;

        size_t n = gzip_of("ab", 2, packed, sizeof packed);
        n += gzip_of("cd", 2, packed + n, sizeof packed - n);
        EXPECT(unpack_all("gzip", packed, n, 1, &out, &whole) && whole);
        EXPECT_TEXT(out.data, "abcd");
        EXPECT(unpack_new("br") == NULL);
        text_free(&out);
}

/* ------------------------------------------------------------------ characters */

static bool decodes(const char *charset_name, const char *data, const char *expected)
{
        struct charset *charset = charset_new(charset_name);
        struct text out = {0};
        bool ok = charset_decode(charset, data, strlen(data), &out);
        bool same = ok && strcmp(out.data, expected) == 0;

        text_free(&out);
        charset_free(charset);
        return same;
}

TEST(charset_knows_utf8_and_gb18030_and_refuses_the_rest)
{
        EXPECT(decodes(NULL, "王a", "王a"));
        EXPECT(decodes("gb18030", "\xCD\xF5\xD0\xA1\xC3\xF7", "王小明"));
        EXPECT(decodes("gbk", "\x94\x39\xDA\x33", "\xF0\x9F\x92\xA9"));
        EXPECT(!decodes("utf-8", "\xCD\xF5", ""));
        EXPECT(!decodes("utf-8", "\xED\xA0\x80", "")); /* half of a surrogate pair */
        EXPECT(!decodes("gb18030", "a\xFF", ""));
        EXPECT(charset_new("latin1") == NULL);
        struct charset *utf8 = charset_new("utf-8");
        struct text out = {0};
        EXPECT(!charset_decode(utf8, "a\0b", 3, &out));
        text_free(&out);
        charset_free(utf8);
}

/* ------------------------------------------------------------------ cells */

struct bench {
        struct arena *arena;
        struct ctx c;
};

static struct bench bench_new(void)
{
        static const struct zone_change changes[] = {{INT64_MIN, 8 * 3600}};
        static const struct shop shop = {.zone = {"Asia/Shanghai", changes, 1}};
        struct bench b = {.arena = arena_new()};

        b.c.arena = b.arena;
        b.c.shop = &shop;
        return b;
}

static void bench_free(struct bench *b)
{
        problem_reset(&b->c);
        arena_free(b->arena);
}

static void expect_cells(const char *record, const char *const *expected, size_t n)
{
        struct bench b = bench_new();
        struct texts cells;

        EXPECT(csv_cells(b.arena, record, strlen(record), &cells));
        EXPECT_INT(cells.n, n);
        for (size_t i = 0; i < n && i < cells.n; i++)
                EXPECT_TEXT(cells.v[i], expected[i]);
        bench_free(&b);
}
#define EXPECT_CELLS(record_, ...)                                                                           \
        expect_cells((record_), (const char *const[]){__VA_ARGS__},                                          \
                     sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

TEST(cells_are_quoted_escaped_and_counted)
{
        EXPECT_CELLS("a,b", "a", "b");
        EXPECT_CELLS("", "");
        EXPECT_CELLS(",,", "", "", "");
        EXPECT_CELLS("\"a,b\",\"c\"\"d\",\"\"", "a,b", "c\"d", "");
        EXPECT_CELLS("\"x\r\ny\",z", "x\ny", "z");
        EXPECT_CELLS("'=1,'+86,'a,''=x,'-", "=1", "+86", "'a", "'=x", "-");
}

TEST(cells_with_bytes_behind_a_quote_are_refused)
{
        struct bench b = bench_new();
        struct texts cells;

        EXPECT(!csv_cells(b.arena, "\"a\"b,c", 7, &cells));
        EXPECT(!csv_cells(b.arena, "\"a", 2, &cells));
        bench_free(&b);
}

TEST(cells_of_any_text_come_back_as_they_were)
{
        static const char alphabet[] = "ab,\"\n='+-@ \xE7\x8E\x8B"; /* the last character whole or not */
        struct bench b = bench_new();
        struct text out = {0};

        for (int round = 0; round < 3000; round++) {
                char cell[12] = "";
                struct texts cells;
                for (int i = (int)test_between(0, 10); i > 0; i--)
                        cell[i - 1] = alphabet[test_between(0, 10)];
                text_clear(&out);
                csv_put_cell(&out, "first");
                text_putc(&out, ',');
                csv_put_cell(&out, cell);
                EXPECT(csv_cells(b.arena, out.data, out.len, &cells) && cells.n == 2);
                EXPECT_TEXT(cells.v[1], cell);
        }
        text_free(&out);
        bench_free(&b);
}

/* What a header and a record mean as JSON; "!" when the header fits nothing. */
static void expect_json(const struct shape *shape, const char *header, const char *record,
                        const char *expected)
{
        struct bench b = bench_new();
        struct texts names, cells;
        struct csv_columns columns;

        EXPECT(csv_cells(b.arena, header, strlen(header), &names));
        EXPECT(csv_cells(b.arena, record, strlen(record), &cells));
        if (csv_columns_find(&b.c, shape, &names, &columns) != ERR_OK) {
                EXPECT_TEXT("!", expected);
                bench_free(&b);
                return;
        }
        json_t *json = csv_to_json(&columns, &cells);
        char *dump = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
        EXPECT_TEXT(dump != NULL ? dump : "none", expected);
        free(dump);
        json_decref(json);
        bench_free(&b);
}

TEST(columns_are_paths_into_the_shape)
{
        const struct shape *customer = &customer_in_shape, *order = &order_in_shape;

        expect_json(customer, "external_id,source.channel", "C,live",
                    "{\"external_id\":\"C\",\"source\":{\"channel\":\"live\"}}");
        expect_json(customer, "external_id,name,_status,_error_detail", "C,,422,x",
                    "{\"external_id\":\"C\"}");
        expect_json(customer, "attributes.a.b,attributes.0", "1,2",
                    "{\"attributes\":{\"a\":{\"b\":\"1\"},\"0\":\"2\"}}");
        expect_json(order, "total_minor,lines.1.sku,lines.0.quantity", "12,S,2",
                    "{\"total_minor\":12,\"lines\":[{\"quantity\":2},{\"sku\":\"S\"}]}");
        expect_json(order, "total_minor,lines", "1.0,\"[{\"\"sku\"\":\"\"S\"\"}]\"",
                    "{\"total_minor\":\"1.0\",\"lines\":[{\"sku\":\"S\"}]}");
        expect_json(order, "total_minor,lines", "x", "none");
        expect_json(customer, "external_id,,", "C,,", "{\"external_id\":\"C\"}");
        expect_json(customer, "external_id", "C,,", "{\"external_id\":\"C\"}");
        expect_json(customer, "external_id", "C,,x", "none");
        expect_json(customer, "external_id,", "C,x", "none");
        expect_json(customer, "input,_status", "\"{\"\"a\"\":1}\",422", "{\"a\":1}");
        expect_json(customer, "input,name", "x,y", "!");
        expect_json(customer, "name,input", "x,y", "!");
}

TEST(times_are_read_as_spreadsheets_write_them)
{
        static const char *const instants[][2] = {
                {"2026/11/1 10:00", "2026-11-01T02:00:00Z"},
                {"2026-11-01 10:00:05", "2026-11-01T02:00:05Z"},
                {"2026/11/1", "2026-10-31T16:00:00Z"},
                {"2026年11月1日", "2026-10-31T16:00:00Z"},
                {"2026-11-01T10:00:00+01:00", "2026-11-01T10:00:00+01:00"},
                {"1/11/2026", "1/11/2026"},
                {"2026/11/1 25:00", "2026/11/1 25:00"},
                {"2026/11/1 10:60", "2026/11/1 10:60"},
                {"2026/11/1 1", "2026/11/1 1"},
                {"2026/2/30", "2026/2/30"},
                {"2026/11-1", "2026/11-1"},
                {"2026/11/1x", "2026/11/1x"},
        };
        static const char *const birthdays[][2] = {
                {"1990/5/20", "1990-05-20"}, {"5月20日", "05-20"},       {"1990年5月20日", "1990-05-20"},
                {"2月29日", "02-29"},        {"05-20", "05-20"},         {"5/20", "5/20"},
                {"13月1日", "13月1日"},      {"5月20日早", "5月20日早"},
        };
        char expected[100];

        for (size_t i = 0; i < ARRAY_SIZE(instants); i++) {
                snprintf(expected, sizeof expected, "{\"placed_at\":\"%s\"}", instants[i][1]);
                expect_json(&order_in_shape, "placed_at", instants[i][0], expected);
        }
        for (size_t i = 0; i < ARRAY_SIZE(birthdays); i++) {
                snprintf(expected, sizeof expected, "{\"birthday\":\"%s\"}", birthdays[i][1]);
                expect_json(&customer_in_shape, "birthday", birthdays[i][0], expected);
        }
}

TEST(columns_that_are_unknown_or_collide_are_refused)
{
        const struct shape *customer = &customer_in_shape, *order = &order_in_shape;

        expect_json(customer, "nane", "x", "!");
        expect_json(customer, "name,name", "x,y", "!");
        expect_json(customer, "source,source.channel", "x,y", "!");
        expect_json(customer, "has", "x", "!");
        expect_json(customer, "name.x", "x", "!");
        expect_json(customer, "_stat", "x", "!");
        expect_json(customer, "attributes.", "x", "!");
        expect_json(order, "backfill", "true", "!"); /* of the query */
        expect_json(order, "lines.x.sku", "x", "!");
        expect_json(order, "lines.100.sku", "x", "!");
        expect_json(order, "lines.00.sku", "x", "!");
}

/* ------------------------------------------------------------------ blocks */

TEST(blocks_of_lines_and_results_come_back)
{
        struct bench b = bench_new();
        struct text block = {0};
        struct staged_line lines[3];
        struct line_result *results;
        size_t n;

        pack_line(&block, 5, &(struct staged_line){5, LINE_SOUND, "abc", 3});
        pack_line(&block, 5, &(struct staged_line){9, LINE_TOO_LONG, "", 0});
        EXPECT(unpack_lines(block.data, block.len, 5, lines, 2));
        EXPECT(lines[0].line == 5 && strcmp(lines[0].data, "abc") == 0 && lines[1].line == 9 &&
               lines[1].fault == LINE_TOO_LONG);
        EXPECT(!unpack_lines(block.data, block.len, 5, lines, 3));
        EXPECT(!unpack_lines(block.data, block.len - 1, 5, lines, 2));
        text_clear(&block);
        pack_result(&block, 5, &(struct line_result){.line = 7, .status = 201, .external_id = "A"});
        pack_result(&block, 5, &(struct line_result){.line = 8, .status = 422, .error = "{}"});
        EXPECT(unpack_results(b.arena, block.data, block.len, 5, &results, &n) && n == 2);
        EXPECT(results[0].line == 7 && results[0].error == NULL && results[1].external_id == NULL);
        EXPECT_TEXT(results[0].external_id, "A");
        EXPECT_TEXT(results[1].error, "{}");
        EXPECT(!unpack_results(b.arena, block.data, block.len - 1, 5, &results, &n));
        text_free(&block);
        bench_free(&b);
}

TEST_MAIN
