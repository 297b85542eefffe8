/* Decoding: every fault is found and pointed at; defaults, nulls, patches, parameters; encoding and masking.
 */
#include "shapes.h"
#include "test.h"

#include "base/shape_json.h"
#include "orders/orders.h"

static struct ctx c;

static void begin(void)
{
        c = (struct ctx){.arena = arena_new()};
}

static void end(void)
{
        problem_reset(&c);
        arena_free(c.arena);
}

static void decode(const struct shape *shape, const char *json, void *object)
{
        json_t *value = NULL;

        EXPECT_INT(json_parse(&c, json, strlen(json), &value), ERR_OK);
        shape_decode(&c, shape, value, object);
        json_decref(value);
}

/* The faults as "pointer code" lines, sorted as they were found. */
static const char *faults(void)
{
        struct text out = {0};

        for (size_t i = 0; i < c.problem.fault_count; i++)
                text_printf(&out, "%s%s %s", i == 0 ? "" : ", ",
                            c.problem.faults[i].pointer != NULL ? c.problem.faults[i].pointer
                                                                : c.problem.faults[i].parameter,
                            c.problem.faults[i].code);
        const char *list = arena_strdup(c.arena, out.data != NULL ? out.data : "");
        text_free(&out);
        return list;
}

static const char *encoded(const struct shape *shape, const void *object, bool masked)
{
        struct text out = {0};

        shape_encode(&out, shape, object, masked);
        const char *json = arena_strdup(c.arena, out.data);
        text_free(&out);
        return json;
}

/* The faults that a body of this shape has. */
#define EXPECT_FAULTS(shape_, json_, expected_)                                                              \
        do {                                                                                                 \
                struct shape_ object_ = {0};                                                                 \
                begin();                                                                                     \
                decode(&shape_##_shape, (json_), &object_);                                                  \
                EXPECT_TEXT(faults(), (expected_));                                                          \
                end();                                                                                       \
        } while (0)

TEST(numbers_have_limits_and_are_integers)
{
        EXPECT_FAULTS(s_numbers, "{\"small\":1}", "");
        EXPECT_FAULTS(s_numbers,
                      "{\"small\":9,\"negative\":-5,\"narrow\":-2147483648,\"any\":-9223372036854775808}",
                      "");
        EXPECT_FAULTS(
                s_numbers, "{\"small\":0,\"from_zero\":-1,\"negative\":0,\"maybe_small\":4}",
                "#/small too_small, #/from_zero too_small, #/negative too_large, #/maybe_small too_large");
        EXPECT_FAULTS(s_numbers, "{\"small\":10,\"narrow\":2147483648}",
                      "#/small too_large, #/narrow too_large");
        EXPECT_FAULTS(s_numbers, "{\"small\":1,\"narrow\":-2147483649}", "#/narrow too_small");
        EXPECT_FAULTS(s_numbers, "{\"small\":1.0,\"any\":\"1\",\"maybe\":true,\"narrow\":[]}",
                      "#/small wrong_type, #/any wrong_type, #/maybe wrong_type, #/narrow wrong_type");
        EXPECT_FAULTS(s_numbers, "{\"small\":null}", "#/small required");
        EXPECT_FAULTS(s_numbers, "{}", "#/small required");
}

TEST(texts_count_characters_not_bytes)
{
        EXPECT_FAULTS(s_texts, "{\"one\":\"明\"}", "");
        EXPECT_FAULTS(
                s_texts,
                "{\"one\":\"\xF0\x9F\x98\x80\",\"code\":\"a_1\",\"currency\":\"CNY\",\"printable\":\"a\\n\\tb\"}",
                "");
        EXPECT_FAULTS(s_texts, "{\"one\":\"\"}", "#/one too_short");
        EXPECT_FAULTS(
                s_texts,
                "{\"one\":\"ab\",\"code\":\"1a\",\"currency\":\"cny\",\"printable\":\"\\u0007\",\"any\":1}",
                "#/one too_long, #/code wrong_format, #/currency wrong_format, #/printable wrong_format, #/any wrong_type");
        EXPECT_FAULTS(s_texts, "{\"one\":\"a\",\"code\":\"\",\"currency\":\"CN\"}",
                      "#/code too_short, #/currency too_short");
}

TEST(every_other_wire_says_what_it_wants)
{
        EXPECT_FAULTS(
                s_moments,
                "{\"at\":\"2026-02-29T00:00:00Z\",\"on\":\"2026-02-29\",\"born\":\"02-30\",\"id\":\"x\"}",
                "#/at wrong_format, #/on wrong_format, #/born wrong_format, #/id wrong_format");
        EXPECT_FAULTS(s_moments,
                      "{\"at\":\"2024-02-29T23:59:60+08:00\",\"on\":\"2024-02-29\",\"born\":\"02-29\","
                      "\"id\":\"6B1F0A3E-52C7-4D19-9A84-7E2DC155F093\"}",
                      "");
        EXPECT_FAULTS(s_moments, "{\"on\":\"2024-02-29\",\"id\":\"00000000-0000-0000-0000-000000000000\"}",
                      "#/id wrong_format");
        EXPECT_FAULTS(s_enums, "{\"need\":\"red\",\"maybe\":\"Red\",\"with_default\":\"\"}",
                      "#/maybe unknown_value, #/with_default unknown_value");
        EXPECT_FAULTS(s_flags, "{\"a\":0,\"b\":\"true\"}", "#/a wrong_type, #/b wrong_type");
        EXPECT_FAULTS(s_json, "{\"any\":[1],\"small\":\"x\"}", "#/any wrong_type, #/small wrong_type");
        EXPECT_FAULTS(
                s_json,
                "{\"any\":{\"deep\":[1]},\"small\":{\"a\":\"012345678901234567890123456789012345678901\"}}",
                "");
        EXPECT_FAULTS(s_json, "{\"small\":{\"a\":\"0123456789012345678901234567890123456789012\"}}",
                      "#/small too_long");
}

TEST(lists_and_nested_objects_are_pointed_into)
{
        EXPECT_FAULTS(s_lists, "{\"few\":[]}", "#/few too_few");
        EXPECT_FAULTS(s_lists, "{\"few\":[{\"b\":true},{\"b\":true},{}]}", "#/few too_many");
        EXPECT_FAULTS(s_lists, "{\"few\":{},\"words\":\"a\"}", "#/few wrong_type, #/words wrong_type");
        EXPECT_FAULTS(
                s_lists,
                "{\"few\":[{\"b\":true}],\"words\":[\"a\",1,\"\"],\"enums\":[{\"need\":\"red\"},{},7]}",
                "#/words/1 wrong_type, #/words/2 too_short, #/enums/1/need required, #/enums/2 wrong_type");
        EXPECT_FAULTS(
                s_tree,
                "{\"branches\":[{\"texts\":{\"one\":\"x\"},\"needed\":{}},{\"texts\":null,\"numbers\":{\"small\":0}}]}",
                "#/branches/1/texts required, #/branches/1/numbers/small too_small, #/branches/1/needed required");
        EXPECT_FAULTS(s_tree, "[]", "# wrong_type");
        EXPECT_FAULTS(s_tree, "{\"lists\":3}", "#/lists wrong_type");
}

TEST(unknown_fields_are_faults_with_escaped_pointers)
{
        EXPECT_FAULTS(s_flags, "{\"b\":true,\"a/b~c\":1,\"\":2,\"A\":3}",
                      "#/a~1b~0c unknown_field, #/ unknown_field, #/A unknown_field");
        EXPECT_FAULTS(s_order, "{\"limit\":3,\"body\":{}}", "#/limit unknown_field, #/body unknown_field");
        EXPECT_FAULTS(s_patch, "{\"has\":1,\"inner\":{\"has\":{}}}",
                      "#/has unknown_field, #/inner/has unknown_field");
}

TEST(faults_are_counted_beyond_those_that_are_listed)
{
        struct text json = {0};
        struct s_flags flags = {0};

        begin();
        text_puts(&json, "{\"b\":true");
        for (int i = 0; i < PROBLEM_FAULTS_MAX + 5; i++)
                text_printf(&json, ",\"x%d\":1", i);
        text_puts(&json, "}");
        decode(&s_flags_shape, json.data, &flags);
        EXPECT_INT(c.problem.fault_count, PROBLEM_FAULTS_MAX);
        EXPECT_INT(c.problem.faults_dropped, 5);
        EXPECT_INT(problem_check(&c), ERR_INVALID);
        struct text problem = {0};
        problem_write(&c, NULL, &problem);
        EXPECT(strstr(problem.data, "\"errors_dropped\":5") != NULL &&
               strstr(problem.data, "105 values are not valid.") != NULL);
        text_free(&problem);
        text_free(&json);
        end();
}

TEST(absent_and_null_take_the_default)
{
        static const char *const bodies[] = {
                "{}", "{\"number\":null,\"yes\":null,\"text\":null,\"on\":null,\"maybe\":null}"};

        for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
                struct s_defaults object = {0};
                begin();
                decode(&s_defaults_shape, bodies[i], &object);
                EXPECT_TEXT(
                        encoded(&s_defaults_shape, &object, false),
                        "{\"number\":50,\"yes\":true,\"text\":\"hello\",\"on\":\"2026-02-28\",\"maybe\":7}");
                end();
        }
        struct s_outer outer = {0};
        begin();
        decode(&s_outer_shape,
               "{\"texts\":{\"one\":\"x\"},\"needed\":{\"number\":3},\"inner\":null,\"numbers\":null}",
               &outer);
        EXPECT_TEXT(faults(), "");
        EXPECT(outer.inner.number == 50 && outer.inner.yes && outer.needed.number == 3 && outer.needed.yes &&
               outer.numbers == NULL);
        end();
}

TEST(an_order_of_nulls_is_an_order_of_defaults)
{
        struct order_in in = {0};

        begin();
        decode(&order_in_shape,
               "{\"external_id\":\"A\",\"customer\":{\"external_id\":\"C\"},\"status\":null,\"channel\":null,"
               "\"lines\":[{\"sku\":\"S\",\"quantity\":null,\"total_minor\":1}],\"total_minor\":1}",
               &in);
        EXPECT_TEXT(faults(), "");
        EXPECT_INT(in.status, ORDER_PLACED);
        EXPECT_INT(in.channel, CHANNEL_DIRECT);
        EXPECT_INT(in.lines.v[0].quantity, 1);
        end();
}

/* ------------------------------------------------------------------ the body itself */

static enum err parse(const char *bytes, size_t len)
{
        json_t *value = NULL;
        enum err err = json_parse(&c, bytes, len, &value);

        if (err == ERR_OK)
                json_decref(value);
        return err;
}

#define EXPECT_PARSE(bytes_, expected_)                                                                      \
        do {                                                                                                 \
                begin();                                                                                     \
                EXPECT_INT(parse((bytes_), sizeof(bytes_) - 1), (expected_));                                \
                end();                                                                                       \
        } while (0)

TEST(what_is_no_json_is_refused)
{
        EXPECT_PARSE("{}", ERR_OK);
        EXPECT_PARSE(" [1, 2.5e3, \"\\ud83d\\ude00\"] ", ERR_OK);
        EXPECT_PARSE("", ERR_NOT_JSON);
        EXPECT_PARSE("{", ERR_NOT_JSON);
        EXPECT_PARSE("{} {}", ERR_NOT_JSON);
        EXPECT_PARSE("{'a':1}", ERR_NOT_JSON);
        EXPECT_PARSE("{\"a\":1,\"a\":2}", ERR_NOT_JSON);
        EXPECT_PARSE("{\"a\":\"\\u0000\"}", ERR_NOT_JSON);
        EXPECT_PARSE("{\"a\":\"\0\"}", ERR_NOT_JSON);
        EXPECT_PARSE("{\"a\":\"\xC3\"}", ERR_NOT_JSON);
        EXPECT_PARSE("{\"a\":\"\xED\xA0\x80\"}", ERR_NOT_JSON);
        EXPECT_PARSE("{\"a\":9223372036854775808}", ERR_NOT_JSON);
        EXPECT_PARSE("{\"a\":NaN}", ERR_NOT_JSON);
        begin();
        EXPECT_INT(parse("{\n  \"a\": x}", 11), ERR_NOT_JSON);
        EXPECT(strstr(c.problem.extra.data, "\"line\":2,\"column\":8") != NULL);
        end();
}

TEST(the_problem_of_a_body_that_is_no_utf8_is_utf8)
{
        struct text problem = {0};
        const char bad[] = "{\"a\":\"\\u000\xD0\xA3\x8A\x9B\"}";

        begin();
        EXPECT_INT(parse(bad, strlen(bad)), ERR_NOT_JSON);
        problem_write(&c, /* instance= */ NULL, &problem);
        problem_reset(&c);
        EXPECT_INT(parse(problem.data, problem.len), ERR_OK);
        text_free(&problem);
        end();
}

TEST(nesting_is_counted_outside_strings)
{
        char deep[2 * JSON_DEPTH_MAX + 3];

        memset(deep, '[', JSON_DEPTH_MAX);
        memset(deep + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
        begin();
        EXPECT_INT(parse(deep, 2 * JSON_DEPTH_MAX), ERR_OK);
        memset(deep, '[', JSON_DEPTH_MAX + 1);
        memset(deep + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
        EXPECT_INT(parse(deep, 2 * JSON_DEPTH_MAX + 2), ERR_INVALID);
        EXPECT_TEXT(faults(), "# too_deep");
        end();
        EXPECT_PARSE("\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[\"",
                     ERR_NOT_JSON); /* a text alone is no body */
        EXPECT_PARSE("[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[\"]", ERR_OK);
}

/* ------------------------------------------------------------------ parameters and whole bodies */

TEST(parameters_of_path_and_query_are_decoded_and_complained_of_by_name)
{
        struct s_order order = {0};
        uint64_t seen = 0;

        begin();
        shape_decode_parameter(&c, &s_order_shape, IN_PATH, "customer", "ext:1", &seen, &order);
        shape_decode_parameter(&c, &s_order_shape, IN_QUERY, "backfill", "true", &seen, &order);
        shape_decode_parameter(&c, &s_order_shape, IN_QUERY, "colour", "blue", &seen, &order);
        shape_decode_parameter(&c, &s_order_shape, IN_QUERY, "day", "2026-01-31", &seen, &order);
        shape_decode_parameters_end(&c, &s_order_shape, seen, &order);
        decode(&s_order_shape, "{\"number\":7}", &order);
        EXPECT_TEXT(faults(), "");
        EXPECT(order.limit == 50 && order.backfill && order.colour == 3 && order.day.day == 31 &&
               order.body.number == 7 && order.body.yes);
        EXPECT_TEXT(order.customer, "ext:1");
        end();
}

TEST(faults_of_parameters_are_collected_too)
{
        static const char *const bad[][2] = {{"limit", "0"},   {"backfill", "1"}, {"colour", "pink"},
                                             {"day", "today"}, {"customer", "x"}, {"limit", "5"},
                                             {"nothing", ""}};
        struct s_order order = {0};
        uint64_t seen = 0;

        begin();
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                shape_decode_parameter(&c, &s_order_shape, IN_QUERY, bad[i][0], bad[i][1], &seen, &order);
        shape_decode_parameters_end(&c, &s_order_shape, seen, &order);
        EXPECT_TEXT(
                faults(),
                "limit too_small, backfill wrong_type, colour unknown_value, day wrong_format, customer unknown_parameter, "
                "limit duplicate, nothing unknown_parameter, customer required");
        end();
}

TEST(integers_of_parameters_are_plain)
{
        static const char *const bad[] = {"", " 1", "1 ", "+1", "0x1", "1.0", "99999999999999999999", "-"};

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                struct s_order order = {0};
                uint64_t seen = 0;
                begin();
                shape_decode_parameter(&c, &s_order_shape, IN_QUERY, "limit", bad[i], &seen, &order);
                EXPECT_TEXT(faults(), "limit wrong_type");
                end();
        }
}

/* ------------------------------------------------------------------ patches */

TEST(a_patch_knows_what_was_sent)
{
        struct s_patch patch = {0};

        begin();
        decode(&s_patch_shape, "{\"name\":null,\"count\":3,\"inner\":{\"a\":\"x\"}}", &patch);
        EXPECT_TEXT(faults(), "");
        EXPECT(SHAPE_HAS(s_patch, &patch, name) && SHAPE_HAS(s_patch, &patch, count) &&
               SHAPE_HAS(s_patch, &patch, inner));
        EXPECT(!SHAPE_HAS(s_patch, &patch, colour) && !SHAPE_HAS(s_patch, &patch, extra));
        EXPECT(SHAPE_HAS(s_patch_inner, &patch.inner, a) && !SHAPE_HAS(s_patch_inner, &patch.inner, b));
        end();
}

TEST(merging_keeps_the_absent_and_clears_the_null)
{
        struct s_patch patch = {0},
                       object = {.name = "n", .count = {true, 1}, .colour = 2, .inner = {.a = "a", .b = "b"}};

        begin();
        decode(&s_patch_shape, "{\"name\":null,\"count\":3,\"inner\":{\"a\":\"x\"}}", &patch);
        EXPECT(shape_merge(&s_patch_shape, &patch, &s_patch_shape, &object, MERGE_ALL));
        EXPECT(object.name == NULL && object.count.v == 3 && object.colour == 2);
        EXPECT_TEXT(object.inner.a, "x");
        EXPECT_TEXT(object.inner.b, "b");
        EXPECT(!shape_merge(&s_patch_shape, &patch, &s_patch_shape, &object, MERGE_ALL)); /* nothing new */
        object.name = "again";
        EXPECT(!shape_merge(&s_patch_shape, &patch, &s_patch_shape, &object, MERGE_KNOWN));
        EXPECT_TEXT(object.name, "again");
        end();
}

TEST(a_nested_patch_of_null_clears_all_of_it)
{
        struct s_patch patch = {0}, object = {.name = "n", .inner = {.a = "a", .b = "b"}};

        begin();
        decode(&s_patch_shape, "{\"inner\":null}", &patch);
        EXPECT(!shape_merge(&s_patch_shape, &patch, &s_patch_shape, &object, MERGE_KNOWN));
        EXPECT(object.inner.a != NULL);
        EXPECT(shape_merge(&s_patch_shape, &patch, &s_patch_shape, &object, MERGE_ALL));
        EXPECT(object.inner.a == NULL && object.inner.b == NULL);
        EXPECT_TEXT(object.name, "n");
        end();
}

TEST(json_that_only_looks_different_is_no_change)
{
        struct s_patch patch = {0}, object = {.extra = {"{\"b\": [1, 2], \"a\": null}"}};

        begin();
        decode(&s_patch_shape, "{\"extra\":{\"a\":null,\"b\":[1,2]}}", &patch);
        EXPECT(!shape_merge(&s_patch_shape, &patch, &s_patch_shape, &object, MERGE_ALL));
        object.extra.text = "{\"b\": [2, 1], \"a\": null}";
        EXPECT(shape_merge(&s_patch_shape, &patch, &s_patch_shape, &object, MERGE_ALL));
        object.extra.text = NULL;
        EXPECT(shape_merge(&s_patch_shape, &patch, &s_patch_shape, &object, MERGE_ALL));
        EXPECT(json_text_equal(NULL, NULL) && !json_text_equal("1", NULL) && json_text_equal("x", "x") &&
               !json_text_equal("x", "y"));
        end();
}

/* ------------------------------------------------------------------ encoding */

TEST(nothing_is_null_and_strings_are_escaped)
{
        const char *any = "a\"b\\c\n\t\x01\x1f/明\x7f";
        struct s_texts texts = {.any = any, .one = ""};

        begin();
        EXPECT_TEXT(
                encoded(&s_texts_shape, &texts, false),
                "{\"any\":\"a\\\"b\\\\c\\n\\u0009\\u0001\\u001f/明\x7f\",\"one\":\"\",\"code\":null,\"currency\":null,\"printable\":null}");
        EXPECT_TEXT(encoded(&s_numbers_shape,
                            &(struct s_numbers){.any = INT64_MIN, .narrow = -1, .maybe = {true, INT64_MAX}},
                            false),
                    "{\"any\":-9223372036854775808,\"small\":0,\"from_zero\":0,\"negative\":0,\"narrow\":-1,"
                    "\"maybe\":9223372036854775807,\"maybe_small\":null}");
        EXPECT_TEXT(encoded(&s_lists_shape, &(struct s_lists){0}, false),
                    "{\"words\":[],\"enums\":[],\"few\":[]}");
        EXPECT_TEXT(encoded(&s_moments_shape, &(struct s_moments){.born = {0, 2, 29}}, false),
                    "{\"at\":null,\"on\":null,\"born\":\"02-29\",\"id\":null}");
        end();
}

TEST(masking_leaves_a_hint_and_no_more)
{
        const char *words[] = {"one", "two"};
        struct s_secret secret = {.name = "张小明",
                                  .phone = "+8613800138000",
                                  .email = "zhang@example.com",
                                  .all = "openid",
                                  .born = {1990, 5, 20},
                                  .words = {words, 2},
                                  .notes = {"{\"a\":1}"},
                                  .open = {.any = "shown", .one = "x"}};

        begin();
        EXPECT_TEXT(
                encoded(&s_secret_shape, &secret, true),
                "{\"name\":\"张*\",\"phone\":\"+86138****8000\",\"email\":\"z***@example.com\",\"all\":\"***\",\"born\":\"***\","
                "\"words\":[\"***\",\"***\"],\"notes\":{},\"open\":{\"any\":\"shown\",\"one\":\"x\",\"code\":null,\"currency\":null,"
                "\"printable\":null}}");
        secret = (struct s_secret){.name = "", .phone = "1234567", .email = "nobody", .all = ""};
        static const char masked[] = "{\"name\":\"***\",\"phone\":\"***\",\"email\":\"***\",\"all\":\"***\",";
        EXPECT(strncmp(encoded(&s_secret_shape, &secret, true), masked, strlen(masked)) == 0);
        end();
}

TEST_MAIN
