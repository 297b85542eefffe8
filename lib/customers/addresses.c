#include "customers/addresses.h"

#include "audit/audit.h"
#include "customers/address_store.h"
#include "events/events.h"

#define SHAPE_T struct address
SHAPE(address, "An address of a customer.", FIELD(customer_id, .need = true, .subject = true),
      ADDRESS_NAME_FIELD(), ADDRESS_FIELDS(.need = true),
      FIELD(version, .doc = "Counts up with every change; the ETag."), FIELD(created_at, .need = true),
      FIELD(updated_at, .need = true));
#undef SHAPE_T

#define SHAPE_T struct named_address
SHAPE(named_address, "An address and its name.", ADDRESS_NAME_FIELD(), ADDRESS_FIELDS(.need = true));
#undef SHAPE_T

#define SHAPE_T struct address_patch
SHAPE(address_patch, "What changes of an address.", PRESENCE(has), ADDRESS_FIELDS());
#undef SHAPE_T

#define SHAPE_T struct address_line
SHAPE(address_line, "An address of a customer.",
      FIELD(customer, .need = true, .min = 1, .max = 300, .doc = "UUID or ext:<external id>."),
      ADDRESS_NAME_FIELD(), ADDRESS_FIELDS(), FIELD(remove, .doc = "Take it away instead."),
      FIELD(created_at, .doc = "With backfill: since when it is known."),
      FIELD(updated_at, .doc = "As exported; not read."), FIELD(version, .doc = "As exported; not read."));
#undef SHAPE_T

#define ADDRESS_COLUMNS                                                                                      \
        "customer_id, name, recipient, phone, country, province, city, district, street, postal_code, "      \
        "is_default, version, created_at, updated_at"

SQL_LATER(addresses_of, customer_ids, address,
          "SELECT " ADDRESS_COLUMNS " FROM customer_addresses WHERE customer_id = ANY(:ids) "
          "ORDER BY customer_id, is_default DESC, name")
SQL_OPT(address_find, address, address,
        "SELECT " ADDRESS_COLUMNS
        " FROM customer_addresses WHERE customer_id = :customer_id AND name = :name")
SQL_BATCH(addresses_upsert, address,
          "INSERT INTO customer_addresses (" ADDRESS_COLUMNS
          ") SELECT * FROM unnest(:customer_id, :name, :recipient, :phone, :country, :province, :city, "
          ":district, :street, :postal_code, :is_default, :version, :created_at, :updated_at) "
          "ON CONFLICT (customer_id, name) DO UPDATE SET recipient = excluded.recipient, "
          "phone = excluded.phone, country = excluded.country, province = excluded.province, "
          "city = excluded.city, district = excluded.district, street = excluded.street, "
          "postal_code = excluded.postal_code, is_default = excluded.is_default, "
          "version = excluded.version, created_at = excluded.created_at, updated_at = excluded.updated_at")
SQL_BATCH(addresses_delete, address,
          "DELETE FROM customer_addresses a USING unnest(:customer_id, :name) AS gone (c, n) "
          "WHERE a.customer_id = gone.c AND a.name = gone.n")
/* What a customer is shown with is another one now, and so is what the directory takes of him. */
SQL_EXEC(versions_count, customer_ids,
         "UPDATE customers SET version = version + 1, updated_at = :now WHERE id = ANY(:ids)")

/* ------------------------------------------------------------------ books of many customers */

enum err store_addresses(struct ctx *c, const struct customer_ids *ids, struct list *ret)
{
        return addresses_of(c, ids, ret);
}

static struct address_book *book_open(struct ctx *c, struct address_books *books, struct uuid customer_id)
{
        struct address_book *book = &books->v[books->n];

        *book = (struct address_book){.customer_id = customer_id,
                                      .v = ARENA_ARRAY(c->arena, ADDRESSES_MAX, struct address)};
        idmap_put(&books->by_customer, customer_id, books->n++);
        return book;
}

struct address_book *address_book_of(struct ctx *c, struct address_books *books, struct uuid customer_id)
{
        size_t at = idmap_get(&books->by_customer, customer_id);

        return at != SIZE_MAX ? &books->v[at] : book_open(c, books, customer_id);
}

enum err address_books_load(struct ctx *c, const struct customer_ids *ids, size_t more,
                            struct address_books *ret)
{
        size_t most = ids->ids.n + more;
        struct list stored = {0};

        *ret = (struct address_books){.v = ARENA_ARRAY(c->arena, most, struct address_book),
                                      .by_customer = idmap_new(c->arena, most)};
        if (ids->ids.n == 0)
                return ERR_OK;
        TRY(addresses_of(c, ids, &stored));
        TRY(db_flush(c));
        const struct address *rows = stored.v;
        for (size_t i = 0; i < stored.n; i++) { /* those of one customer follow each other */
                struct address_book *book = address_book_of(c, ret, rows[i].customer_id);
                if (book->before_n == 0)
                        book->before = &rows[i];
                book->before_n++;
                book->v[book->n++] = rows[i];
        }
        return ERR_OK;
}

/* What is told of all differences. */
struct told {
        struct address *plain, *defaults, *gone;
        size_t plain_n, default_n, gone_n;
        struct audit_change *audits;
        size_t audit_n;
        struct event_list events;
};

static void difference_tell(struct ctx *c, const struct ctx *who, const struct address_difference *one,
                            struct told *told)
{
        const struct address *shown = one->after != NULL ? one->after : one->before;
        enum event_type type = one->after == NULL    ? EVENT_ADDRESS_REMOVED
                               : one->before == NULL ? EVENT_ADDRESS_ADDED
                                                     : EVENT_ADDRESS_CHANGED;

        if (one->after == NULL)
                told->gone[told->gone_n++] = *shown;
        else if (shown->is_default)
                told->defaults[told->default_n++] = *shown;
        else
                told->plain[told->plain_n++] = *shown;
        told->audits[told->audit_n++] = (struct audit_change){
                .who = who,
                .customer_id = shown->customer_id,
                .subject = customer_part(c->arena, shown->customer_id, "addresses", shown->name),
                .shape = &address_shape,
                .before = one->before,
                .after = one->after};
        event_add(c->arena, &told->events, type, shown->customer_id,
                  type == EVENT_ADDRESS_ADDED ? shown->created_at : c->now, &address_event_shape,
                  &(struct address_event){shown->name});
}

enum err address_books_store(struct ctx *c, struct address_books *books, struct uuids *ret_changed)
{
        struct uuids changed = {.v = ARENA_ARRAY(c->arena, books->n, struct uuid)};
        struct told told = {0};
        size_t most = 0;

        if (ret_changed != NULL)
                *ret_changed = (struct uuids){0};
        if (books->n == 0)
                return ERR_OK;
        for (size_t i = 0; i < books->n; i++)
                most += books->v[i].before_n + books->v[i].n;
        told.plain = ARENA_ARRAY(c->arena, most, struct address);
        told.defaults = ARENA_ARRAY(c->arena, most, struct address);
        told.gone = ARENA_ARRAY(c->arena, most, struct address);
        told.audits = ARENA_ARRAY(c->arena, most, struct audit_change);
        for (size_t i = 0; i < books->n; i++) {
                struct address_book *book = &books->v[i];
                struct address_difference *differences =
                        ARENA_ARRAY(c->arena, book->before_n + book->n, struct address_difference);
                address_book_settle(book, c->now);
                size_t n = address_book_differences(book, differences);
                for (size_t k = 0; k < n; k++)
                        difference_tell(c, book->who, &differences[k], &told);
                if (n > 0)
                        changed.v[changed.n++] = book->customer_id;
        }
        TRY(addresses_delete(c, told.gone, told.gone_n));
        TRY(addresses_upsert(c, told.plain, told.plain_n)); /* the mark is free before it is put anew */
        TRY(addresses_upsert(c, told.defaults, told.default_n));
        TRY(audit_write_all(c, told.audits, told.audit_n));
        if (ret_changed != NULL)
                *ret_changed = changed;
        return events_store(c, &told.events);
}

enum err addresses_too_many(struct ctx *c)
{
        return fail(c, ERR_ADDRESSES_TOO_MANY, "The customer can have %d addresses at most.", ADDRESSES_MAX);
}

/* Store what has become of customers who are not changed otherwise. */
static enum err books_store(struct ctx *c, struct address_books *books)
{
        struct customer_ids changed = {0};

        TRY(address_books_store(c, books, &changed.ids));
        if (changed.ids.n == 0)
                return ERR_OK;
        customers_touched(c, changed.ids.v, changed.ids.n);
        return versions_count(c, &changed);
}

enum err addresses_change(struct ctx *c, struct address_change *changes, size_t n)
{
        struct customer_ids ids = {.ids.v = ARENA_ARRAY(c->arena, n, struct uuid)};
        struct address_books books;

        for (size_t i = 0; i < n; i++)
                ids.ids.v[ids.ids.n++] = changes[i].customer_id;
        TRY(address_books_load(c, &ids, /* more= */ 0, &books));
        for (size_t i = 0; i < n; i++) {
                struct address_change *change = &changes[i];
                struct address_book *book = address_book_of(c, &books, change->customer_id);
                const char *name = change->wanted.name;
                bool known = address_book_find(book, name) != NULL, changed;
                change->created = !known && !change->remove;
                change->err =
                        change->remove || address_book_takes(book, name) ? ERR_OK : ERR_ADDRESSES_TOO_MANY;
                if (change->err != ERR_OK)
                        continue;
                changed = change->remove ? address_book_remove(book, name)
                                         : address_book_put(book, &change->wanted, change->created_at);
                if (changed)
                        book->who = change->who;
        }
        return books_store(c, &books);
}

/* ------------------------------------------------------------------ the list of a customer */

void addresses_check(struct ctx *c, const char *pointer, const struct customer_in *in)
{
        const struct named_address *v = in->addresses.v;
        bool defaulted = false;

        for (size_t i = 0; i < in->addresses.n; i++) {
                for (size_t k = 0; k < i; k++) {
                        if (strcmp(v[k].name, v[i].name) != 0)
                                continue;
                        fault_body(c, arena_printf(c->arena, "%s/addresses/%zu/name", pointer, i),
                                   "duplicate", "is that of another one in the list");
                        break;
                }
                if (v[i].is_default && defaulted)
                        fault_body(c, arena_printf(c->arena, "%s/addresses/%zu/is_default", pointer, i),
                                   "duplicate", "is set of another one in the list");
                defaulted |= v[i].is_default;
        }
}

bool addresses_put_all(struct address_book *book, const struct customer_in *in)
{
        bool changed = false;

        for (size_t i = 0; i < in->addresses.n; i++)
                changed |= address_book_put(book, &in->addresses.v[i], (struct instant){0});
        return changed;
}

enum err addresses_replace(struct ctx *c, struct uuid customer_id, const struct customer_in *in)
{
        struct address_books books;

        TRY(address_books_load(c, &(struct customer_ids){{&customer_id, 1}}, /* more= */ 0, &books));
        struct address_book *book = address_book_of(c, &books, customer_id);
        address_book_clear(book);
        addresses_put_all(book, in);
        return address_books_store(c, &books, /* ret_changed= */ NULL);
}

/* ------------------------------------------------------------------ one address */

enum err addresses_list(struct ctx *c, struct uuid customer_id, struct list *ret)
{
        TRY(addresses_of(c, &(struct customer_ids){{&customer_id, 1}}, ret));
        return db_flush(c);
}

static enum err find(struct ctx *c, struct uuid customer_id, const char *name, struct address *ret)
{
        bool found;

        TRY(address_find(c, &(struct address){.customer_id = customer_id, .name = name}, ret, &found));
        return found ? ERR_OK : fail(c, ERR_NOT_FOUND, "The customer has no address \"%s\".", name);
}

enum err address_get(struct ctx *c, const char *customer, const char *name, struct address *ret)
{
        struct customer owner;

        TRY(customer_get(c, customer, &owner));
        return find(c, owner.id, name, ret);
}

static enum err change_one(struct ctx *c, struct address_change *change)
{
        TRY(addresses_change(c, change, 1));
        return change->err == ERR_OK ? ERR_OK : addresses_too_many(c);
}

enum err address_put(struct ctx *c, const char *customer, const struct named_address *wanted,
                     int64_t expected_version, struct address *ret, bool *ret_created)
{
        struct address_change change = {.wanted = *wanted};
        struct customer locked;
        struct address known = {0};
        bool found;

        TRY(customer_lock(c, customer, &locked));
        TRY(address_find(c, &(struct address){.customer_id = locked.id, .name = wanted->name}, &known,
                         &found));
        TRY(version_expect(c, "address", found ? known.version : 0, expected_version));
        change.customer_id = locked.id;
        TRY(change_one(c, &change));
        *ret_created = change.created;
        return find(c, locked.id, wanted->name, ret);
}

enum err address_change_one(struct ctx *c, const char *customer, const char *name,
                            const struct address_patch *patch, int64_t expected_version, struct address *ret)
{
        struct customer locked;
        struct address address;

        if (SHAPE_HAS(address_patch, patch, street) && patch->street == NULL)
                fault_body(c, "#/street", "required", "cannot be cleared");
        TRY(problem_check(c));
        TRY(customer_lock(c, customer, &locked));
        TRY(find(c, locked.id, name, &address));
        TRY(version_expect(c, "address", address.version, expected_version));
        shape_merge(&address_patch_shape, patch, &address_shape, &address, MERGE_ALL);
        struct address_change change = {
                .customer_id = locked.id, .wanted.name = name, .wanted.content = address.content};
        TRY(change_one(c, &change));
        return find(c, locked.id, name, ret);
}

enum err address_remove(struct ctx *c, const char *customer, const char *name)
{
        struct address_change change = {.remove = true};
        struct customer locked;
        struct address address;

        TRY(customer_lock(c, customer, &locked));
        TRY(find(c, locked.id, name, &address));
        change.customer_id = locked.id;
        change.wanted.name = name;
        return change_one(c, &change);
}
