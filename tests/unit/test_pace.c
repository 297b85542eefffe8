/* How long work leaves room to orders. */
#include "test.h"

#include "http/pace.h"

TEST(nobody_rests_while_there_is_nothing_beside)
{
        EXPECT_INT(pace_rest_us(PACE_UPLOAD, 1000, /* orders_come= */ false, /* import_runs= */ false), 0);
        EXPECT_INT(pace_rest_us(PACE_IMPORT, 1000, /* orders_come= */ false, /* import_runs= */ true), 0);
        EXPECT_INT(pace_rest_us(PACE_UPKEEP, 1000, /* orders_come= */ false, /* import_runs= */ false), 0);
}

TEST(everybody_rests_twice_as_long_as_he_worked_while_orders_come)
{
        EXPECT_INT(pace_rest_us(PACE_UPLOAD, 1000, /* orders_come= */ true, /* import_runs= */ false), 2000);
        EXPECT_INT(pace_rest_us(PACE_IMPORT, 1000, /* orders_come= */ true, /* import_runs= */ true), 2000);
        EXPECT_INT(pace_rest_us(PACE_UPKEEP, 1000, /* orders_come= */ true, /* import_runs= */ false), 2000);
}

TEST(the_housekeeper_leaves_most_of_the_time_to_an_import)
{
        EXPECT_INT(pace_rest_us(PACE_UPKEEP, 1000, /* orders_come= */ false, /* import_runs= */ true), 4000);
        EXPECT_INT(pace_rest_us(PACE_UPKEEP, 1000, /* orders_come= */ true, /* import_runs= */ true), 4000);
}

TEST(no_rest_holds_up_a_server_that_stops)
{
        EXPECT_INT(pace_rest_us(PACE_IMPORT, 3600000000, /* orders_come= */ true, /* import_runs= */ true),
                   500000);
        EXPECT_INT(pace_rest_us(PACE_UPKEEP, 3600000000, /* orders_come= */ false, /* import_runs= */ true),
                   500000);
}

TEST(it_is_quiet_between_imports_and_while_no_orders_come)
{
        EXPECT(pace_is_quiet() && !pace_import_runs());
        pace_import_begins();
        pace_import_begins();
        pace_import_ends();
        EXPECT(!pace_is_quiet() && pace_import_runs());
        pace_import_ends();
        EXPECT(pace_is_quiet() && !pace_import_runs());
}

TEST(orders_come_only_when_one_came)
{
        EXPECT(!pace_orders_come());
        pace_order_came();
        EXPECT(pace_orders_come());
        EXPECT(!pace_is_quiet());
}

TEST_MAIN
