// What the drainer of a spool holds on to.
#include "spool/batch.h"
#include "spool/directory.h"
#include "spool/segment_drainer.h"
#include "spool/segment_writer.h"
#include "t/unit/spool_fixture.h"

using namespace spool_test;

namespace {

struct NoCustomer final : SpoolCustomer {
  void synced(bool) noexcept override {}
};

SpoolSettings settings_in(const TempDirectory& directory) {
  SpoolSettings settings;
  settings.directory = directory.path;
  return settings;
}

START_TEST(of_a_segment_that_is_drained_no_memory_stays) {
  TempDirectory place;
  const SpoolSettings settings = settings_in(place);
  Files files;
  Directory directory(settings, files);
  SpoolView view;
  const Time now{};
  SegmentDrainer drainer(directory);
  drainer.look(false, now, view);

  NoCustomer customer;
  Batch batch;
  batch.add(std::string(1'500'000, 'r'), customer, 0);
  SegmentWriter writer(directory);
  ck_assert_uint_eq(writer.commit(batch).kept, 1);
  writer.seal();

  ck_assert(drainer.look(true, now, view));
  SegmentDrainer::Piece piece;
  drainer.read(now, piece);
  ck_assert_uint_eq(piece.records.size(), 1);
  ck_assert_uint_ge(drainer.memory(), 1'500'000);
  ck_assert(!drainer.retire());
  ck_assert_uint_lt(drainer.memory(), 1000);
}
END_TEST

const weir_test::Register kRegistered("spool_drainer",
                                      {of_a_segment_that_is_drained_no_memory_stays});

}  // namespace
