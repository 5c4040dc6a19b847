// The words of a location, and what an inner block takes over from the one around it.
#include "core/http/location.h"

#include "t/unit/suite.h"

using weir::Endpoint;
using weir::endpoint_from_word;
using weir::LocationSettings;

namespace {

LocationSettings with_limits(std::initializer_list<std::string_view> words) {
  LocationSettings settings;
  for (const std::string_view word : words) ck_assert_view_eq(settings.add_limit(word), "");
  return settings;
}

LocationSettings with_origin(std::string_view origin) {
  LocationSettings settings;
  ck_assert_view_eq(settings.add_origins({origin}), "");
  return settings;
}

void assert_limit_refused(LocationSettings settings, std::string_view word, std::string_view why) {
  const std::string fault = settings.add_limit(word);
  ck_assert_msg(fault.find(why) != std::string::npos, "'%s'", fault.c_str());
}

START_TEST(an_endpoint_has_a_word) {
  ck_assert(endpoint_from_word("track") == Endpoint::track);
  ck_assert(endpoint_from_word("crash") == Endpoint::crash);
  ck_assert(endpoint_from_word("cli") == Endpoint::cli);
  ck_assert(endpoint_from_word("health") == Endpoint::health);
  ck_assert(endpoint_from_word("metrics") == Endpoint::metrics);
  for (const std::string_view word : {"", "tracks", "Track", "heartbeat", "track "}) {
    ck_assert(!endpoint_from_word(word));
  }
}
END_TEST

START_TEST(a_sentence_lists_the_words_as_they_are_written) {
  ck_assert_view_eq(weir::endpoint_words("weir "),
                    "weir track, weir crash, weir cli, weir health or weir metrics");
  ck_assert_view_eq(weir::endpoint_words(""), "track, crash, cli, health or metrics");
}
END_TEST

std::string kind(const std::vector<std::string_view>& words, LocationSettings& settings) {
  return settings.set_kind(words);
}

START_TEST(a_location_may_be_strict_and_want_replicas) {
  LocationSettings plain, both;
  ck_assert_view_eq(kind({"crash"}, plain), "");
  ck_assert(plain.location().endpoint == Endpoint::crash && !plain.location().strict);
  ck_assert_uint_eq(plain.location().replicas, 0);
  ck_assert_view_eq(kind({"track", "wait=16", "strict"}, both), "");
  ck_assert(both.location().strict);
  ck_assert_uint_eq(both.location().replicas, 16);
  plain.take_kind(both);
  ck_assert(plain.location().endpoint == Endpoint::track);
  ck_assert_uint_eq(plain.location().replicas, 16);
}
END_TEST

START_TEST(options_stand_alone_where_the_kind_stands_elsewhere) {
  LocationSettings outer, inner, off, silent;
  ck_assert_view_eq(outer.set_options({"wait=2", "strict"}), "");
  ck_assert_view_eq(inner.set_options({"strict"}), "");
  ck_assert_view_eq(off.set_options({"off"}), "");
  for (LocationSettings* settings : {&inner, &off, &silent}) settings->inherit(outer);
  ck_assert(inner.location().strict && !off.location().strict && silent.location().strict);
  ck_assert_uint_eq(inner.location().replicas, 0);
  ck_assert_uint_eq(off.location().replicas, 0);
  ck_assert_uint_eq(silent.location().replicas, 2);
}
END_TEST

START_TEST(a_kind_of_location_takes_no_options_from_the_block_around_it) {
  LocationSettings outer, inner;
  ck_assert_view_eq(outer.set_kind({"track", "strict", "wait=1"}), "");
  ck_assert_view_eq(inner.set_kind({"track"}), "");
  inner.inherit(outer);
  ck_assert(!inner.location().strict);
  ck_assert_uint_eq(inner.location().replicas, 0);
}
END_TEST

START_TEST(an_option_that_there_is_not_is_named) {
  const std::pair<std::vector<std::string_view>, std::string_view> kFaults[] = {
      {{}, "it names no option: write \"strict\""},
      {{"lax"}, "it does not know \"lax\": it takes \"strict\" and \"wait=1\""},
      {{"off", "strict"}, "it does not know \"off\""},
      {{"wait=17"}, "1 to 16"},
  };
  for (const auto& [words, why] : kFaults) {
    LocationSettings settings;
    const std::string fault = settings.set_options(words);
    ck_assert_msg(fault.find(why) != std::string::npos, "'%s'", fault.c_str());
  }
  LocationSettings twice;
  ck_assert_view_eq(twice.set_options({"strict"}), "");
  ck_assert(twice.set_options({"off"}).find("twice") != std::string::npos);
}
END_TEST

START_TEST(a_word_that_a_location_cannot_have_is_named) {
  const std::pair<std::vector<std::string_view>, std::string_view> kFaults[] = {
      {{}, "it needs a kind of location: write weir track"},
      {{"trace"}, "it does not know \"trace\": write weir track"},
      {{"track", "lax"}, "it does not know \"lax\": after the kind of location it takes"},
      {{"track", "strict", "strict"}, "\"strict\" twice"},
      {{"track", "wait=0"}, "\"wait=0\" is no number of replicas, 1 to 16"},
      {{"track", "wait=17"}, "1 to 16"},
      {{"track", "wait=1x"}, "1 to 16"},
      {{"track", "wait=-1"}, "1 to 16"},
      {{"track", "wait="}, "1 to 16"},
      {{"track", "wait=1", "wait=2"}, "write it once"},
      {{"health", "wait=1"}, "keeps nothing that replicas could have: remove \"wait=1\""},
  };
  for (const auto& [words, why] : kFaults) {
    LocationSettings settings;
    const std::string fault = kind(words, settings);
    ck_assert_msg(fault.find(why) != std::string::npos, "'%s'", fault.c_str());
  }
}
END_TEST

START_TEST(limits_count_once_everything_is_read) {
  auto settings = with_limits({"body=2m", "events=7"});
  settings.inherit(LocationSettings());
  ck_assert_uint_eq(settings.location().limits.body, 2 << 20);
  ck_assert_uint_eq(settings.location().limits.events, 7);
  ck_assert_uint_eq(settings.location().limits.depth, weir::Limits().depth);
}
END_TEST

START_TEST(each_limit_is_inherited_by_itself) {
  auto outermost = with_limits({"body=10", "events=10", "depth=10"});
  auto middle = with_limits({"events=20", "depth=20"});
  auto inner = with_limits({"depth=30"});
  outermost.inherit(LocationSettings());
  middle.inherit(outermost);
  inner.inherit(middle);
  ck_assert_uint_eq(inner.location().limits.body, 10);
  ck_assert_uint_eq(inner.location().limits.events, 20);
  ck_assert_uint_eq(inner.location().limits.depth, 30);
  ck_assert_uint_eq(outermost.location().limits.depth, 10);
}
END_TEST

START_TEST(a_limit_needs_a_name_a_value_and_to_stand_once) {
  assert_limit_refused({}, "body", "write NAME=VALUE");
  assert_limit_refused({}, "", "write NAME=VALUE");
  assert_limit_refused({}, "body=", "\"body\"");
  assert_limit_refused({}, "=1m", "there is no limit \"\"");
  assert_limit_refused({}, "size=1m", "there is no limit \"size\"");
  assert_limit_refused(with_limits({"events=1", "body=1m"}), "body=2m",
                       "\"body\" stands here twice");
}
END_TEST

START_TEST(an_outer_blocks_limit_may_be_named_again) {
  auto inner = with_limits({"body=2m"});
  inner.inherit(with_limits({"body=1m"}));
  ck_assert_uint_eq(inner.location().limits.body, 2 << 20);
}
END_TEST

START_TEST(origins_are_inherited_whole_or_not_at_all) {
  const auto outer = with_origin("https://outer.example");
  LocationSettings silent;
  silent.inherit(outer);
  ck_assert(silent.location().cors.allows("https://outer.example"));
  auto speaking = with_origin("https://inner.example");
  speaking.inherit(outer);
  ck_assert(speaking.location().cors.allows("https://inner.example"));
  ck_assert(!speaking.location().cors.allows("https://outer.example"));
}
END_TEST

START_TEST(off_leaves_no_origin) {
  auto settings = with_origin("off");
  settings.inherit(with_origin("https://outer.example"));
  ck_assert(!settings.location().cors.configured());
  LocationSettings mixed;
  ck_assert(!mixed.add_origins({"https://app.example", "off"}).empty());
}
END_TEST

START_TEST(off_and_origins_do_not_stand_in_one_block) {
  auto origins = with_origin("https://app.example");
  ck_assert(!origins.add_origins({"off"}).empty());
  ck_assert_view_eq(origins.add_origins({"https://www.app.example"}), "");
  auto off = with_origin("off");
  ck_assert(!off.add_origins({"https://app.example"}).empty());
}
END_TEST

const weir_test::Register kRegistered(
    "location",
    {an_endpoint_has_a_word, a_sentence_lists_the_words_as_they_are_written,
     a_location_may_be_strict_and_want_replicas,
     options_stand_alone_where_the_kind_stands_elsewhere,
     a_kind_of_location_takes_no_options_from_the_block_around_it,
     an_option_that_there_is_not_is_named, a_word_that_a_location_cannot_have_is_named,
     limits_count_once_everything_is_read, each_limit_is_inherited_by_itself,
     a_limit_needs_a_name_a_value_and_to_stand_once, an_outer_blocks_limit_may_be_named_again,
     origins_are_inherited_whole_or_not_at_all, off_leaves_no_origin,
     off_and_origins_do_not_stand_in_one_block});

}  // namespace
