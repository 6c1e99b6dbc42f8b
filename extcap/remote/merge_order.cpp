// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/remote/merge_order.h"

#include <algorithm>

namespace podshark::extcap::remote {

void MergeOrder::packet(std::size_t stream, std::uint64_t time_ns, std::uint64_t now_ns) {
  Stream& s = streams_.at(stream);
  s.newest_ns = std::max(s.newest_ns, time_ns);
  if (time_ns >= released_ns_) return;
  ++late_;
  const std::uint64_t way = now_ns > time_ns ? now_ns - time_ns : 0;
  window_ns_ = std::max(window_ns_, std::min(kWidest, way + way / 4));
}

std::uint64_t MergeOrder::until(std::uint64_t now_ns) {
  std::uint64_t out = ~std::uint64_t{0};
  for (const Stream& s : streams_) {
    if (s.ended) continue;
    if (!s.begun && now_ns < start_ns_) return released_ns_;
    const std::uint64_t waited = now_ns - std::min(now_ns, window_ns_);
    out = std::min(out, s.begun ? std::max(s.newest_ns, waited) : waited);
  }
  released_ns_ = std::max(released_ns_, out);
  return released_ns_;
}

}  // namespace podshark::extcap::remote
