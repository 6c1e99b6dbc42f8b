// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugin/event_payload.h"

#include <gtest/gtest.h>

#include <string>

#include "podman/annotate/codec.h"

namespace podshark::plugin {
namespace {

std::string_view payload(const std::string& record) {
  return event_json(reinterpret_cast<const std::uint8_t*>(record.data()), record.size());
}

TEST(EventPayload, what_the_codec_wraps_is_found) {
  EXPECT_EQ(payload(annotate::upper_pdu("inventory: 1 container", R"({"podshark":1})")), R"({"podshark":1})");
}

TEST(EventPayload, other_dissectors_are_not_ours) {
  std::string record = annotate::upper_pdu("x", "{}");
  record.replace(record.find("json"), 4, "http");
  EXPECT_EQ(payload(record), "");
}

TEST(EventPayload, every_cut_off_record_is_refused_or_shorter) {
  const std::string record = annotate::upper_pdu("info", R"({"a":1})");
  for (std::size_t size = 0; size < record.size(); ++size) {
    // A copy of exactly that size, so that a sanitizer sees a read beyond it.
    EXPECT_LT(payload(std::string(record, 0, size)).size(), 7U) << size;
  }
}

TEST(EventPayload, lengths_beyond_the_record_are_refused) {
  std::string record = annotate::upper_pdu("info", "{}");
  record[2] = '\xff';
  EXPECT_EQ(payload(record), "");
}

}  // namespace
}  // namespace podshark::plugin
