//! What every store promises, whatever stands behind it. Each promise takes an empty store.

pub(crate) mod accepting;
pub(crate) mod access;
pub(crate) mod again;
pub(crate) mod audit;
pub(crate) mod bodies;
pub(crate) mod finding;
pub(crate) mod following;
pub(crate) mod history;
pub(crate) mod lists;
pub(crate) mod marks;
pub(crate) mod monitors;
pub(crate) mod outcomes;
pub(crate) mod overview;
pub(crate) mod pauses;
pub(crate) mod plugin_state;
pub(crate) mod replays;
pub(crate) mod retention;

/// Makes one test of each promise, on a store that `$open` gives.
macro_rules! contract_tests {
    ($open:expr) => {
        crate::contract::contract_tests!($open =>
            accepting {
                an_event_reads_back_as_it_was_accepted,
                an_event_that_says_little_reads_back_too,
                events_are_read_together_with_their_small_bodies,
                bodies_come_back_byte_for_byte,
                equal_bodies_are_two_events,
                what_is_not_there_is_none,
                an_event_that_went_nowhere_says_why,
                an_event_that_went_somewhere_says_why_it_did,
                an_event_id_is_accepted_once,
                a_healthy_store_says_so,
            }
            bodies {
                a_body_may_come_in_pieces_of_any_size,
                a_kept_body_can_be_read_before_it_is_accepted,
                a_large_body_comes_back_as_a_file,
                a_body_that_nobody_accepts_leaves_nothing,
                a_body_that_comes_in_again_outlives_the_event_it_came_with_before,
            }
            finding {
                events_are_found_by_what_is_in_them,
                a_list_that_is_followed_gives_each_row_once_in_its_order,
            }
            following {
                the_log_gives_runs_and_backups_in_order_of_acceptance,
                a_part_of_the_log_says_where_to_go_on,
                every_event_is_in_the_log_of_all,
                numbers_without_an_event_are_counted,
                the_end_of_the_log_is_told,
                what_following_has_come_to_is_kept,
                a_change_with_an_event_that_is_refused_changes_nothing,
            }
            monitors {
                a_monitor_reads_back_as_it_was_kept,
                a_monitor_is_what_was_kept_last,
                monitors_that_are_due_come_earliest_first,
                monitors_are_listed_by_name_by_every_filter,
                monitors_are_found_by_source_and_label_and_counted,
                pages_of_monitors_join_without_gap_or_overlap,
                a_list_of_monitors_goes_on_behind_one_that_was_renamed_or_is_gone,
                collections_read_back_and_come_when_they_are_due,
            }
            overview {
                an_empty_store_has_no_figures,
                figures_say_what_came_in_and_what_waits,
                dead_letters_are_grouped_by_destination_and_code,
            }
            history {
                runs_read_back_by_time_from_either_end,
                old_history_goes_in_pieces,
                monitors_that_nothing_was_heard_of_go_with_their_history,
                a_monitor_that_is_forgotten_goes_with_its_runs_and_leaves_its_incidents,
                an_incident_is_what_was_kept_last,
                an_open_incident_counts_the_runs_of_its_monitor,
                of_a_long_timeline_the_first_and_the_newest_are_kept,
                incidents_are_listed_newest_first_by_every_filter,
            }
            outcomes {
                deliveries_wait_in_the_order_of_acceptance,
                a_lane_shows_its_own_deliveries_only,
                waiting_is_counted_by_destination,
                a_final_delivery_waits_no_more,
                a_retrying_delivery_keeps_its_place,
                a_change_without_a_count_leaves_it_as_it_is,
                attempts_are_kept_oldest_first_whether_they_count_or_not,
                of_very_many_attempts_the_newest_are_kept,
                changes_are_kept_all_or_none,
            }
            lists {
                events_are_listed_newest_first_by_every_filter,
                deliveries_are_listed_newest_first_by_every_filter,
                deliveries_are_listed_by_what_their_event_is,
                deliveries_are_listed_by_time_also_when_the_clock_was_set_back,
                deliveries_are_read_by_id_with_what_their_event_is,
                what_waits_is_listed_in_one_order_for_all_destinations,
                pages_join_without_gap_or_overlap,
            }
            marks {
                a_repeat_is_answered_with_the_first_event,
                a_repeat_in_the_same_moment_is_one_too,
                another_body_under_a_known_key_is_never_dropped,
                a_key_belongs_to_its_source,
                a_refused_event_burns_no_key,
                a_mark_outlives_its_event_and_goes_with_age,
            }
            again {
                a_delivery_made_again_starts_anew_behind_what_waits,
                what_waits_or_is_unknown_is_not_made_again,
                whichever_of_a_chain_is_asked_for_its_newest_is_made_again,
                asked_for_at_the_same_time_one_is_made,
            }
            access {
                keys_read_back_by_name_until_they_are_removed,
                a_name_has_one_key,
                the_last_use_of_a_key_goes_with_it,
            }
            audit {
                entries_are_listed_newest_first_by_every_filter,
                old_entries_go_and_their_ids_are_never_given_again,
            }
            pauses {
                a_pause_is_kept_until_it_is_taken_back,
            }
            plugin_state {
                what_was_put_reads_back_until_it_is_removed,
                each_destination_has_a_state_of_its_own,
                a_write_that_expects_something_else_changes_nothing,
                a_version_is_never_given_again,
                increments_at_the_same_time_all_count,
                keys_are_listed_by_prefix_in_order,
                what_has_expired_is_not_there,
                retention_removes_what_has_expired_in_chunks,
                the_state_of_a_removed_destination_goes_after_a_while,
                a_write_beyond_the_bounds_is_refused,
                what_has_expired_makes_room,
            }
            replays {
                a_count_tells_what_a_replay_makes,
                a_replay_makes_each_once_in_order,
                a_replay_leaves_out_what_waits_and_what_it_made_itself,
                a_replay_leaves_out_what_became_final_after_it_was_asked_for,
                a_replay_takes_what_was_counted_though_the_clock_was_set_back,
                a_replay_leaves_out_what_was_made_again,
                a_replay_leaves_out_what_has_nowhere_to_go,
                steps_taken_at_the_same_time_make_nothing_twice,
                replays_of_the_same_at_the_same_time_make_nothing_twice,
                what_a_replay_made_can_be_listed,
                a_cancelled_replay_makes_no_more,
                what_became_of_a_replay_is_counted,
                replays_are_listed_newest_first_and_running_ones_oldest_first,
            }
            retention {
                what_is_old_goes_with_all_that_belongs_to_it,
                what_waits_never_goes,
                dead_letters_have_a_bound_of_their_own,
                an_age_begins_when_the_last_delivery_ended,
                a_chunk_for_room_says_whether_anything_else_may_go,
                for_room_the_oldest_go_first_and_dead_letters_last,
                chunks_are_small_and_say_whether_there_is_more,
                a_body_stays_while_an_event_names_it,
                replays_go_with_age_and_running_ones_stay,
                numbers_are_never_given_again,
                usage_follows_what_is_kept,
            }
        );
    };
    ($open:expr => $($area:ident { $($promise:ident,)+ })+) => {
        $(
            mod $area {
                use super::*;

                $(
                    #[tokio::test]
                    async fn $promise() {
                        let (store, _guard) = $open;
                        crate::contract::$area::$promise(&store).await;
                    }
                )+
            }
        )+
    };
}
pub(crate) use contract_tests;
