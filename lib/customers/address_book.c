#include "customers/address_book.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"

static bool texts_equal(const char *a, const char *b)
{
        return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* The same place and people, whether it is the default or not. */
static bool same_place(const struct address_content *a, const struct address_content *b)
{
        return texts_equal(a->recipient, b->recipient) && texts_equal(a->phone, b->phone) &&
               texts_equal(a->country, b->country) && texts_equal(a->province, b->province) &&
               texts_equal(a->city, b->city) && texts_equal(a->district, b->district) &&
               texts_equal(a->street, b->street) && texts_equal(a->postal_code, b->postal_code);
}

static bool same(const struct address *a, const struct address *b)
{
        return same_place(&a->content, &b->content) && a->is_default == b->is_default &&
               a->created_at.us == b->created_at.us;
}

static const struct address *find(const struct address *v, size_t n, const char *name)
{
        for (size_t i = 0; i < n; i++)
                if (strcmp(v[i].name, name) == 0)
                        return &v[i];
        return NULL;
}

const struct address *address_book_find(const struct address_book *book, const char *name)
{
        return find(book->v, book->n, name);
}

bool address_book_takes(const struct address_book *book, const char *name)
{
        return book->n < ADDRESSES_MAX || address_book_find(book, name) != NULL;
}

bool address_book_takes_all(const struct address_book *book, const struct named_address *wanted, size_t n)
{
        size_t more = 0;

        for (size_t i = 0; i < n; i++)
                more += address_book_find(book, wanted[i].name) == NULL;
        return book->n + more <= ADDRESSES_MAX;
}

static size_t place_of(struct address_book *book, const char *name)
{
        const struct address *known = address_book_find(book, name);
        const struct address *stored = find(book->before, book->before_n, name);

        if (known != NULL)
                return (size_t)(known - book->v);
        assert(book->n < ADDRESSES_MAX);
        book->v[book->n] = (struct address){.customer_id = book->customer_id, .name = name};
        if (stored != NULL) /* it was taken away and comes back */
                book->v[book->n].created_at = stored->created_at;
        return book->n++;
}

bool address_book_put(struct address_book *book, const struct named_address *wanted,
                      struct instant created_at)
{
        size_t before_n = book->n, at = place_of(book, wanted->name);
        struct address *address = &book->v[at];
        const struct address was = *address;

        address->content = wanted->content;
        if (instant_known(created_at))
                address->created_at = created_at;
        for (size_t i = 0; i < book->n; i++)
                if (i != at && wanted->is_default)
                        book->v[i].is_default = false;
        return book->n > before_n || !same(&was, address);
}

bool address_book_remove(struct address_book *book, const char *name)
{
        const struct address *known = address_book_find(book, name);

        if (known == NULL)
                return false;
        book->v[known - book->v] = book->v[--book->n];
        return true;
}

void address_book_clear(struct address_book *book)
{
        book->n = 0;
}

void address_book_settle(struct address_book *book, struct instant now)
{
        for (size_t i = 0; i < book->n; i++) {
                struct address *address = &book->v[i];
                const struct address *stored = find(book->before, book->before_n, address->name);
                if (!instant_known(address->created_at))
                        address->created_at = now;
                address->version = stored != NULL ? stored->version : 0;
                address->updated_at = stored != NULL ? stored->updated_at : now;
                if (stored != NULL && same(stored, address))
                        continue;
                address->version++;
                address->updated_at = now;
        }
}

size_t address_book_differences(const struct address_book *book, struct address_difference *ret)
{
        size_t n = 0;

        for (size_t i = 0; i < book->before_n; i++)
                if (address_book_find(book, book->before[i].name) == NULL)
                        ret[n++] = (struct address_difference){.before = &book->before[i]};
        for (size_t i = 0; i < book->n; i++) {
                const struct address *stored = find(book->before, book->before_n, book->v[i].name);
                if (stored == NULL || stored->version != book->v[i].version)
                        ret[n++] = (struct address_difference){stored, &book->v[i]};
        }
        return n;
}

/* ------------------------------------------------------------------ two that become one */

static bool has_place(const struct address_book *book, const struct address *wanted)
{
        for (size_t i = 0; i < book->n; i++)
                if (same_place(&book->v[i].content, &wanted->content))
                        return true;
        return false;
}

static bool has_default(const struct address_book *book)
{
        for (size_t i = 0; i < book->n; i++)
                if (book->v[i].is_default)
                        return true;
        return false;
}

/* Has somebody this name, or did one of the first n moves get it? */
static bool name_taken(const struct address_book *to, const struct address_book *from,
                       const struct address_move *moves, size_t n, const char *name)
{
        for (size_t i = 0; i < n; i++)
                if (moves[i].moves && strcmp(moves[i].new_name, name) == 0)
                        return true;
        return address_book_find(to, name) != NULL || address_book_find(from, name) != NULL;
}

/* "home 2", or a higher number: some name among so many is free. */
static const char *free_name(struct arena *arena, const struct address_book *to,
                             const struct address_book *from, const struct address_move *moves, size_t n,
                             const char *name)
{
        const size_t number_chars = 4; /* a space and as many digits as numbers up to all names have */
        const char *end = name, *numbered = name;

        for (size_t chars = 0; *end != '\0' && chars < ADDRESS_NAME_CHARS_MAX - number_chars; chars++)
                end += text_utf8_len(end);
        for (unsigned number = 2; name_taken(to, from, moves, n, numbered); number++)
                numbered = arena_printf(arena, "%.*s %u", (int)(end - name), name, number);
        return numbered;
}

size_t address_books_join(struct arena *arena, const struct address_book *to, const struct address_book *from,
                          struct address_move *ret)
{
        bool defaulted = has_default(to);
        size_t count = 0;

        for (size_t i = 0; i < from->n; i++) {
                const struct address *address = &from->v[i];
                ret[i] = (struct address_move){.name = address->name,
                                               .new_name = address->name,
                                               .moves = !has_place(to, address),
                                               .is_default = address->is_default && !defaulted};
                if (ret[i].moves && address_book_find(to, address->name) != NULL)
                        ret[i].new_name = free_name(arena, to, from, ret, i, address->name);
                count += ret[i].moves;
        }
        return count;
}
