#include "directory/pieces.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static char lower(char c)
{
        return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

const char *pieces_content(struct arena *arena, const char *const *texts, size_t n)
{
        struct text out = {0};

        for (size_t i = 0; i < n; i++) {
                if (texts[i] == NULL)
                        continue;
                if (out.len > 0)
                        text_putc(&out, '\n');
                for (const char *p = texts[i]; *p != '\0'; p++)
                        text_putc(&out, *p == '\n' ? ' ' : lower(*p));
        }
        const char *content = out.data != NULL ? arena_strdup(arena, out.data) : "";
        text_free(&out);
        return content;
}

struct piece {
        const char *at;
        size_t len;
};

static int piece_compare(const void *a, const void *b)
{
        const struct piece *x = a, *y = b;
        int order = memcmp(x->at, y->at, x->len < y->len ? x->len : y->len);

        return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

/* Bytes of the next characters, at most PIECE_CHARS and not beyond the line. */
static size_t piece_len(const char *at)
{
        size_t len = 0;

        for (int i = 0; i < PIECE_CHARS && at[len] != '\0' && at[len] != '\n'; i++)
                len += text_utf8_len(at + len);
        return len;
}

const char *pieces_of(struct arena *arena, const char *content)
{
        struct piece *pieces = ARENA_ARRAY(arena, strlen(content), struct piece);
        struct text out = {0};
        size_t n = 0;

        for (const char *at = content; *at != '\0'; at += text_utf8_len(at))
                if (*at != '\n')
                        pieces[n++] = (struct piece){at, piece_len(at)};
        if (n > 0)
                qsort(pieces, n, sizeof *pieces, piece_compare);
        for (size_t i = 0; i < n; i++) {
                if (i > 0 && piece_compare(&pieces[i], &pieces[i - 1]) == 0)
                        continue;
                if (out.len > 0)
                        text_puts(&out, PIECE_SEPARATOR);
                text_append(&out, pieces[i].at, pieces[i].len);
        }
        const char *text = out.data != NULL ? arena_strdup(arena, out.data) : "";
        text_free(&out);
        return text;
}

/* ------------------------------------------------------------------ searching */

/* The word between two ends, as LIKE wants it. */
static const char *pattern_of(struct arena *arena, const char *end, const char *word, size_t len)
{
        struct text text = {0}, *out = &text;

        text_printf(out, "%%%s", end);
        for (size_t i = 0; i < len; i++) {
                if (strchr("%_\\", word[i]) != NULL)
                        text_putc(out, '\\');
                text_putc(out, word[i]);
        }
        text_printf(out, "%s%%", end);
        const char *pattern = arena_strdup(arena, out->data);
        text_free(out);
        return pattern;
}

/* Every place of the word that has PIECE_CHARS characters, as 'abc', or the whole of a shorter one, as
 * 'ab':*. No piece is longer than 'abc', and an index looks a whole piece up many times faster than its
 * beginnings. */
static void put_tsquery(struct text *out, const char *word)
{
        size_t chars = text_chars(word), place = 0;

        for (const char *at = word; *at != '\0'; at += text_utf8_len(at), place++) {
                if (place > 0 && place + PIECE_CHARS > chars)
                        return;
                text_puts(out, out->len > 0 ? " & '" : "'");
                size_t len = piece_len(at);
                for (size_t i = 0; i < len; i++) {
                        if (at[i] == '\'' || at[i] == '\\')
                                text_putc(out, at[i]);
                        text_putc(out, at[i]);
                }
                text_puts(out, chars < PIECE_CHARS ? "':*" : "'");
        }
}

/* Beginnings are gathered from many entries of the index: beside whole pieces short words are left to the
 * text. */
static const char *tsquery_of(struct arena *arena, const struct texts *words)
{
        struct text whole = {0}, beginnings = {0};

        for (size_t i = 0; i < words->n; i++)
                put_tsquery(text_chars(words->v[i]) < PIECE_CHARS ? &beginnings : &whole, words->v[i]);
        const struct text *asked = whole.len > 0 ? &whole : &beginnings;
        const char *tsquery = asked->len > 0 ? arena_strdup(arena, asked->data) : NULL;
        text_free(&whole);
        text_free(&beginnings);
        return tsquery;
}

struct search search_of(struct arena *arena, const char *q)
{
        static const char white[] = " \t\n";
        struct search search = {.patterns.v = ARENA_ARRAY(arena, SEARCH_WORDS_MAX, const char *)};
        struct texts words = {.v = ARENA_ARRAY(arena, SEARCH_WORDS_MAX, const char *)};
        const char *content = pieces_content(arena, &q, 1);

        for (const char *at = content + strspn(content, white);
             *at != '\0' && search.patterns.n < SEARCH_WORDS_MAX;) {
                size_t len = strcspn(at, white);
                words.v[words.n++] = arena_strndup(arena, at, len);
                search.patterns.v[search.patterns.n++] = pattern_of(arena, "", at, len);
                at += len;
                at += strspn(at, white);
        }
        search.whole = pattern_of(arena, "\n", content, strlen(content));
        search.tsquery = tsquery_of(arena, &words);
        return search;
}
