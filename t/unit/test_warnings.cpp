// Which ear a warning goes to.
#include "core/redis/warnings.h"

#include "core/redis/courier.h"
#include "t/unit/suite.h"

using weir::Warnings;
using Topic = weir::Warnings::Topic;

namespace {

class Ears : public weir::CourierLog {
 public:
  void ready() noexcept override {}
  void warn(std::string_view) noexcept override { ++warnings; }
  void unsafe(std::string_view) noexcept override { ++unsafe_settings; }

  int warnings = 0;
  int unsafe_settings = 0;
};

class OneEar : public weir::CourierLog {
 public:
  void ready() noexcept override {}
  void warn(std::string_view) noexcept override { ++warnings; }

  int warnings = 0;
};

START_TEST(settings_are_told_apart_from_trouble) {
  Ears ears;
  Warnings warnings(ears);
  for (const Topic topic :
       {Topic::appendonly, Topic::appendfsync, Topic::maxmemory_policy, Topic::unchecked}) {
    warnings.once(topic, "a setting");
  }
  ck_assert_int_eq(ears.unsafe_settings, 4);
  ck_assert_int_eq(ears.warnings, 0);
  warnings.once(Topic::trouble, "trouble");
  warnings.refused("OOM", Warnings::Time());
  ck_assert_int_eq(ears.unsafe_settings, 4);
  ck_assert_int_eq(ears.warnings, 2);
}
END_TEST

START_TEST(who_makes_no_difference_is_warned_of_settings_too) {
  OneEar ear;
  Warnings(ear).once(Topic::appendonly, "a setting");
  ck_assert_int_eq(ear.warnings, 1);
}
END_TEST

const weir_test::Register kRegistered("warnings",
                                      {settings_are_told_apart_from_trouble,
                                       who_makes_no_difference_is_warned_of_settings_too});

}  // namespace
