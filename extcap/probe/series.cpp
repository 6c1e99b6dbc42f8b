// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>

#include "extcap/json_object.h"
#include "extcap/probe/render.h"
#include "podman/annotate/codec.h"

namespace podshark::extcap::probing {
namespace {

double seconds_between(std::int64_t from_ns, std::int64_t to_ns) {
  return static_cast<double>(to_ns - from_ns) / 1e9;
}

}  // namespace

void Series::add(const ProbeResult& r) {
  changed_ = last_ != r.conclusion.outcome;
  last_ = r.conclusion.outcome;
  last_ns_ = r.time_ns;
  recovered_after_.reset();
  ++sent_;
  if (!r.ok()) {
    if (failing_since_ns_ == 0) failing_since_ns_ = r.time_ns;
    return;
  }
  const double ms = static_cast<double>(r.attempt.answer_after.count()) / 1000;
  least_ms_ = ok_ == 0 ? ms : std::min(least_ms_, ms);
  most_ms_ = std::max(most_ms_, ms);
  sum_ms_ += ms;
  ++ok_;
  if (failing_since_ns_ == 0) return;
  recovered_after_ = seconds_between(failing_since_ns_, r.time_ns);
  longest_s_ = std::max(longest_s_, *recovered_after_);
  failing_since_ns_ = 0;
}

double Series::longest() const {
  return failing_since_ns_ == 0 ? longest_s_
                                : std::max(longest_s_, seconds_between(failing_since_ns_, last_ns_));
}

std::string Series::text() const {
  std::string out = std::to_string(sent_) + " sent, " + std::to_string(ok_) + " ok, " +
                    std::to_string(sent_ - ok_) + " failed";
  if (ok_ > 0) {
    out += ", " + milliseconds_text(least_ms_) + "/" + milliseconds_text(sum_ms_ / static_cast<double>(ok_)) +
           "/" + milliseconds_text(most_ms_) + " ms min/avg/max";
  }
  if (ok_ == sent_) return out;
  std::array<char, 40> longest_text{};
  std::snprintf(longest_text.data(), longest_text.size(), ", longest failure %.1f s", longest());
  return out + longest_text.data();
}

std::string Series::json(const std::string& from, const std::string& target) const {
  std::string out;
  {
    JsonObject o(out);
    o.number("podshark", annotate::kSchemaVersion).text("kind", "probe-summary");
    o.text("from", from).text("target", target).number("sent", sent_).number("ok", ok_);
    o.number("failed", sent_ - ok_).decimal("min_ms", least_ms_);
    o.decimal("avg_ms", ok_ == 0 ? 0 : sum_ms_ / static_cast<double>(ok_)).decimal("max_ms", most_ms_);
    o.decimal("longest_failure", longest());
  }
  return out;
}

}  // namespace podshark::extcap::probing
