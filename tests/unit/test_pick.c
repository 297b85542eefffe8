/* Members that are picked of a shape: which, in what order, what is told of wrong names, and that an object
 * is written with them and nothing else. */
#include "test.h"

#include "base/pick.h"
#include "base/shape_json.h"

struct phone {
        const char *number;
        bool verified;
};
#define SHAPE_T struct phone
SHAPE(phone, "A phone.", FIELD(number, .pii = PII_PHONE), FIELD(verified));
#undef SHAPE_T

struct metrics {
        int64_t orders, spend_minor;
};
#define SHAPE_T struct metrics
SHAPE(metrics, "Sums.", FIELD(orders), FIELD(spend_minor));
#undef SHAPE_T

struct person {
        struct presence sent;
        struct uuid id;
        const char *name, *city;
        struct metrics metrics;
        const struct phone *phone;
        LIST_OF(struct phone) others;
        struct texts tags;
        struct json_text attributes;
        const char *asked; /* in the path */
};
#define SHAPE_T struct person
SHAPE(person, "A person.", PRESENCE(sent), FIELD(id, .subject = true), FIELD(name, .pii = PII_NAME),
      FIELD(city), NEST(metrics, metrics), POINTER(phone, phone), LIST(others, phone), FIELD(tags),
      FIELD(attributes), FIELD(asked, .in = IN_PATH));
#undef SHAPE_T

static const struct person somebody = {
        .id = {{1}},
        .name = "Anna",
        .city = "Hangzhou",
        .metrics = {3, 45000},
        .phone = &(const struct phone){"+8613800138000", true},
        .others = {.v = (struct phone[]){{"+8613900139000", false}, {NULL, true}}, .n = 2},
        .tags = {.v = (const char *[]){"vip"}, .n = 1},
        .attributes = {"{\"shoe\":42}"},
        .asked = "x",
};

static struct ctx c;

static struct picks picked(const char *names, enum pick_reach reach)
{
        struct picks picks;

        problem_reset(&c);
        arena_free(c.arena);
        c = (struct ctx){.arena = arena_new()};
        pick_read(&c, "fields", names, &person_shape, reach, &picks);
        return picks;
}

static const char *written(const char *names, bool masked, bool known)
{
        struct picks picks = picked(names, PICK_DEEP);
        struct text out = {0};

        EXPECT_INT(c.problem.fault_count, 0);
        shape_encode_as(&out, &person_shape, &somebody,
                        &(struct encoding){.masked = masked,
                                           .without = known ? WITHOUT_NULLS : WITHOUT_NOTHING,
                                           .pick = picks.pick});
        const char *kept = arena_strdup(c.arena, out.data);
        text_free(&out);
        return kept;
}
#define EXPECT_WRITTEN(names_, json_) EXPECT_TEXT(written(names_, false, false), json_)

TEST(what_is_picked_is_written_and_nothing_else)
{
        EXPECT_WRITTEN("name", "{\"name\":\"Anna\"}");
        EXPECT_WRITTEN("city,name", "{\"name\":\"Anna\",\"city\":\"Hangzhou\"}");
        EXPECT_WRITTEN("metrics", "{\"metrics\":{\"orders\":3,\"spend_minor\":45000}}");
        EXPECT_WRITTEN("metrics.spend_minor", "{\"metrics\":{\"spend_minor\":45000}}");
        EXPECT_WRITTEN("phone.verified,name", "{\"name\":\"Anna\",\"phone\":{\"verified\":true}}");
        EXPECT_WRITTEN("others.number", "{\"others\":[{\"number\":\"+8613900139000\"},{\"number\":null}]}");
        EXPECT_WRITTEN(
                "others.number,others.verified,tags,attributes",
                "{\"others\":[{\"number\":\"+8613900139000\",\"verified\":false},"
                "{\"number\":null,\"verified\":true}],\"tags\":[\"vip\"],\"attributes\":{\"shoe\":42}}");
}

TEST(picked_members_are_masked_and_left_out_when_null_as_ever)
{
        EXPECT_TEXT(written("name,phone.number", true, false),
                    "{\"name\":\"A*\",\"phone\":{\"number\":\"+86138****8000\"}}");
        EXPECT_TEXT(written("others.number,asked", false, true),
                    "{\"others\":[{\"number\":\"+8613900139000\"},{}]}");
}

TEST(columns_are_in_the_order_asked_for_with_their_places)
{
        struct picks picks = picked("metrics.spend_minor,id,metrics.orders,others", PICK_COLUMNS);

        EXPECT_INT(c.problem.fault_count, 0);
        EXPECT_INT(picks.n, 4);
        EXPECT_TEXT(picks.v[0].path, "metrics.spend_minor");
        EXPECT_INT(picks.v[0].offset, offsetof(struct person, metrics.spend_minor));
        EXPECT_INT(picks.v[1].offset, offsetof(struct person, id));
        EXPECT_INT(picks.v[2].offset, offsetof(struct person, metrics.orders));
        EXPECT_TEXT(picks.v[3].field->name, "others");
}

static void expect_fault(const char *names, enum pick_reach reach, const char *code, const char *detail)
{
        (void)picked(names, reach);
        EXPECT_INT(c.problem.fault_count, 1);
        if (c.problem.fault_count != 1)
                return;
        EXPECT_TEXT(c.problem.faults[0].parameter, "fields");
        EXPECT_TEXT(c.problem.faults[0].code, code);
        EXPECT_TEXT(c.problem.faults[0].detail, detail);
}

TEST(a_wrong_name_is_told_with_the_one_that_was_meant)
{
        expect_fault("nmae", PICK_DEEP, "unknown_field", "there is no member nmae; did you mean name?");
        expect_fault("metric.orders", PICK_DEEP, "unknown_field",
                     "there is no member metric.orders; did you mean metrics.orders?");
        expect_fault("metrics.order", PICK_DEEP, "unknown_field",
                     "there is no member metrics.order; did you mean metrics.orders?");
        expect_fault("verified", PICK_DEEP, "unknown_field",
                     "there is no member verified; did you mean phone.verified?");
        expect_fault("verified", PICK_COLUMNS, "unknown_field", "there is no member verified");
        expect_fault("sent", PICK_DEEP, "unknown_field", "there is no member sent");
        expect_fault("asked", PICK_COLUMNS, "unknown_field", "there is no member asked");
        expect_fault("name.first", PICK_DEEP, "unknown_field",
                     "there is no member name.first; name can only be asked for whole");
        expect_fault("others.number", PICK_COLUMNS, "unknown_field",
                     "there is no member others.number; others can only be asked for whole");
        expect_fault("city,name,city", PICK_DEEP, "duplicate", "must name city once");
        expect_fault("metrics,metrics.orders", PICK_DEEP, "duplicate", "must name metrics.orders once");
        expect_fault("metrics.orders,metrics", PICK_DEEP, "duplicate", "must name metrics once");
        expect_fault("", PICK_DEEP, "too_short", "must name members, with commas between");
        expect_fault("name,", PICK_DEEP, "too_short", "must name members, with commas between");
}

TEST(every_wrong_name_is_told)
{
        (void)picked("a,b,name,,metrics.c", PICK_DEEP);
        EXPECT_INT(c.problem.fault_count, 4);
}

TEST(more_characters_than_the_limit_are_not_looked_at)
{
        char names[PICK_CHARS_MAX + 2];

        memset(names, ',', sizeof names);
        names[sizeof names - 1] = '\0';
        expect_fault(names, PICK_DEEP, "too_long", "must have at most 3000 characters");
}

TEST(only_what_is_picked_counts_as_seen)
{
        struct uuids people = {0};
        struct picks picks = picked("id,city,phone.verified", PICK_DEEP);

        shape_subjects(c.arena, &person_shape, picks.pick, &somebody, &people);
        EXPECT_INT(people.n, 0);
        EXPECT(!shape_has_pii(&person_shape, picks.pick));
        picks = picked("others.number", PICK_DEEP);
        EXPECT(shape_has_pii(&person_shape, picks.pick));
        shape_subjects(c.arena, &person_shape, picks.pick, &somebody, &people);
        EXPECT_INT(people.n, 1);
        EXPECT(people.n == 1 && uuid_equal(people.v[0], somebody.id));
}

int main(void)
{
        int status = test_run_all();

        problem_reset(&c);
        arena_free(c.arena);
        return status;
}
