/* The map of the API. */
#include "http/endpoint.h"

extern const struct resource orders_resource, customers_resource, customer_list_resource, tags_resource,
        notes_resource, groups_resource, interactions_resource, consents_resource, attributes_resource,
        timelines_resource, privacy_resource, merges_resource, points_resource, holds_resource,
        tiers_resource, program_resource, checkout_resource, keys_resource, audit_resource, meta_resource,
        test_clock_resource;

const struct resource *const resources[] = {
        &orders_resource,        &customers_resource,
        &customer_list_resource, &tags_resource,
        &notes_resource,         &groups_resource,
        &interactions_resource,  &consents_resource,
        &attributes_resource,    &timelines_resource,
        &privacy_resource,       &merges_resource,
        &points_resource,        &holds_resource,
        &tiers_resource,         &program_resource,
        &checkout_resource,      &keys_resource,
        &audit_resource,         &meta_resource,
        &test_clock_resource,    NULL,
};
