/* A unit test program: TEST(path_and_behaviour) { ... EXPECT(...); } and TEST_MAIN at the end. Prints
 * TAP-like lines and ends with "N passed, N failed". */
#pragma once

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct test {
        const char *name;
        void (*run)(void);
        struct test *next;
};
static struct test *test_list, **test_tail = &test_list;
static int test_faults;

#define TEST(name_)                                                                                          \
        static void name_(void);                                                                             \
        static struct test name_##_test = {#name_, name_, NULL};                                             \
        __attribute__((constructor)) static void name_##_register(void)                                      \
        {                                                                                                    \
                *test_tail = &name_##_test;                                                                  \
                test_tail = &name_##_test.next;                                                              \
        }                                                                                                    \
        static void name_(void)

#define EXPECT(condition_)                                                                                   \
        do {                                                                                                 \
                if (!(condition_)) {                                                                         \
                        printf("  %s:%d: not true: %s\n", __FILE__, __LINE__, #condition_);                  \
                        test_faults++;                                                                       \
                }                                                                                            \
        } while (0)
#define EXPECT_INT(actual_, expected_)                                                                       \
        do {                                                                                                 \
                int64_t test_actual_ = (int64_t)(actual_), test_expected_ = (int64_t)(expected_);            \
                if (test_actual_ != test_expected_) {                                                        \
                        printf("  %s:%d: %s is %" PRId64 ", not %" PRId64 "\n", __FILE__, __LINE__,          \
                               #actual_, test_actual_, test_expected_);                                      \
                        test_faults++;                                                                       \
                }                                                                                            \
        } while (0)
#define EXPECT_TEXT(actual_, expected_)                                                                      \
        do {                                                                                                 \
                const char *test_actual_ = (actual_), *test_expected_ = (expected_);                         \
                if (test_actual_ == NULL || strcmp(test_actual_, test_expected_) != 0) {                     \
                        printf("  %s:%d: %s is\n    %s\n  not\n    %s\n", __FILE__, __LINE__, #actual_,      \
                               test_actual_ == NULL ? "(null)" : test_actual_, test_expected_);              \
                        test_faults++;                                                                       \
                }                                                                                            \
        } while (0)

/* A small deterministic generator for property tests (xorshift64*, Vigna 2016). */
static uint64_t test_random_state = 0x9E3779B97F4A7C15;
__attribute__((unused)) static uint64_t test_random(void)
{
        test_random_state ^= test_random_state >> 12;
        test_random_state ^= test_random_state << 25;
        test_random_state ^= test_random_state >> 27;
        return test_random_state * UINT64_C(0x2545F4914F6CDD1D);
}
/* A number from low to high, both included. */
__attribute__((unused)) static int64_t test_between(int64_t low, int64_t high)
{
        return low + (int64_t)(test_random() % (uint64_t)(high - low + 1));
}

__attribute__((unused)) static int test_run_all(void)
{
        int passed = 0, failed = 0;

        for (struct test *test = test_list; test != NULL; test = test->next) {
                int before = test_faults;
                test->run();
                bool ok = test_faults == before;
                printf("%s %s\n", ok ? "ok    " : "not ok", test->name);
                *(ok ? &passed : &failed) += 1;
        }
        printf("%d passed, %d failed\n", passed, failed);
        return failed == 0 && passed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#define TEST_MAIN                                                                                            \
        int main(void)                                                                                       \
        {                                                                                                    \
                return test_run_all();                                                                       \
        }
