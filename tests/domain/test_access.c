/* Keys and the installation on a real database. */
#include "fixture.h"
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>

#include "access/access.h"
#include "access/installation.h"

static struct fixture *fixture;
static const char *const two_scopes[] = {"orders:write", "customers:read"};

static struct ctx *ready(void)
{
        struct ctx *c = fixture_ctx(fixture);

        EXPECT_INT(db_ready(c), ERR_OK);
        return c;
}

static struct texts scopes(const char *const *names, size_t n)
{
        return (struct texts){.v = (const char **)names, .n = n};
}

/* Make a key and give the Authorization header that carries it. */
static const char *make_as(struct ctx *c, const struct key_new *new, struct key_made *ret)
{
        EXPECT_INT(key_create(c, new, ret), ERR_OK);
        EXPECT_INT(access_load(c), ERR_OK);
        return arena_printf(c->arena, "Bearer %s", ret->key);
}

static const char *make(struct ctx *c, const char *const *names, size_t n, struct instant expires_at)
{
        struct key_made made = {.key = ""};

        return make_as(
                c, &(struct key_new){.name = "till", .scopes = scopes(names, n), .expires_at = expires_at},
                &made);
}

static const uint8_t home[4] = {192, 168, 0, 7};

static enum access_result ask(const char *header, struct instant now, struct arena *arena,
                              struct access_grant *ret)
{
        return access_check(&(struct access_request){header, network_address_v4(home), now, 0}, arena, ret);
}

/* Who is let in, or NULL. */
static const struct principal *check(const char *header, struct instant now, struct arena *arena)
{
        struct access_grant grant;

        return ask(header, now, arena, &grant) == ACCESS_GRANTED ? grant.principal : NULL;
}

TEST(installation_is_recorded_once_and_then_must_match)
{
        struct ctx *c = ready();
        struct shop shop;

        EXPECT_INT(access_load(c), ERR_NOT_FOUND);
        c = ready();
        EXPECT_INT(installation_open(c, "gbp", NULL, &shop), ERR_INVALID);
        EXPECT_INT(installation_open(c, "GBP", "Europe/Atlantis", &shop), ERR_INVALID);
        c = ready();
        EXPECT_INT(installation_open(c, "GBP", "Europe/London", &shop), ERR_OK);
        EXPECT_TEXT(shop.currency, "GBP");
        EXPECT_TEXT(shop.zone.name, "Europe/London");
        EXPECT_INT(installation_open(c, NULL, NULL, &shop), ERR_OK);
        EXPECT_TEXT(shop.currency, "GBP");
        EXPECT_TEXT(shop.zone.name, "Europe/London");
        EXPECT(shop.zone.count > 1);
        EXPECT_INT(installation_open(c, "CNY", NULL, &shop), ERR_CONFLICT);
        EXPECT(strstr(c->problem.detail, "GBP") != NULL && strstr(c->problem.detail, "CNY") != NULL);
        EXPECT_INT(installation_open(c, NULL, "Asia/Shanghai", &shop), ERR_CONFLICT);
        EXPECT(strstr(c->problem.detail, "UPDATE installation SET zone = 'Asia/Shanghai'") != NULL);
}

TEST(installation_secret_stays_the_same)
{
        struct ctx *c = ready();
        uint8_t first[INSTALLATION_SECRET_BYTES], second[INSTALLATION_SECRET_BYTES],
                zero[INSTALLATION_SECRET_BYTES] = {0};
        struct shop shop;

        EXPECT_INT(installation_secret(c, first), ERR_OK);
        EXPECT_INT(installation_open(c, NULL, NULL, &shop), ERR_OK);
        EXPECT_INT(installation_secret(c, second), ERR_OK);
        EXPECT(memcmp(first, second, sizeof first) == 0 && memcmp(first, zero, sizeof first) != 0);
}

TEST(access_check_knows_a_good_key_and_no_other)
{
        struct ctx *c = ready();
        const char *header = make(c, two_scopes, 2, (struct instant){0});
        char *wrong = arena_strdup(c->arena, header), *unknown = arena_strdup(c->arena, header);

        const struct principal *who = check(header, c->now, c->arena);
        EXPECT(who != NULL);
        if (who == NULL)
                return;
        EXPECT_INT(who->scopes, SCOPE_ORDERS_WRITE | SCOPE_CUSTOMERS_READ);
        EXPECT(!who->pii && strlen(who->key_id) == KEY_ID_CHARS);
        char *last = &wrong[strlen(wrong) - 1], *id = &unknown[strlen("Bearer pk_")];
        *last = *last == '0' ? '1' : '0';
        *id = *id == '0' ? '1' : '0';
        EXPECT(check(wrong, c->now, c->arena) == NULL);
        EXPECT(check(unknown, c->now, c->arena) == NULL);
        EXPECT(check(NULL, c->now, c->arena) == NULL);
        EXPECT(check("Bearer x", c->now, c->arena) == NULL);
        access_unload();
        EXPECT(check(header, c->now, c->arena) == NULL);
}

TEST(access_scopes_admin_is_all_and_pii_unmasks)
{
        static const char *const admin[] = {"admin"}, *const pii[] = {"customers:pii"};
        struct ctx *c = ready();

        const struct principal *who = check(make(c, admin, 1, (struct instant){0}), c->now, c->arena);
        EXPECT(who != NULL && who->pii && who->scopes == (UINT64_C(1) << SCOPE_COUNT_) - 1);
        who = check(make(c, pii, 1, (struct instant){0}), c->now, c->arena);
        EXPECT(who != NULL && who->pii && who->scopes == SCOPE_CUSTOMERS_PII);
}

TEST(access_key_ends_at_its_expiry)
{
        struct ctx *c = ready();
        struct instant end = {c->now.us + 60 * INSTANT_SECOND};
        const char *header = make(c, two_scopes, 1, end);

        EXPECT(check(header, (struct instant){end.us - 1}, c->arena) != NULL);
        EXPECT(check(header, end, c->arena) == NULL);
}

TEST(access_key_ends_when_revoked_and_stays_listed)
{
        struct ctx *c = ready();
        const char *header = make(c, two_scopes, 2, (struct instant){0});
        const struct principal *who = check(header, c->now, c->arena);
        struct list keys = {0};
        bool listed = false;

        EXPECT(who != NULL);
        if (who == NULL)
                return;
        EXPECT_INT(key_revoke(c, who->key_id), ERR_OK);
        EXPECT_INT(key_revoke(c, who->key_id), ERR_OK);
        EXPECT_INT(access_load(c), ERR_OK);
        EXPECT(check(header, c->now, c->arena) == NULL);
        EXPECT_INT(key_list(c, &(struct key_page){.limit = 1000}, &keys), ERR_OK);
        for (size_t i = 0; i < keys.n; i++) {
                const struct key_info *key = (const struct key_info *)keys.v + i;
                if (strcmp(key->id, who->key_id) != 0)
                        continue;
                listed = key->revoked_at.us == c->now.us && key->scopes.n == 2 &&
                         strcmp(key->name, "till") == 0;
        }
        EXPECT(listed);
        EXPECT_INT(key_revoke(c, "000000000000"), ERR_NOT_FOUND);
        EXPECT_TEXT(c->problem.detail, "There is no key 000000000000.");
}

TEST(key_create_refuses_what_would_be_no_use)
{
        static const char *const unknown[] = {"orders:write", "orders:everything"};
        static const char *const nets[] = {"10.0.0.1/8", "10.0.0.0/8", "anywhere"};
        struct ctx *c = ready();
        struct key_made made = {.key = NULL};
        struct key_new good = {.name = "x", .scopes = scopes(two_scopes, 1)}, bad = good;

        bad.name = "";
        EXPECT_INT(key_create(c, &bad, &made), ERR_INVALID);
        bad = good;
        bad.scopes.n = 0;
        EXPECT_INT(key_create(ready(), &bad, &made), ERR_INVALID);
        bad.scopes = scopes(unknown, 2);
        EXPECT_INT(key_create(ready(), &bad, &made), ERR_INVALID);
        EXPECT_TEXT(c->problem.faults[0].pointer, "#/scopes/1");
        bad = good;
        bad.expires_at = c->now;
        EXPECT_INT(key_create(ready(), &bad, &made), ERR_INVALID);
        bad = good;
        bad.rate_burst = (struct opt_int){true, 5};
        EXPECT_INT(key_create(ready(), &bad, &made), ERR_INVALID);
        EXPECT_TEXT(c->problem.faults[0].pointer, "#/rate_burst");
        bad = good;
        bad.networks = scopes(nets, 3);
        EXPECT_INT(key_create(ready(), &bad, &made), ERR_INVALID);
        EXPECT_INT(c->problem.fault_count, 2);
        EXPECT_TEXT(c->problem.faults[1].pointer, "#/networks/2");
        EXPECT(made.key == NULL);
}

TEST(key_create_gives_no_scope_that_the_caller_lacks)
{
        static const char *const admin[] = {"admin"};
        struct ctx *c = ready();
        struct principal clerk = {.key_id = "0123456789ab", .scopes = SCOPE_KEYS_WRITE | SCOPE_ORDERS_WRITE};
        struct key_made made, theirs;
        struct key_new one = {.name = "x", .scopes = scopes(two_scopes, 1)}, both = {.name = "x"}, all = both;

        both.scopes = scopes(two_scopes, 2);
        all.scopes = scopes(admin, 1);
        EXPECT_INT(key_create(c, &all, &theirs), ERR_OK);
        const char *their_id = arena_strdup(c->arena, theirs.id);
        c->principal = &clerk;
        EXPECT_INT(key_create(c, &one, &made), ERR_OK);
        EXPECT_INT(key_create(c, &both, &made), ERR_FORBIDDEN);
        EXPECT(strstr(c->problem.extra.data, "customers:read") != NULL);
        EXPECT_INT(key_create(c, &all, &made), ERR_FORBIDDEN);
        /* a new secret of a stronger key would be the stronger key */
        EXPECT_INT(key_rotate(c, their_id, 0, &made), ERR_FORBIDDEN);
        EXPECT_INT(key_revoke(c, their_id), ERR_FORBIDDEN);
        c->principal = NULL;
}

TEST(key_rotate_lets_the_old_secret_live_for_the_overlap)
{
        struct ctx *c = ready();
        struct key_made first, second, third;
        const char *old =
                make_as(c, &(struct key_new){.name = "till", .scopes = scopes(two_scopes, 1)}, &first);

        EXPECT_INT(key_rotate(c, first.id, 60, &second), ERR_OK);
        EXPECT_INT(access_load(c), ERR_OK);
        const char *new = arena_printf(c->arena, "Bearer %s", second.key);
        struct instant last = {c->now.us + 60 * INSTANT_SECOND - 1}, end = {last.us + 1};
        EXPECT(strcmp(old, new) != 0 && strcmp(first.id, second.id) == 0);
        EXPECT_INT(second.previous_until.us, end.us);
        EXPECT(check(old, last, c->arena) != NULL && check(old, end, c->arena) == NULL);
        EXPECT(check(new, last, c->arena) != NULL && check(new, end, c->arena) != NULL);

        EXPECT_INT(key_rotate(c, first.id, 0, &third), ERR_OK);
        EXPECT_INT(access_load(c), ERR_OK);
        EXPECT(check(old, c->now, c->arena) == NULL && check(new, c->now, c->arena) == NULL);
        EXPECT(check(arena_printf(c->arena, "Bearer %s", third.key), c->now, c->arena) != NULL);

        EXPECT_INT(key_revoke(c, first.id), ERR_OK);
        EXPECT_INT(key_rotate(c, first.id, 0, &third), ERR_KEY_REVOKED);
        EXPECT_INT(key_rotate(c, "000000000000", 0, &third), ERR_NOT_FOUND);
}

TEST(access_check_keeps_a_key_in_its_networks)
{
        static const char *const away[] = {"10.0.0.0/8", "2001:db8::/32"}, *const here[] = {"192.168.0.0/24"};
        struct ctx *c = ready();
        struct key_new new = {.name = "till", .scopes = scopes(two_scopes, 1), .networks = scopes(away, 2)};
        struct key_made made;
        struct access_grant grant;

        const char *header = make_as(c, &new, &made);
        EXPECT_INT(made.networks.n, 2);
        EXPECT_INT(ask(header, c->now, c->arena, &grant), ACCESS_ELSEWHERE);
        char *wrong = arena_strdup(c->arena, header);
        wrong[strlen(wrong) - 1] ^= 1; /* who knows no secret learns nothing of networks */
        EXPECT_INT(ask(wrong, c->now, c->arena, &grant), ACCESS_UNKNOWN);
        new.networks = scopes(here, 1);
        EXPECT_INT(ask(make_as(c, &new, &made), c->now, c->arena, &grant), ACCESS_GRANTED);
}

TEST(access_check_holds_a_key_to_its_rate_across_reloads)
{
        struct ctx *c = ready();
        struct key_new new = {.name = "till", .scopes = scopes(two_scopes, 1), .rate_per_second = {true, 2}};
        struct key_made made;
        struct access_grant grant;
        const char *header = make_as(c, &new, &made);

        EXPECT_INT(made.rate_burst.v, 2);
        EXPECT_INT(ask(header, c->now, c->arena, &grant), ACCESS_GRANTED);
        EXPECT_INT(grant.level.remaining, 1);
        EXPECT_INT(access_load(c), ERR_OK);
        EXPECT_INT(ask(header, c->now, c->arena, &grant), ACCESS_GRANTED);
        EXPECT_INT(ask(header, c->now, c->arena, &grant), ACCESS_TOO_OFTEN);
        EXPECT_INT(grant.level.retry_in_seconds, 1);
        struct access_request later = {header, network_address_v4(home), c->now, INSTANT_SECOND / 2};
        EXPECT_INT(access_check(&later, c->arena, &grant), ACCESS_GRANTED);
}

TEST(access_store_use_writes_the_last_use_of_keys_that_were_used)
{
        struct ctx *c = ready();
        struct key_made used, idle;
        struct key_new new = {.name = "till", .scopes = scopes(two_scopes, 1)};
        struct key_info info;

        const char *header = make_as(c, &new, &used);
        make_as(c, &new, &idle);
        struct instant at = {c->now.us + 5 * INSTANT_SECOND};
        EXPECT(check(header, at, c->arena) != NULL);
        EXPECT_INT(access_store_use(c), ERR_OK);
        EXPECT_INT(key_get(c, used.id, &info), ERR_OK);
        EXPECT_INT(info.last_used_at.us, at.us);
        EXPECT_INT(key_get(c, idle.id, &info), ERR_OK);
        EXPECT(!instant_known(info.last_used_at));
        /* a server whose clock is behind takes nothing back */
        EXPECT(check(header, (struct instant){at.us - 1}, c->arena) != NULL);
        EXPECT_INT(access_store_use(c), ERR_OK);
        EXPECT_INT(key_get(c, used.id, &info), ERR_OK);
        EXPECT_INT(info.last_used_at.us, at.us);
}

/* A principal that may mint, as the check would give it. */
static const struct principal *minter(struct ctx *c, struct key_made *ret)
{
        static const char *const names[] = {"tokens:write", "customers:read", "customers:pii", "orders:read"};

        return check(make_as(c, &(struct key_new){.name = "shop", .scopes = scopes(names, 4)}, ret), c->now,
                     c->arena);
}

TEST(token_mint_lends_some_scopes_for_a_time)
{
        static const char *const lent[] = {"customers:read"};
        struct ctx *c = ready();
        struct key_made key;
        struct token_made token;

        c->principal = minter(c, &key);
        EXPECT_INT(token_mint(c, &(struct token_new){scopes(lent, 1), 600}, &token), ERR_OK);
        EXPECT_INT(token.expires_at.us, c->now.us + 600 * INSTANT_SECOND);
        const char *header = arena_printf(c->arena, "Bearer %s", token.token);
        const struct principal *who = check(header, c->now, c->arena);
        EXPECT(who != NULL && who->token && !who->pii && who->scopes == SCOPE_CUSTOMERS_READ &&
               strcmp(who->key_id, key.id) == 0);
        EXPECT(check(header, (struct instant){token.expires_at.us - 1}, c->arena) != NULL);
        EXPECT(check(header, token.expires_at, c->arena) == NULL);
        EXPECT_INT(key_revoke(c, key.id), ERR_OK);
        EXPECT_INT(access_load(c), ERR_OK);
        EXPECT(check(header, c->now, c->arena) == NULL);
        c->principal = NULL;
}

TEST(token_mint_lends_nothing_that_outlives_it_or_is_not_held)
{
        static const char *const keys[] = {"customers:read", "tokens:write"}, *const more[] = {
                                                                                      "orders:write"};
        struct ctx *c = ready();
        struct key_made key;
        struct token_made token = {.token = NULL};

        c->principal = minter(c, &key);
        EXPECT_INT(token_mint(c, &(struct token_new){scopes(keys, 2), 600}, &token), ERR_INVALID);
        EXPECT_TEXT(c->problem.faults[0].pointer, "#/scopes/1");
        problem_reset(c);
        EXPECT_INT(token_mint(c, &(struct token_new){scopes(more, 1), 600}, &token), ERR_FORBIDDEN);
        EXPECT(token.token == NULL);
        c->principal = NULL;
}

TEST(token_ends_with_the_secret_it_was_minted_under)
{
        static const char *const lent[] = {"customers:read"};
        struct ctx *c = ready();
        struct key_made key, rotated;
        struct token_made old, late;

        c->principal = minter(c, &key);
        EXPECT_INT(token_mint(c, &(struct token_new){scopes(lent, 1), 3600}, &old), ERR_OK);
        EXPECT_INT(key_rotate(c, key.id, 60, &rotated), ERR_OK);
        EXPECT_INT(access_load(c), ERR_OK);
        const char *header = arena_printf(c->arena, "Bearer %s", old.token);
        struct instant end = {c->now.us + 60 * INSTANT_SECOND};
        EXPECT(check(header, (struct instant){end.us - 1}, c->arena) != NULL);
        EXPECT(check(header, end, c->arena) == NULL);
        /* the old secret mints until its own end, not longer */
        EXPECT_INT(token_mint(c, &(struct token_new){scopes(lent, 1), 3600}, &late), ERR_OK);
        EXPECT_INT(late.expires_at.us, end.us);
        c->principal = NULL;
}

struct checker {
        const char *header;
        struct instant now;
        atomic_bool stop;
        atomic_int wrong, done;
};

static void *check_all_the_time(void *arg)
{
        struct checker *checker = arg;

        while (!atomic_load(&checker->stop)) {
                struct arena *arena = arena_new();
                const struct principal *who = check(checker->header, checker->now, arena);
                atomic_fetch_add(&checker->wrong, who == NULL || who->scopes != SCOPE_ORDERS_WRITE);
                atomic_fetch_add(&checker->done, 1);
                arena_free(arena);
        }
        return NULL;
}

TEST(access_reload_never_disturbs_a_check)
{
        struct ctx *c = ready();
        struct checker checker = {.header = make(c, two_scopes, 1, (struct instant){0}), .now = c->now};
        pthread_t threads[2];

        for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
                EXPECT_INT(pthread_create(&threads[i], NULL, check_all_the_time, &checker), 0);
        for (int i = 0; i < 200 || atomic_load(&checker.done) < 1000; i++)
                EXPECT_INT(access_load(c), ERR_OK);
        atomic_store(&checker.stop, true);
        for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
                pthread_join(threads[i], NULL);
        EXPECT_INT(atomic_load(&checker.wrong), 0);
}

int main(void)
{
        fixture = fixture_new("access");
        int status = test_run_all();
        access_unload();
        fixture_free(fixture);
        return status;
}
