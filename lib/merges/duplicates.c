#include "merges/duplicates.h"

#include <string.h>

#include "base/idmap.h"
#include "directory/directory.h"

#define SHAPE_T struct duplicate
SHAPE(duplicate, "Customers who may be one person.",
      FIELD(why, .need = true, .names = &likeness_names,
            .doc = "The same number, mailbox or account; the same name, and an address that is the same; or, of customers without any address, the same name and city."),
      FIELD(score, .doc = "How sure it is, from 1 to 100."), LIST(customers, customer));
#undef SHAPE_T

#define SHAPE_T struct duplicate_position
SHAPE(duplicate_position, "The last one shown.", FIELD(why, .need = true, .names = &likeness_names),
      FIELD(key));
#undef SHAPE_T

/* How sure each likeness is. Somebody of the same name, place and day of birth is surer than without it. */
static const int64_t scores[] = {[LIKENESS_NUMBER] = 95,
                                 [LIKENESS_EMAIL] = 90,
                                 [LIKENESS_ACCOUNT] = 80,
                                 [LIKENESS_ADDRESS] = 75,
                                 [LIKENESS_REGION] = 40};
static const int64_t birthday_scores[] = {[LIKENESS_ADDRESS] = 90, [LIKENESS_REGION] = 70};

static int64_t score_of(const struct duplicate *one)
{
        const struct birthday *first = NULL;
        size_t born = 0;

        if (one->why < LIKENESS_ADDRESS)
                return scores[one->why];
        for (size_t i = 0; i < one->customers.n; i++) {
                const struct birthday *birthday = &one->customers.v[i].birthday;
                if (birthday->month == 0)
                        continue;
                if (first != NULL && memcmp(first, birthday, sizeof *first) != 0)
                        return scores[one->why];
                first = birthday;
                born++;
        }
        return born > 1 ? birthday_scores[one->why] : scores[one->why];
}

/* The groups with their customers in full. */
static enum err complete(struct ctx *c, const struct alike *alike, size_t n, struct duplicate *ret)
{
        struct uuids ids = {ARENA_ARRAY(c->arena, n * ALIKE_MAX, struct uuid), 0};
        struct list people;

        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < alike[i].ids.n; k++)
                        ids.v[ids.n++] = alike[i].ids.v[k];
        TRY(customers_of(c, &ids, &people));
        struct customer *customers = people.v;
        TRY(customers_fill_in(c, customers, people.n));
        struct idmap by_id = idmap_new(c->arena, people.n);
        for (size_t i = 0; i < people.n; i++)
                idmap_put(&by_id, customers[i].id, i);
        TRY(directory_complete(c, customers, people.n));
        for (size_t i = 0; i < n; i++) {
                struct duplicate *one = &ret[i];
                *one = (struct duplicate){.why = (unsigned)alike[i].why};
                one->customers.v = ARENA_ARRAY(c->arena, alike[i].ids.n, struct customer);
                for (size_t k = 0; k < alike[i].ids.n; k++) {
                        size_t at = idmap_get(&by_id, alike[i].ids.v[k]);
                        if (at != SIZE_MAX) /* or gone between the two looks */
                                one->customers.v[one->customers.n++] = customers[at];
                }
                one->score = score_of(one);
        }
        return ERR_OK;
}

enum err duplicates_list(struct ctx *c, const struct duplicates_page *page, struct duplicates_found *ret)
{
        unsigned first = page->why != LIKENESS_NONE ? page->why : LIKENESS_NUMBER;
        unsigned last = page->why != LIKENESS_NONE ? page->why : LIKENESS_REGION;
        struct alike_page wanted = {.after_why = first,
                                    .after_key = INT64_MIN, /* which no hash of the few there are is */
                                    .why_last = last,
                                    .limit = page->limit + 1};
        struct list found;

        if (page->after.why != LIKENESS_NONE) {
                wanted.after_why = page->after.why;
                wanted.after_key = page->after.key;
        }
        TRY(directory_settle(c));
        TRY(alike_list(c, &wanted, &found));
        const struct alike *alike = found.v;
        *ret = (struct duplicates_found){.more = found.n > (size_t)page->limit};
        ret->duplicates.n = ret->more ? (size_t)page->limit : found.n;
        ret->duplicates.v = ARENA_ARRAY(c->arena, ret->duplicates.n, struct duplicate);
        if (ret->more) {
                const struct alike *end = &alike[ret->duplicates.n - 1];
                ret->last = (struct duplicate_position){(unsigned)end->why, end->key};
        }
        return complete(c, alike, ret->duplicates.n, ret->duplicates.v);
}
