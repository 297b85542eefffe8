/* The one normal form of phones and e-mails, so that one person is found however a shop writes it. */
#include "test.h"

#include "customers/customers.h"

struct writing {
        const char *kind, *given, *normal; /* normal NULL: refused */
};

static void check_all(const struct writing *writings, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                struct ctx c = {.arena = arena_new()};
                const char *normal = identity_normal(&c, "#/x", writings[i].kind, writings[i].given);
                if (writings[i].normal != NULL) {
                        EXPECT_TEXT(normal, writings[i].normal);
                        EXPECT_INT(c.problem.fault_count, 0);
                } else {
                        EXPECT(normal == NULL);
                        EXPECT_INT(c.problem.fault_count, 1);
                        if (c.problem.fault_count == 1)
                                EXPECT_TEXT(c.problem.faults[0].pointer, "#/x");
                        if (normal != NULL)
                                printf("    %s\n", writings[i].given);
                }
                problem_reset(&c);
                arena_free(c.arena);
        }
}

TEST(phones_become_e164_with_china_where_no_country_is_given)
{
        static const struct writing phones[] = {
                {"phone", "13800138000", "+8613800138000"},
                {"phone", "138 0013 8000", "+8613800138000"},
                {"phone", "+8613800138000", "+8613800138000"},
                {"phone", "+86 (138) 0013-8000", "+8613800138000"},
                {"phone", "008613800138000", "+8613800138000"},
                {"phone", " 00 86 138.0013.8000", "+8613800138000"},
                {"phone", "0571-87654321", "+8657187654321"},
                {"phone", "+44 20 7946 0958", "+442079460958"},
                {"phone", "0044 20 7946 0958", "+442079460958"},
                {"phone", "+1 (555) 010-9999", "+15550109999"},
                {"phone", "\t13800138000\t", "+8613800138000"},
                {"phone", "8613800138000", "+8613800138000"},
                {"phone", "86-13800138000", "+8613800138000"},
                {"phone", "86 138 0013 8000", "+8613800138000"},
                {"phone", "86 571 8765 4321", "+8657187654321"},
                {"phone", "86 10 6552 9988", "+861065529988"},
                {"phone", "0086 (0)138 0013 8000", "+8613800138000"},
                {"phone", "+86 (0)138 0013 8000", "+8613800138000"},
                {"phone", "+86 0571 8765 4321", "+8657187654321"},
                {"phone", "86 0138 0013 8000", "+8613800138000"},
                {"phone", "86138001380", "+8686138001380"}, /* as long as a number without a country */
        };

        check_all(phones, ARRAY_SIZE(phones));
}

TEST(what_is_no_phone_is_refused)
{
        static const struct writing bad[] = {
                {"phone", "", NULL},
                {"phone", "12345", NULL},
                {"phone", "phone", NULL},
                {"phone", "1380013800a", NULL},
                {"phone", "+", NULL},
                {"phone", "++8613800138000", NULL},
                {"phone", "138+0013", NULL},
                {"phone", "+1234567", NULL},
                {"phone", "+1234567890123456", NULL},
                {"phone", "12345678901234", NULL},
                {"phone", "１３８００１３８０００", NULL},
                {"phone", "138/00138000", NULL},
                {"phone", "1111111111222222222233333333334444444444555555555566666666667777777777", NULL},
        };

        check_all(bad, ARRAY_SIZE(bad));
}

TEST(emails_are_trimmed_and_in_lower_case)
{
        static const struct writing emails[] = {
                {"email", "a@b.cn", "a@b.cn"},
                {"email", "  Wang.XiaoMing+shop@Example.COM\t", "wang.xiaoming+shop@example.com"},
                {"email", "王@例子.中国", "王@例子.中国"},
                {"email", "a@b.c.d", "a@b.c.d"},
        };

        check_all(emails, ARRAY_SIZE(emails));
}

TEST(what_is_no_email_is_refused)
{
        static const struct writing bad[] = {
                {"email", "", NULL},         {"email", "   ", NULL},      {"email", "a", NULL},
                {"email", "@b.cn", NULL},    {"email", "a@", NULL},       {"email", "a@b", NULL},
                {"email", "a@.cn", NULL},    {"email", "a@b.", NULL},     {"email", "a b@c.cn", NULL},
                {"email", "a@b@c.cn", NULL}, {"email", "a\n@b.cn", NULL},
        };

        check_all(bad, ARRAY_SIZE(bad));
}

TEST(other_kinds_are_kept_as_they_are)
{
        static const struct writing others[] = {{"taobao", " Mixed Case ", " Mixed Case "},
                                                {"wechat_openid", "oABC", "oABC"},
                                                {"own_kind", "+86 1", "+86 1"}};

        check_all(others, ARRAY_SIZE(others));
}

TEST(a_normal_form_is_its_own_normal_form)
{
        static const struct writing normal[] = {{"phone", "+8657187654321", "+8657187654321"},
                                                {"email", "a@b.cn", "a@b.cn"}};

        check_all(normal, ARRAY_SIZE(normal));
}

TEST_MAIN
