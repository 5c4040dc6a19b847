#include "flusher/unread_streams.h"

#include <string>

#include "t/unit/suite.h"

using namespace weir::flusher;
using std::chrono::seconds;

namespace {

std::string joined(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : " ") + name;
  return all;
}

std::string found(const UnreadStreams& unread) {
  std::string all;
  for (const UnreadStream& one : unread.found()) all += one.stream + std::to_string(one.entries);
  return all;
}

}  // namespace

START_TEST(what_may_be_written_to_follows_what_we_read) {
  const auto names = neighbours_of({"weir:{0}", "weir:{1}"});
  ck_assert_uint_eq(names.size(), kNeighbours);
  ck_assert_view_eq(names.front(), "weir:{2}");
  ck_assert_view_eq(names.back(), "weir:{17}");
}
END_TEST

START_TEST(the_first_of_the_family_is_looked_at_by_those_who_do_not_read_it) {
  const auto others = neighbours_of({"weir:{7}"}), family = neighbours_of({"events"});
  ck_assert_view_eq(others[0], "weir:{0}");
  ck_assert_view_eq(others[1], "weir:{8}");
  ck_assert_view_eq(family.front(), "weir:{0}");
  ck_assert_uint_eq(family.size(), kNeighbours);
}
END_TEST

START_TEST(behind_the_last_shard_there_is_none) {
  ck_assert_view_eq(joined(neighbours_of({"weir:{0}", "weir:{1023}"})), "");
  ck_assert_view_eq(joined(neighbours_of({"weir:{1021}"})), "weir:{0} weir:{1022} weir:{1023}");
}
END_TEST

START_TEST(a_stream_counts_when_it_is_seen_twice_in_a_row) {
  UnreadStreams unread;
  ck_assert(!unread.took({}));
  ck_assert(unread.pause() == seconds(30));
  ck_assert(!unread.took({{"a", 1}}));
  ck_assert(unread.pause() == seconds(5));
  ck_assert(unread.took({{"a", 2}}));
  ck_assert_view_eq(found(unread), "a2");
  ck_assert(unread.pause() == seconds(30));
  ck_assert(unread.took({}));
  ck_assert(!unread.took({{"b", 1}}));
  ck_assert(!unread.took({}));
  ck_assert_view_eq(found(unread), "");
}
END_TEST

START_TEST(it_is_told_once_until_it_changes) {
  UnreadStreams unread;
  unread.took({{"a", 1}});
  ck_assert(unread.took({{"a", 1}}));
  ck_assert(!unread.took({{"a", 5}}));
  ck_assert_view_eq(found(unread), "a5");
  ck_assert(!unread.took({{"a", 5}, {"b", 1}}));
  ck_assert(unread.took({{"a", 5}, {"b", 2}}));
  ck_assert_view_eq(found(unread), "a5b2");
  ck_assert(unread.took({{"b", 2}}));
  ck_assert(unread.took({}));
  ck_assert_view_eq(found(unread), "");
}
END_TEST

const weir_test::Register kRegistered(
    "flusher_unread",
    {what_may_be_written_to_follows_what_we_read,
     the_first_of_the_family_is_looked_at_by_those_who_do_not_read_it,
     behind_the_last_shard_there_is_none, a_stream_counts_when_it_is_seen_twice_in_a_row,
     it_is_told_once_until_it_changes});
