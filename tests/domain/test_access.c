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
static const char *make(struct ctx *c, const char *const *names, size_t n, struct instant expires_at)
{
        const char *text = "";

        EXPECT_INT(key_create(c, &(struct key_new){"till", scopes(names, n), expires_at}, &text), ERR_OK);
        EXPECT_INT(access_load(c), ERR_OK);
        return arena_printf(c->arena, "Bearer %s", text);
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

        const struct principal *who = access_check(header, c->now, c->arena);
        EXPECT(who != NULL);
        if (who == NULL)
                return;
        EXPECT_INT(who->scopes, SCOPE_ORDERS_WRITE | SCOPE_CUSTOMERS_READ);
        EXPECT(!who->pii && strlen(who->key_id) == KEY_ID_CHARS);
        char *last = &wrong[strlen(wrong) - 1], *id = &unknown[strlen("Bearer pk_")];
        *last = *last == '0' ? '1' : '0';
        *id = *id == '0' ? '1' : '0';
        EXPECT(access_check(wrong, c->now, c->arena) == NULL);
        EXPECT(access_check(unknown, c->now, c->arena) == NULL);
        EXPECT(access_check(NULL, c->now, c->arena) == NULL);
        EXPECT(access_check("Bearer x", c->now, c->arena) == NULL);
        access_unload();
        EXPECT(access_check(header, c->now, c->arena) == NULL);
}

TEST(access_scopes_admin_is_all_and_pii_unmasks)
{
        static const char *const admin[] = {"admin"}, *const pii[] = {"customers:pii"};
        struct ctx *c = ready();

        const struct principal *who = access_check(make(c, admin, 1, (struct instant){0}), c->now, c->arena);
        EXPECT(who != NULL && who->pii && who->scopes == (UINT64_C(1) << SCOPE_COUNT_) - 1);
        who = access_check(make(c, pii, 1, (struct instant){0}), c->now, c->arena);
        EXPECT(who != NULL && who->pii && who->scopes == SCOPE_CUSTOMERS_PII);
}

TEST(access_key_ends_at_its_expiry)
{
        struct ctx *c = ready();
        struct instant end = {c->now.us + 60 * INSTANT_SECOND};
        const char *header = make(c, two_scopes, 1, end);

        EXPECT(access_check(header, (struct instant){end.us - 1}, c->arena) != NULL);
        EXPECT(access_check(header, end, c->arena) == NULL);
}

TEST(access_key_ends_when_revoked_and_stays_listed)
{
        struct ctx *c = ready();
        const char *header = make(c, two_scopes, 2, (struct instant){0});
        const struct principal *who = access_check(header, c->now, c->arena);
        struct list keys = {0};
        bool listed = false;

        EXPECT(who != NULL);
        if (who == NULL)
                return;
        EXPECT_INT(key_revoke(c, who->key_id), ERR_OK);
        EXPECT_INT(key_revoke(c, who->key_id), ERR_OK);
        EXPECT_INT(access_load(c), ERR_OK);
        EXPECT(access_check(header, c->now, c->arena) == NULL);
        EXPECT_INT(key_list(c, &keys), ERR_OK);
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
        struct ctx *c = ready();
        const char *text = NULL;

        EXPECT_INT(key_create(c, &(struct key_new){"", scopes(two_scopes, 1), {0}}, &text), ERR_INVALID);
        EXPECT_INT(key_create(c, &(struct key_new){"x", scopes(two_scopes, 0), {0}}, &text), ERR_INVALID);
        EXPECT_INT(key_create(c, &(struct key_new){"x", scopes(unknown, 2), {0}}, &text), ERR_INVALID);
        EXPECT_TEXT(c->problem.detail, "There is no scope orders:everything.");
        EXPECT_INT(key_create(c, &(struct key_new){"x", scopes(two_scopes, 1), c->now}, &text), ERR_INVALID);
        EXPECT(text == NULL);
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
                const struct principal *who = access_check(checker->header, checker->now, arena);
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
