/* A batch of orders in one transaction: load everybody and everything, decide one call after the other,
 * store. */
#include <assert.h>
#include <sodium.h>

#include "base/idmap.h"
#include "coupons/coupons.h"
#include "customers/tags.h"
#include "orders/check.h"
#include "orders/store.h"
#include "orders/take.h"
#include "points/points.h"
#include "program/programs.h"
#include "tiers/tiers.h"

/* One call while it is worked on. */
struct job {
        struct order_call *call;
        struct uuid order_id;
        struct bytes fingerprint;
        struct desk *desk;
        struct file *file;
        const struct customer_claim *claim;
};

struct batch {
        struct ctx *c;
        struct session session;
        struct job *jobs;
        size_t count;
        struct desk *desks;
        size_t desk_count;
        struct idmap desk_by_customer;
        struct file *files;
        size_t file_count;
        struct idmap file_by_order;
        struct list calls; /* struct order_call_row of the known orders */
        struct order_call_row *new_calls;
        size_t new_call_count;
        bool undo; /* the only call was refused after it had touched its customer */
};

uint64_t order_lane_key(const struct order_in *in)
{
        const struct customer_in *customer = &in->customer;

        if (uuid_known(customer->id))
                return uuid_hash(customer->id);
        if (customer->external_id != NULL)
                return uuid_hash(uuid_of_external("customer", customer->external_id));
        return uuid_hash(uuid_of_external("order", in->external_id));
}

/* ------------------------------------------------------------------ people */

static struct desk *desk_for(struct batch *b, struct customer *customer)
{
        size_t at = idmap_get(&b->desk_by_customer, customer->id);

        if (at == SIZE_MAX) {
                at = b->desk_count++;
                b->desks[at].customer = customer;
                idmap_put(&b->desk_by_customer, customer->id, at);
        }
        return &b->desks[at];
}

/* Check each order and find its customer. Orders that are not coherent are settled here; those whose customer
 * was refused later, for they may have been answered before. */
static enum err people_find(struct batch *b)
{
        struct customer_claim *claims = ARENA_ARRAY(b->c->arena, b->count, struct customer_claim);
        size_t n = 0;

        for (size_t i = 0; i < b->count; i++) {
                struct order_call *call = b->jobs[i].call;
                order_check(call->c, call->in);
                call->err = problem_check(call->c);
                if (call->err == ERR_OK)
                        claims[n++] = (struct customer_claim){.c = call->c,
                                                              .pointer = "#/customer",
                                                              .in = &call->in->customer,
                                                              .contact = {.channel = call->in->channel,
                                                                          .detail = call->in->channel_detail,
                                                                          .campaign = call->in->campaign,
                                                                          .referrer = call->in->referrer}};
        }
        TRY(customers_claim(b->c, claims, n));
        n = 0;
        for (size_t i = 0; i < b->count; i++) {
                struct job *job = &b->jobs[i];
                if (job->call->err != ERR_OK)
                        continue;
                job->claim = &claims[n++];
                if (job->claim->err == ERR_OK)
                        job->desk = desk_for(b, job->claim->customer);
        }
        return ERR_OK;
}

/* ------------------------------------------------------------------ loading */

static struct file *file_for(struct batch *b, struct uuid order_id)
{
        size_t at = idmap_get(&b->file_by_order, order_id);

        if (at == SIZE_MAX) {
                at = b->file_count++;
                idmap_put(&b->file_by_order, order_id, at);
        }
        return &b->files[at];
}

/* The earliest day on which a call of the batch takes place. */
static struct date first_day(const struct batch *b)
{
        struct date first = zone_date(&b->c->shop->zone, b->c->now);

        for (size_t i = 0; i < b->count; i++) {
                struct date day = zone_date(&b->c->shop->zone, take_time_of(b->jobs[i].call->in, b->c->now));
                if (date_compare(day, first) < 0)
                        first = day;
        }
        return first;
}

/* The first day that any decision of the batch may look back to. */
static struct date window_start(const struct batch *b, struct date first)
{
        const struct program *program = b->session.program;
        int months = program_window_months(program);

        if (months < program->lifecycle.loyal_window_months)
                months = (int)program->lifecycle.loyal_window_months;
        return date_add_months(first, -months);
}

/* The codes of a list of them that are not in the book, added to the others. */
static void codes_add(struct batch *b, const char *text, struct texts *codes)
{
        struct coupon_names names = coupon_names_read(b->c->arena, text);

        for (size_t i = 0; i < names.n; i++)
                if (coupon_book_find(&b->session.coupons, names.codes[i]) == NULL)
                        codes->v[codes->n++] = names.codes[i];
}

static struct texts codes_room(struct batch *b, size_t orders)
{
        return (struct texts){.v = ARENA_ARRAY(b->c->arena, orders * COUPONS_PER_ORDER_MAX, const char *)};
}

/* Coupons are locked here, behind their customers. */
static enum err named_coupons_later(struct batch *b, struct coupon_rows *ret)
{
        struct texts codes = {0};

        for (size_t i = 0; i < b->count; i++) {
                const struct order_in *in = b->jobs[i].call->in;
                if (in->coupon == NULL || in->backfill || b->jobs[i].call->err != ERR_OK)
                        continue;
                if (codes.v == NULL)
                        codes = codes_room(b, b->count);
                codes_add(b, in->coupon, &codes);
        }
        return codes.n > 0 ? coupons_later(b->c, &codes, ret) : ERR_OK;
}

/* Those that known orders have and nobody named. */
static enum err known_coupons_later(struct batch *b, const struct list *orders, struct coupon_rows *ret)
{
        const struct order *known = orders->v;
        struct texts codes = {0};

        for (size_t i = 0; i < orders->n; i++) {
                if (known[i].coupon == NULL)
                        continue;
                if (codes.v == NULL)
                        codes = codes_room(b, orders->n);
                codes_add(b, known[i].coupon, &codes);
        }
        return codes.n > 0 ? coupons_later(b->c, &codes, ret) : ERR_OK;
}

/* What the programme's rules may issue: nothing is asked where it has none. */
static enum err offers_later(struct batch *b, const struct uuids *customers, struct coupon_offer_rows *ret)
{
        const struct program *program = b->session.program;
        struct texts templates = {0};

        if (program->coupons.n == 0)
                return ERR_OK;
        templates.v = ARENA_ARRAY(b->c->arena, program->coupons.n, const char *);
        for (size_t i = 0; i < program->coupons.n; i++)
                templates.v[templates.n++] = program->coupons.v[i].template;
        return coupon_offers_later(b->c, &templates, customers, ret);
}

/* Those that orders have brought which are cancelled now. */
static enum err brought_coupons_later(struct batch *b, struct coupon_rows *ret)
{
        struct uuids orders = {0};

        if (!b->session.program->withdraws_coupons)
                return ERR_OK;
        orders.v = ARENA_ARRAY(b->c->arena, b->count, struct uuid);
        for (size_t i = 0; i < b->count; i++)
                if (b->jobs[i].call->err == ERR_OK && b->jobs[i].call->in->status == ORDER_CANCELLED)
                        orders.v[orders.n++] = b->jobs[i].order_id;
        return orders.n > 0 ? coupons_from_later(b->c, &orders, ret) : ERR_OK;
}

/* What else those have bought who cancel something. */
static enum err others_later(struct batch *b, const struct uuids *orders, struct list *ret)
{
        struct order_probe probe = {.orders = *orders};

        for (size_t i = 0; i < b->count; i++) {
                const struct job *job = &b->jobs[i];
                if (job->desk == NULL || job->call->in->status != ORDER_CANCELLED)
                        continue;
                if (probe.customers.v == NULL)
                        probe.customers.v = ARENA_ARRAY(b->c->arena, b->count, struct uuid);
                probe.customers.v[probe.customers.n++] = job->desk->customer->id;
        }
        return probe.customers.n > 0 ? last_orders_later(b->c, &probe, ret) : ERR_OK;
}

static void others_give(struct batch *b, const struct list *rows)
{
        const struct last_order *others = rows->v;

        for (size_t i = 0; i < rows->n; i++)
                b->desks[idmap_get(&b->desk_by_customer, others[i].customer_id)].others_last =
                        others[i].last_order_at;
}

static enum err load_known(struct batch *b, struct list *ret_orders)
{
        struct arena *arena = b->c->arena;
        struct uuids customers = {ARENA_ARRAY(arena, b->desk_count, struct uuid), b->desk_count};
        struct uuids orders = {ARENA_ARRAY(arena, b->count, struct uuid), 0};
        struct list accounts = {0}, caps = {0}, tags = {0}, others = {0};
        struct stand_rows stands = {0};
        struct coupon_rows coupons = {0};
        struct coupon_offer_rows offers = {0};
        struct date first = first_day(b);
        struct newcomer *who = ARENA_ARRAY(arena, b->desk_count, struct newcomer);

        for (size_t i = 0; i < b->desk_count; i++) {
                const struct customer *customer = b->desks[i].customer;
                customers.v[i] = customer->id;
                who[i] = (struct newcomer){customer->id, customer->created_at};
        }
        for (size_t i = 0; i < b->count; i++)
                if (b->jobs[i].call->err == ERR_OK)
                        orders.v[orders.n++] = b->jobs[i].order_id;
        TRY(orders_later(b->c, &orders, ret_orders));
        TRY(others_later(b, &orders, &others));
        TRY(points_accounts_later(b->c, &customers, &accounts));
        TRY(stands_later(b->c, &customers, window_start(b, first), &stands));
        if (b->session.program->counts_days)
                TRY(points_caps_later(b->c, &customers, first, &caps));
        if (b->session.program->asks_tags)
                TRY(tags_later(b->c, &customers, b->c->now, &tags));
        TRY(named_coupons_later(b, &coupons));
        TRY(offers_later(b, &customers, &offers));
        TRY(db_flush(b->c));
        TRY(coupons_give(b->c, &coupons, &b->session.coupons));
        TRY(coupon_offers_give(b->c, &offers, &b->session.offers));
        others_give(b, &others);
        const struct stand *standing = stands_of(arena, b->session.program, &stands, who, b->desk_count);
        for (size_t i = 0; i < b->desk_count; i++) {
                struct desk *desk = &b->desks[i];
                desk->book.account.customer_id = desk->customer->id;
                desk->stand = standing[i];
                desk->caps = points_caps_of(arena, &caps, desk->customer->id);
                desk->tags = tags_of(arena, &tags, desk->customer->id);
        }
        for (size_t i = 0; i < accounts.n; i++) {
                const struct points_account *account = &((const struct points_account *)accounts.v)[i];
                b->desks[idmap_get(&b->desk_by_customer, account->customer_id)].book.account = *account;
        }
        return ERR_OK;
}

static void probe_add(struct hold_probe *probe, struct uuid customer_id, struct uuid hold_id)
{
        for (size_t i = 0; i < probe->holds.n; i++)
                if (uuid_equal(probe->holds.v[i], hold_id) && uuid_equal(probe->customers.v[i], customer_id))
                        return;
        probe->customers.v[probe->customers.n++] = customer_id;
        probe->holds.v[probe->holds.n++] = hold_id;
}

/* The holds that a job names or its order has, and whether there are any. */
static bool holds_of(const struct job *job, struct hold_probe *probe)
{
        struct uuid customer_id = job->desk->customer->id, id;
        bool named = job->call->in->points_hold != NULL &&
                     hold_reference(customer_id, job->call->in->points_hold, &id);
        bool has = uuid_known(job->file->order.points_hold);

        if (named)
                probe_add(probe, customer_id, id);
        if (has)
                probe_add(probe, customer_id, job->file->order.points_hold);
        return named || has;
}

/* Lines and answered calls of the orders that are known, and the lots of those whose points move. */
static enum err load_more(struct batch *b, const struct list *orders)
{
        struct arena *arena = b->c->arena;
        struct order_probe probe = {.customers.v = ARENA_ARRAY(arena, orders->n, struct uuid),
                                    .orders.v = ARENA_ARRAY(arena, orders->n, struct uuid)};
        struct uuids movers = {ARENA_ARRAY(arena, b->count, struct uuid), 0};
        struct hold_probe holds = {.customers.v = ARENA_ARRAY(arena, 2 * b->count, struct uuid),
                                   .holds.v = ARENA_ARRAY(arena, 2 * b->count, struct uuid)};
        struct list lines = {0}, lots = {0};
        struct hold_rows hold_rows = {0};
        struct coupon_rows coupons = {0}, brought = {0};

        for (size_t i = 0; i < orders->n; i++) {
                const struct order *order = &((const struct order *)orders->v)[i];
                file_for(b, order->id)->order = *order;
                probe.customers.v[probe.customers.n++] = order->customer_id;
                probe.orders.v[probe.orders.n++] = order->id;
        }
        for (size_t i = 0; i < b->count; i++) {
                const struct job *job = &b->jobs[i];
                /* an order that comes twice in a batch is looked at as if known: its second call may move
                 * points */
                const struct order *known = job->desk != NULL ? &job->file->order : NULL;
                if (known == NULL)
                        continue;
                bool has_holds = holds_of(job, &holds);
                if (has_holds ||
                    book_earn_needs_lots(&job->desk->book, &b->session.journal,
                                         take_time_of(job->call->in, b->c->now)) ||
                    take_needs_lots(b->session.program, &job->desk->book,
                                    uuid_known(known->id) ? known : NULL, job->call->in))
                        movers.v[movers.n++] = job->desk->customer->id;
        }
        if (orders->n > 0) {
                TRY(order_lines_later(b->c, &probe, &lines));
                TRY(order_calls_later(b->c, &probe, &b->calls));
        }
        if (movers.n > 0)
                TRY(points_lots_later(b->c, &movers, &lots));
        if (holds.holds.n > 0)
                TRY(points_holds_later(b->c, &holds, &hold_rows));
        TRY(known_coupons_later(b, orders, &coupons));
        TRY(brought_coupons_later(b, &brought));
        TRY(db_flush(b->c));
        TRY(coupons_give(b->c, &coupons, &b->session.coupons));
        TRY(coupons_give(b->c, &brought, &b->session.coupons));
        for (size_t i = 0; i < orders->n; i++)
                file_lines_give(arena, file_for(b, ((const struct order *)orders->v)[i].id), &lines);
        for (size_t i = 0; i < movers.n; i++) {
                struct book *book = &b->desks[idmap_get(&b->desk_by_customer, movers.v[i])].book;
                if (book->lots_loaded)
                        continue;
                points_lots_give(arena, book, &lots);
                points_holds_give(arena, book, &hold_rows);
        }
        return ERR_OK;
}

/* A new customer, or one without an account, has no lots: they are all here already. */
static void empty_books_open(struct batch *b)
{
        for (size_t i = 0; i < b->desk_count; i++)
                if (b->desks[i].book.account.last_seq == 0)
                        b->desks[i].book.lots_loaded = true;
}

/* Whoever does something now does it as he stands now, though the housekeeper has not come by. */
static enum err catch_up(struct batch *b)
{
        struct stand **stands = ARENA_ARRAY(b->c->arena, b->desk_count, struct stand *);
        struct book **books = ARENA_ARRAY(b->c->arena, b->desk_count, struct book *);
        size_t n = 0;

        for (size_t i = 0; i < b->count; i++)
                if (b->jobs[i].desk != NULL && !b->jobs[i].call->in->backfill)
                        b->jobs[i].desk->live = true;
        for (size_t i = 0; i < b->desk_count; i++) {
                if (!b->desks[i].live)
                        continue;
                stands[n] = &b->desks[i].stand;
                books[n++] = &b->desks[i].book;
        }
        TRY(stands_catch_up(b->c, b->session.program, b->c->now, stands, n, &b->session.events));
        return points_catch_up(b->c, books, n, &b->session.journal, b->c->now);
}

static enum err load(struct batch *b)
{
        struct list orders = {0};

        TRY(load_known(b, &orders));
        empty_books_open(b);
        for (size_t i = 0; i < b->count; i++)
                if (b->jobs[i].call->err == ERR_OK)
                        b->jobs[i].file = file_for(b, b->jobs[i].order_id);
        b->session.files = b->files;
        b->session.file_count = b->file_count;
        TRY(load_more(b, &orders));
        return catch_up(b);
}

/* ------------------------------------------------------------------ deciding */

/* The answer that this very call got before, in this batch or an earlier one. */
static bool replay(const struct batch *b, struct job *job)
{
        struct order_call *call = job->call;
        const struct order_call_row *rows = b->calls.v;

        for (const struct seen_call *seen = job->file->seen; seen != NULL; seen = seen->next) {
                if (!fingerprints_equal(seen->fingerprint, job->fingerprint))
                        continue;
                call->outcome = arena_strndup(call->c->arena, seen->outcome, seen->outcome_len);
                call->outcome_len = seen->outcome_len;
                return call->replayed = true;
        }
        for (size_t i = 0; i < b->calls.n; i++) {
                if (!uuid_equal(rows[i].order_id, job->order_id) ||
                    !fingerprints_equal(rows[i].fingerprint, job->fingerprint))
                        continue;
                call->outcome = arena_strdup(call->c->arena, rows[i].outcome);
                call->outcome_len = strlen(rows[i].outcome);
                return call->replayed = true;
        }
        return false;
}

/* Keep the answer for the same call again. */
static void remember(struct batch *b, struct job *job, const struct outcome *outcome)
{
        struct seen_call *seen = ARENA_NEW(b->c->arena, struct seen_call);
        const struct order *order = &job->file->order;
        const struct ctx *who = job->call->c;

        *seen = (struct seen_call){.fingerprint = job->fingerprint, .next = job->file->seen};
        seen->outcome = outcome_write(b->c->arena, outcome, &seen->outcome_len);
        job->file->seen = seen;
        job->call->outcome = arena_strndup(job->call->c->arena, seen->outcome, seen->outcome_len);
        job->call->outcome_len = seen->outcome_len;
        b->new_calls[b->new_call_count++] =
                (struct order_call_row){.customer_id = order->customer_id,
                                        .order_id = order->id,
                                        .call_no = order->calls,
                                        .fingerprint = job->fingerprint,
                                        .outcome = seen->outcome,
                                        .key_id = who->principal != NULL ? who->principal->key_id : NULL,
                                        .request_id = who->request_id};
}

/* In one batch a call may need the lots of an order that an earlier call of the batch made count: then the
 * batch is better taken apart. */
static bool lots_missing(const struct batch *b, const struct job *job)
{
        const struct order *order = &job->file->order;

        return uuid_known(order->id) && !job->desk->book.lots_loaded &&
               take_needs_lots(b->session.program, &job->desk->book, order, job->call->in);
}

/* A call that was refused or answered before leaves nothing behind, on its customer neither: alone it is
 * undone, among others the batch is taken apart. */
static enum err leave_nothing(struct batch *b, const struct job *job)
{
        if (job->claim->touched && b->count > 1)
                return fail(b->c, ERR_CONFLICT,
                            "A call of the batch changes nothing but had touched its customer.");
        b->undo = job->claim->touched;
        return ERR_OK;
}

static enum err decide(struct batch *b, struct job *job)
{
        struct order_call *call = job->call;
        struct outcome outcome;
        bool known = uuid_known(job->file->order.id);

        if (replay(b, job)) {
                problem_reset(call->c);
                return leave_nothing(b, job);
        }
        call->err = job->claim->err;
        if (call->err != ERR_OK)
                return ERR_OK;
        if (lots_missing(b, job))
                return fail(b->c, ERR_CONFLICT, "An order comes twice in a batch.");
        job->desk->customer = job->claim->customer;
        b->session.journal.actor = call->c->principal != NULL ? call->c->principal->key_id : NULL;
        call->err = take_order(&b->session, call->c, job->desk, job->file, call->in,
                               job->claim->contact.referrer_id, &outcome);
        if (call->err != ERR_OK)
                return leave_nothing(b, job);
        call->created = !known;
        outcome.customer.created = job->claim->created;
        remember(b, job, &outcome);
        return ERR_OK;
}

/* ------------------------------------------------------------------ storing */

static enum err askers_store(struct batch *b)
{
        struct customer_moment *askers = ARENA_ARRAY(b->c->arena, b->desk_count, struct customer_moment);
        size_t n = 0;

        for (size_t i = 0; i < b->desk_count; i++)
                if (instant_known(b->desks[i].asked_at))
                        askers[n++] =
                                (struct customer_moment){b->desks[i].customer->id, b->desks[i].asked_at};
        return customers_first_asked(b->c, askers, n);
}

static enum err store(struct batch *b)
{
        struct arena *arena = b->c->arena;
        struct book **books = ARENA_ARRAY(arena, b->desk_count, struct book *);
        struct stand **stands = ARENA_ARRAY(arena, b->desk_count, struct stand *);
        const struct caps_used **caps = ARENA_ARRAY(arena, b->desk_count, const struct caps_used *);
        struct file **files = ARENA_ARRAY(arena, b->file_count, struct file *);
        size_t n = 0;

        for (size_t i = 0; i < b->desk_count; i++) {
                books[i] = &b->desks[i].book;
                stands[i] = &b->desks[i].stand;
                caps[i] = &b->desks[i].caps;
        }
        for (size_t i = 0; i < b->file_count; i++)
                if (b->files[i].changed)
                        files[n++] = &b->files[i];
        TRY(askers_store(b));
        TRY(files_store(b->c, files, n));
        TRY(order_calls_store(b->c, b->new_calls, b->new_call_count));
        TRY(points_store(b->c, books, b->desk_count, &b->session.journal));
        TRY(stands_store(b->c, stands, b->desk_count));
        TRY(files_tell_referrals(b->c, b->session.program, files, n));
        TRY(points_caps_store(b->c, caps, b->desk_count));
        TRY(returns_store(b->c, &b->session, /* kept= */ NULL));
        TRY(coupons_store(b->c, &b->session.coupons));
        TRY(coupon_offers_store(b->c, &b->session.offers));
        return events_store(b->c, &b->session.events);
}

static void batch_start(struct batch *b, struct order_call *calls, size_t n)
{
        struct arena *arena = b->c->arena;

        b->count = n;
        b->jobs = ARENA_ARRAY(arena, n, struct job);
        b->desks = ARENA_ARRAY(arena, n, struct desk);
        b->files = ARENA_ARRAY(arena, n, struct file);
        b->desk_by_customer = idmap_new(arena, n);
        b->file_by_order = idmap_new(arena, n);
        b->new_calls = ARENA_ARRAY(arena, n, struct order_call_row);
        for (size_t i = 0; i < n; i++) {
                calls[i].err = ERR_OK;
                calls[i].created = calls[i].replayed = false;
                calls[i].order_id = uuid_of_external("order", calls[i].in->external_id);
                b->jobs[i] = (struct job){
                        .call = &calls[i],
                        .order_id = calls[i].order_id,
                        .fingerprint = input_fingerprint(arena, &order_in_shape, calls[i].in),
                };
        }
}

enum err orders_take(struct ctx *c, struct order_call *calls, size_t n)
{
        PROGRAM(program);
        TX(tx);
        struct batch b = {.c = c,
                          .session = {.arena = c->arena,
                                      .program = program,
                                      .shop = c->shop,
                                      .journal = journal_of(c, program)}};

        batch_start(&b, calls, n);
        TRY(tx_begin(c, &tx));
        TRY(people_find(&b));
        TRY(load(&b));
        for (size_t i = 0; i < n; i++)
                if (calls[i].err == ERR_OK)
                        TRY(decide(&b, &b.jobs[i]));
        if (b.undo)
                return ERR_OK; /* without commit */
        TRY(store(&b));
        return tx_commit(&tx);
}
