//! Both promises under kills and faults: the short form of `cargo xtask faults`.

use ringback_tests::faults::{Orders, conduct};

async fn both_promises_hold(orders: Orders) {
    let score = conduct(orders).await;
    assert!(score.violations().is_empty(), "{score}");
    // The simulator's search works in the end, so no doubt is left.
    assert_eq!(score.held, 0, "{score}");
}

#[tokio::test]
async fn nothing_is_lost_and_nobody_rung_twice_though_the_service_is_killed_while_webex_fails() {
    both_promises_hold(Orders { seed: 7, callbacks: 300, kills: 6, postgres: false, instances: 1 }).await;
}

#[tokio::test]
async fn nor_where_two_services_share_a_database_that_is_restarted() {
    both_promises_hold(Orders { seed: 8, callbacks: 300, kills: 6, postgres: true, instances: 2 }).await;
}
