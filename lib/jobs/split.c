#include "jobs/split.h"

#include <string.h>

/* Where in a CSV record we are. */
enum { CELL_START, CELL_BARE, CELL_QUOTED, CELL_QUOTE_IN_QUOTED };

static const char bom[] = "\xEF\xBB\xBF";
#define BOM_BYTES 3

void splitter_start(struct splitter *s, enum file_format format)
{
        *s = (struct splitter){.format = format};
}

void splitter_free(struct splitter *s)
{
        text_free(&s->held);
}

/* Excel begins UTF-8 with a byte order mark. */
static void drop_bom(struct splitter *s, const char **data, size_t *len)
{
        while (s->bom<BOM_BYTES && * len> 0) {
                if (**data != bom[s->bom]) {
                        text_append(&s->held, bom, s->bom); /* it only looked like one */
                        s->open = s->bom > 0;
                        s->records += s->open;
                        s->bom = BOM_BYTES;
                        return;
                }
                s->is_marked = ++s->bom == BOM_BYTES;
                (*data)++;
                (*len)--;
        }
}

/* Bytes up to and without the line break that ends the record; len when there is none. */
static size_t csv_span(struct splitter *s, const char *data, size_t len)
{
        for (size_t i = 0; i < len; i++) {
                char ch = data[i];
                switch (s->state) {
                case CELL_QUOTED:
                        if (ch == '"')
                                s->state = CELL_QUOTE_IN_QUOTED;
                        continue;
                case CELL_QUOTE_IN_QUOTED:
                        if (ch == '"') {
                                s->state = CELL_QUOTED;
                                continue;
                        }
                        break;
                case CELL_START:
                        if (ch == '"') {
                                s->state = CELL_QUOTED;
                                continue;
                        }
                        break;
                default:
                        break;
                }
                if (ch == '\n')
                        return i;
                s->state = ch == ',' ? CELL_START : CELL_BARE;
        }
        return len;
}

static size_t span(struct splitter *s, const char *data, size_t len)
{
        if (s->format == FILE_CSV)
                return csv_span(s, data, len);
        const char *end = memchr(data, '\n', len);
        return end != NULL ? (size_t)(end - data) : len;
}

static void give(struct splitter *s, const char *data, size_t len, struct record *ret)
{
        if (len > 0 && data[len - 1] == '\r')
                len--;
        *ret = (struct record){.no = s->records, .data = data, .len = len, .too_long = s->too_long};
        s->open = s->too_long = false;
        s->state = CELL_START;
        s->given = true;
}

static void hold(struct splitter *s, const char *data, size_t len)
{
        if (s->held.len + len > RECORD_BYTES_MAX) {
                s->too_long = true;
                text_clear(&s->held);
        }
        if (!s->too_long)
                text_append(&s->held, data, len);
}

bool splitter_next(struct splitter *s, const char **data, size_t *len, struct record *ret)
{
        if (s->given) {
                text_clear(&s->held);
                s->given = false;
        }
        if (s->bom < BOM_BYTES)
                drop_bom(s, data, len);
        if (*len == 0)
                return false;
        if (!s->open)
                s->records++;
        s->open = true;
        const char *start = *data;
        size_t n = span(s, start, *len);
        bool whole = n < *len;
        *data += n + whole;
        *len -= n + whole;
        if (whole && s->held.len == 0 && !s->too_long && n <= RECORD_BYTES_MAX) {
                give(s, start, n, ret);
                return true;
        }
        hold(s, start, n);
        if (whole)
                give(s, s->held.data != NULL ? s->held.data : "", s->held.len, ret);
        return whole;
}

bool splitter_end(struct splitter *s, struct record *ret, bool *ret_unclosed)
{
        if (s->given) {
                text_clear(&s->held);
                s->given = false;
        }
        if (s->bom > 0 && s->bom < BOM_BYTES) { /* cut off within it */
                hold(s, bom, s->bom);
                s->records++;
                s->open = true;
                s->bom = BOM_BYTES;
        }
        *ret_unclosed = s->open && s->state == CELL_QUOTED;
        if (!s->open)
                return false;
        give(s, s->held.data != NULL ? s->held.data : "", s->held.len, ret);
        return true;
}
